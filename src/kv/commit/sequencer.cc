#include "kv/commit/sequencer.h"

#include "base/assert.h"
#include "base/encoding.h"
#include "base/endian.h"

namespace tombolo::kv {

Result<std::int64_t> counter_value(const std::optional<std::string>& stored) {
  if (!stored) return std::int64_t{0};
  if (stored->size() != sizeof(std::int64_t)) {
    return Error{Code::kCorrupt, "a counter row does not hold 8 bytes"};
  }
  return load_le<std::int64_t>(stored->data());
}

std::optional<std::string> counter_row(std::int64_t value) {
  if (value == 0) return std::nullopt;
  std::string row(sizeof value, '\0');
  store_le(row.data(), value);
  return row;
}

void Sequencer::collect_counters(const CommitRequest& request, Counters& into) {
  for (const auto& [key, write] : request.writes) {
    if (write.kind == Write::Kind::kAdd) into.try_emplace(key);
  }
}

namespace {

Result<std::optional<std::string>> resolve(const std::string& key, Write& write, const Counters& counters) {
  switch (write.kind) {
    case Write::Kind::kPut:
      return std::optional<std::string>(std::move(write.value));
    case Write::Kind::kErase:
      return std::optional<std::string>();
    case Write::Kind::kAdd:
      break;
  }
  const auto stored = counters.find(key);
  ASSERT(stored != counters.end());
  auto value = counter_value(stored->second);
  if (!value.ok()) {
    return Error{value.error().code, value.error().message + ": key " + hex_encode(as_bytes(key))};
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*value, write.delta, &sum)) {
    return Error{Code::kInvalid, "a counter would overflow: key " + hex_encode(as_bytes(key))};
  }
  return counter_row(sum);
}

}  // namespace

Result<LogEntry> Sequencer::admit(CommitRequest request, Counters& counters, SteadyTime now) {
  TRY(window_.check(request, now));
  LogEntry entry;
  entry.writes.reserve(request.writes.size());
  for (auto& [key, write] : request.writes) {
    TRY_ASSIGN(auto value, resolve(key, write, counters));
    entry.writes.emplace_back(key, std::move(value));
  }
  entry.sequence = Sequence{last_.value + 1};
  last_ = entry.sequence;
  window_.record(request, last_, now);
  for (const auto& [key, value] : entry.writes) {
    const auto counter = counters.find(key);
    if (counter != counters.end()) counter->second = value;
  }
  return entry;
}

}  // namespace tombolo::kv
