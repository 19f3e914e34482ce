#include "kv/memory/guard_checker.h"

#include <fmt/format.h>

namespace tombolo::kv {

namespace {

/// Printable bytes as they are, others as \xNN.
std::string readable(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

}  // namespace

void GuardChecker::saw_read(const std::string& key) {
  auto guard = guard_of_(key);
  if (guard && !held_.contains(*guard)) read_unheld_.insert(std::move(*guard));
}

void GuardChecker::saw_guard(const std::string& key) {
  if (read_unheld_.contains(key) && !taken_late_) taken_late_ = key;
  held_.insert(key);
}

void GuardChecker::saw_write(const std::string& key) {
  if (auto guard = guard_of_(key)) unguarded_.try_emplace(std::move(*guard), key);
}

Task<std::optional<std::string>> GuardChecker::get(std::string key) {
  saw_read(key);
  return inner_->get(std::move(key));
}

Task<std::vector<std::optional<std::string>>> GuardChecker::multi_get(std::vector<std::string> keys) {
  for (const auto& key : keys) saw_read(key);
  return inner_->multi_get(std::move(keys));
}

Task<void> GuardChecker::guard_shared(std::string key) {
  saw_guard(key);
  return inner_->guard_shared(std::move(key));
}

Task<void> GuardChecker::guard_exclusive(std::string key) {
  saw_guard(key);
  return inner_->guard_exclusive(std::move(key));
}

void GuardChecker::put(std::string key, std::string value) {
  saw_write(key);
  inner_->put(std::move(key), std::move(value));
}

void GuardChecker::erase(std::string key) {
  saw_write(key);
  inner_->erase(std::move(key));
}

void GuardChecker::add(std::string key, std::int64_t delta) {
  saw_write(key);
  inner_->add(std::move(key), delta);
}

Task<Sequence> GuardChecker::commit() {
  for (const auto& [guard, key] : unguarded_) {
    if (held_.contains(guard)) continue;
    co_return Error{Code::kInternal, fmt::format("guard discipline: key '{}' was written without taking guard '{}'",
                                                 readable(key), readable(guard))};
  }
  if (taken_late_ && unguarded_.contains(*taken_late_)) {
    co_return Error{Code::kInternal, fmt::format("guard discipline: guard '{}' was taken after a read that it protects",
                                                 readable(*taken_late_))};
  }
  co_return co_await inner_->commit();
}

}  // namespace tombolo::kv
