#include "kv/commit/transaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "kv/commit/sequencer.h"

namespace tombolo::kv {

Result<void> check_key(std::string_view key) {
  if (key.empty() || key.front() == '\0') {
    return Error{Code::kInvalid, "a key must not be empty or begin with a zero byte"};
  }
  if (key.size() > kKeyBytesMax) {
    return Error{Code::kTooLarge, fmt::format("a key of {} bytes is over the limit of {}", key.size(), kKeyBytesMax)};
  }
  return {};
}

Result<void> check_range(RangeQuery& query) {
  if (query.limit == 0) return Error{Code::kInvalid, "a range needs a limit of at least one row"};
  query.limit = std::min(query.limit, kRangeRowsMax);
  if (query.begin.empty() || query.begin.front() == '\0') query.begin = "\x01";
  return {};
}

namespace {

template <class T>
Task<T> refused(Error why) {
  co_return why;
}

}  // namespace

// No coroutine of its own: this is the path of every read.
Task<std::optional<std::string>> CheckedSnapshot::get(std::string key) {
  if (auto checked = check_key(key); !checked.ok()) {
    return refused<std::optional<std::string>>(std::move(checked).error());
  }
  return rows_->get(std::move(key));
}

Task<std::vector<std::optional<std::string>>> CheckedSnapshot::multi_get(std::vector<std::string> keys) {
  if (keys.size() > kTransactionKeysMax) co_return Error{Code::kTooLarge, "too many keys in one multi_get"};
  for (const auto& key : keys) {
    CO_CHECK(check_key(key));
  }
  co_return co_await rows_->multi_get(std::move(keys));
}

Task<RangePage> CheckedSnapshot::range(RangeQuery query) {
  CO_CHECK(check_range(query));
  co_return co_await rows_->range(std::move(query));
}

BufferedTransaction::BufferedTransaction(LiveReads::Pin read, std::unique_ptr<Snapshot> rows, Services services)
    : rows_(std::move(rows)),
      clock_(services.clock),
      target_(services.target),
      pin_(std::move(read)),
      begun_(services.clock.steady()) {
  request_.read = pin_.at();
}

Result<void> BufferedTransaction::in_time() const {
  if ((clock_.steady() - begun_).count() <= kTransactionMicrosMax) return {};
  return Error{Code::kConflict, "the transaction took longer than 4 s; run it again"};
}

const Write* BufferedTransaction::own(const std::string& key) const {
  const auto found = request_.writes.find(key);
  if (found == request_.writes.end() || found->second.kind == Write::Kind::kAdd) return nullptr;
  return &found->second;
}

Result<void> BufferedTransaction::admit_read(const std::string& key) {
  TRY(check_key(key));
  TRY(in_time());
  const Fingerprint print = fingerprint(key);
  if (!seen_.insert(print).second) return {};
  if (seen_.size() > kTransactionKeysMax) return Error{Code::kTooLarge, "the transaction reads too many keys"};
  request_.reads.push_back(print);
  return {};
}

namespace {

std::optional<std::string> visible(const Write& write) {
  if (write.kind == Write::Kind::kErase) return std::nullopt;
  return write.value;
}

}  // namespace

Task<std::optional<std::string>> BufferedTransaction::get(std::string key) {
  if (const Write* mine = own(key)) co_return visible(*mine);
  CO_CHECK(admit_read(key));
  if (planted(PlantedBug::forget_absent_read)) {
    CO_TRY_ASSIGN(auto found, rows_->get(key));
    if (!found) std::erase(request_.reads, fingerprint(key));
    co_return found;
  }
  co_return co_await rows_->get(std::move(key));
}

Task<std::vector<std::optional<std::string>>> BufferedTransaction::multi_get(std::vector<std::string> keys) {
  std::vector<std::optional<std::string>> out(keys.size());
  std::vector<std::string> wanted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const Write* mine = own(keys[i])) {
      out[i] = visible(*mine);
      continue;
    }
    CO_CHECK(admit_read(keys[i]));
    places.push_back(i);
    wanted.push_back(std::move(keys[i]));
  }
  CO_TRY_ASSIGN(auto found, rows_->multi_get(std::move(wanted)));
  for (std::size_t i = 0; i < places.size(); ++i) out[places[i]] = std::move(found[i]);
  co_return out;
}

Task<RangePage> BufferedTransaction::range(RangeQuery query) {
  CO_CHECK(in_time());
  CO_CHECK(check_range(query));
  co_return co_await rows_->range(std::move(query));
}

Task<std::optional<std::string>> BufferedTransaction::peek(std::string key) {
  if (const Write* mine = own(key)) co_return visible(*mine);
  CO_CHECK(in_time());
  CO_CHECK(check_key(key));
  co_return co_await rows_->get(std::move(key));
}

Result<void> BufferedTransaction::guard(const std::string& key, std::vector<Fingerprint>& into) {
  TRY(check_key(key));
  TRY(in_time());
  if (request_.guards_shared.size() + request_.guards_exclusive.size() >= kTransactionKeysMax) {
    return Error{Code::kTooLarge, "the transaction takes too many guards"};
  }
  into.push_back(fingerprint(key));
  return {};
}

Task<void> BufferedTransaction::guard_shared(std::string key) {
  co_return guard(key, request_.guards_shared);
}

Task<void> BufferedTransaction::guard_exclusive(std::string key) {
  co_return guard(key, request_.guards_exclusive);
}

void BufferedTransaction::refuse(Result<void> why) {
  if (!why.ok() && !refused_) refused_ = std::move(why).error();
}

void BufferedTransaction::write(std::string key, Write write) {
  ASSERT(!committed_);
  refuse(check_key(key));
  if (write.value.size() > kValueBytesMax) {
    refuse(Error{Code::kTooLarge,
                 fmt::format("a value of {} bytes is over the limit of {}", write.value.size(), kValueBytesMax)});
  }
  if (refused_) return;
  const std::size_t key_bytes = key.size();
  const auto [place, is_new] = request_.writes.try_emplace(std::move(key));
  if (!is_new) request_.bytes -= place->second.value.size();
  request_.bytes += (is_new ? key_bytes : 0) + write.value.size();
  place->second = std::move(write);
  if (request_.writes.size() > kTransactionKeysMax || request_.bytes > kTransactionBytesMax) {
    refuse(Error{Code::kTooLarge, "the transaction writes more than 10,000 keys or 1 MiB"});
  }
}

void BufferedTransaction::put(std::string key, std::string value) {
  write(std::move(key), {.kind = Write::Kind::kPut, .value = std::move(value)});
}

void BufferedTransaction::erase(std::string key) {
  write(std::move(key), Write{.kind = Write::Kind::kErase});
}

void BufferedTransaction::add(std::string key, std::int64_t delta) {
  const auto found = request_.writes.find(key);
  if (found == request_.writes.end()) {
    write(std::move(key), Write{.kind = Write::Kind::kAdd, .delta = delta});
    return;
  }
  Write& before = found->second;
  const bool blind = before.kind == Write::Kind::kAdd;
  auto base = blind ? Result<std::int64_t>(before.delta) : counter_value(visible(before));
  std::int64_t sum = 0;
  if (!base.ok() || __builtin_add_overflow(*base, delta, &sum)) {
    refuse(Error{Code::kInvalid, "add to a row that is no counter, or that would overflow"});
    return;
  }
  if (blind) {
    before.delta = sum;
  } else if (auto row = counter_row(sum)) {
    write(std::move(key), {.kind = Write::Kind::kPut, .value = std::move(*row)});
  } else {
    write(std::move(key), Write{.kind = Write::Kind::kErase});
  }
}

Task<Sequence> BufferedTransaction::commit() {
  ASSERT(!committed_);
  committed_ = true;
  if (refused_) co_return *refused_;
  if (request_.writes.empty()) co_return request_.read;
  CO_CHECK(in_time());
  co_return co_await target_.submit(std::move(request_));
}

}  // namespace tombolo::kv
