// BufferedTransaction: the Transaction of every engine that checks conflicts when it commits.
#pragma once

#include <memory>
#include <optional>
#include <unordered_set>

#include "base/clock.h"
#include "kv/commit/live_reads.h"
#include "kv/commit/request.h"

namespace tombolo::kv {

/// kInvalid or kTooLarge for a key that no row may have.
Result<void> check_key(std::string_view key);
/// The portable limits of a range query; caps `limit` and lifts `begin` above the engines' own keys.
Result<void> check_range(RangeQuery& query);

/// Wraps an engine's snapshot with the portable limits, so that every engine refuses the same.
class CheckedSnapshot final : public Snapshot {
 public:
  explicit CheckedSnapshot(std::unique_ptr<Snapshot> rows) : rows_(std::move(rows)) {}
  Task<std::optional<std::string>> get(std::string key) override;
  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override;
  Task<RangePage> range(RangeQuery query) override;
  /// What is there has a legal key.
  SharedValue at_hand(std::string_view key) override { return rows_->at_hand(key); }

 private:
  std::unique_ptr<Snapshot> rows_;
};

/// Keeps writes, what was read and guards until commit() submits them. An add to a row that this transaction has put
/// or erased changes what was put.
class BufferedTransaction final : public Transaction {
 public:
  struct Services {
    Clock& clock;
    CommitTarget& target;
  };
  /// `rows` was taken after `read` was pinned: what the conflict window has forgotten before, it shows. The other way
  /// round, commits between the two would be neither shown nor found in conflict.
  BufferedTransaction(LiveReads::Pin read, std::unique_ptr<Snapshot> rows, Services services);

  Task<std::optional<std::string>> get(std::string key) override;
  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override;
  Task<RangePage> range(RangeQuery query) override;
  Task<std::optional<std::string>> peek(std::string key) override;
  Task<void> guard_shared(std::string key) override;
  Task<void> guard_exclusive(std::string key) override;
  void set_purpose(Purpose purpose) override { request_.purpose = purpose; }
  void put(std::string key, std::string value) override;
  void erase(std::string key) override;
  void add(std::string key, std::int64_t delta) override;
  Task<Sequence> commit() override;

 private:
  /// nullptr: nothing of our own is known of `key`.
  const Write* own(const std::string& key) const;
  Result<void> admit_read(const std::string& key);
  Result<void> guard(const std::string& key, std::vector<Fingerprint>& into);
  Result<void> in_time() const;
  void write(std::string key, Write write);
  void refuse(Result<void> why);

  std::unique_ptr<Snapshot> rows_;
  Clock& clock_;
  CommitTarget& target_;
  LiveReads::Pin pin_;
  const SteadyTime begun_;
  std::unordered_set<Fingerprint> seen_;  // reads, so that each counts once
  CommitRequest request_;
  std::optional<Error> refused_;  // the first put, erase or add that broke a limit
  bool committed_ = false;
};

}  // namespace tombolo::kv
