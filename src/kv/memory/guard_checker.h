// GuardChecker: a transaction that fails its commit when it broke the guard discipline (core.md §1, kv.h).
#pragma once

#include <memory>
#include <set>

#include "kv/memory/memory_engine.h"

namespace tombolo::kv {

class GuardChecker final : public Transaction {
 public:
  GuardChecker(std::unique_ptr<Transaction> inner, const GuardOf& guard_of)
      : inner_(std::move(inner)), guard_of_(guard_of) {}

  Task<std::optional<std::string>> get(std::string key) override;
  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override;
  Task<RangePage> range(RangeQuery query) override { return inner_->range(std::move(query)); }
  Task<std::optional<std::string>> peek(std::string key) override { return inner_->peek(std::move(key)); }
  Task<void> guard_shared(std::string key) override;
  Task<void> guard_exclusive(std::string key) override;
  void set_purpose(Purpose purpose) override { inner_->set_purpose(purpose); }
  void put(std::string key, std::string value) override;
  void erase(std::string key) override;
  void add(std::string key, std::int64_t delta) override;
  Task<Sequence> commit() override;

 private:
  void saw_read(const std::string& key);
  void saw_guard(const std::string& key);
  void saw_write(const std::string& key);

  std::unique_ptr<Transaction> inner_;
  const GuardOf& guard_of_;
  std::set<std::string> held_;
  std::set<std::string> read_unheld_;             // guards of rows read before the guard was held
  std::map<std::string, std::string> unguarded_;  // guard -> a key written under it
  std::optional<std::string> taken_late_;         // a guard taken after such a read
};

}  // namespace tombolo::kv
