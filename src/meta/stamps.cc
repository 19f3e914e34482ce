#include "meta/stamps.h"

#include <algorithm>

#include "base/log.h"
#include "base/planted_bugs.h"
#include "base/wire.h"
#include "kv/run.h"
#include "kv/tables.h"

namespace tombolo::meta {
namespace {

// Rows H <name>: a version byte, then a number (docs/formats/values.md).
constexpr std::string_view kStampsRow = "stamps";               // stamps up to here may have been given
constexpr std::string_view kIdsRow = "ids";                     // ids below this may have been given
constexpr std::string_view kProcessEpochRow = "process epoch";  // processes that have run on the cell
constexpr std::string_view kFeedEpochRow = "feed epoch";        // restores of the cell, plus one

std::string row_key(std::string_view name) {
  return kv::table_prefix(kv::Table::kHighWater) + std::string(name);
}

std::string row_value(std::uint64_t mark) {
  WireWriter out;
  out.u8(1);
  out.u64(mark);
  return std::move(out).take();
}

Result<std::uint64_t> parse_mark(const std::optional<std::string>& value) {
  if (!value) return std::uint64_t{0};
  WireReader in(*value);
  const std::uint8_t version = in.u8();
  const std::uint64_t mark = in.u64();
  TRY(in.finish("high-water mark"));
  if (version != 1) return Error{Code::kUnsupported, "a high-water mark was written by another version of tombolo"};
  return mark;
}

Task<std::uint64_t> read_mark(kv::Transaction& txn, std::string_view name) {
  CO_TRY_ASSIGN(const auto value, txn.get(row_key(name)));
  co_return parse_mark(value);
}

Task<void> raise_in(kv::Transaction& txn, std::string_view name, std::uint64_t step, std::uint64_t least,
                    std::uint64_t& before) {
  txn.set_purpose(kv::Purpose::kFreesSpace);  // deletes on a full disk need stamps too
  CO_TRY_ASSIGN(before, read_mark(txn, name));
  txn.put(row_key(name), row_value(std::max(before + step, least)));
  co_return Result<void>{};
}

// Moves a mark from what it is by `step`, but at least to `least`. Gives the mark before.
Task<std::uint64_t> raise_mark(kv::Engine& engine, Random& random, std::string_view name, std::uint64_t step,
                               std::uint64_t least) {
  std::uint64_t before = 0;
  std::function<Task<void>(kv::Transaction&)> body = [&before, name, step, least](kv::Transaction& txn) {
    return raise_in(txn, name, step, least, before);
  };
  CO_TRY(kv::run(engine, random, std::move(body)));
  co_return before;
}

}  // namespace

Task<void> Stamper::recover() {
  CO_TRY_ASSIGN(const std::uint64_t mark, raise_mark(engine_, random_, kStampsRow, 0, 0));
  const std::int64_t now = clock_.wall().micros;
  const auto behind = static_cast<std::int64_t>(mark) - now;
  if (behind > static_cast<std::int64_t>(kClockBehindMicrosMax)) {
    co_return Error{Code::kUnavailable, "the clock is " + std::to_string(behind / 1'000'000) +
                                            " s behind the stamps already given (more than an hour): set the clock"};
  }
  const std::lock_guard lock(mutex_);
  last_ = planted(PlantedBug::reissue_stamp) ? 0 : std::max(last_, mark);
  leased_through_ = mark;
  co_return Result<void>{};
}

std::uint64_t Stamper::now() {
  const SteadyTime steady = clock_.steady();
  const std::int64_t ahead = clock_.wall().micros - steady.micros;
  const std::int64_t leap = ahead_ ? ahead - ahead_most_ : 0;
  const bool believed = leap <= kLeapMicrosMax || (leapt_at_ && steady - *leapt_at_ >= kLeapBelievedAfter);
  if (believed) {
    leapt_at_.reset();
    ahead_most_ = ahead_ ? std::max(ahead_most_, ahead) : ahead;
    ahead_ = ahead;
  } else if (!leapt_at_) {
    leapt_at_ = steady;
    log(LogLevel::kError, "meta",
        "the clock has leapt {} s ahead: it is not believed for an hour; set it if it is wrong, else restart",
        leap / 1'000'000);
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(*ahead_ + steady.micros, 0));
}

bool Stamper::take(Stamp& out) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t stamp = std::max(now(), last_ + 1);
  if (stamp > leased_through_) return false;
  last_ = stamp;
  out = Stamp{stamp};
  return true;
}

Task<Stamp> Stamper::next() {
  Stamp stamp;
  if (take(stamp)) co_return stamp;
  CO_TRY_ASSIGN(const auto leasing, leasing_.lock());
  while (!take(stamp)) {
    std::uint64_t through = 0;
    {
      const std::lock_guard lock(mutex_);
      // Ahead of the clock (after a restart) only a little at a time, or a process that crashes again and again would
      // leave the clock behind for good.
      through = std::max(now() + kStampLeaseMicros, last_ + kStampsLeasedAhead);
    }
    CO_TRY(raise_mark(engine_, random_, kStampsRow, 0, through));
    const std::lock_guard lock(mutex_);
    leased_through_ = std::max(leased_through_, through);
  }
  co_return stamp;
}

Stamp Stamper::last() const {
  const std::lock_guard lock(mutex_);
  return Stamp{last_};
}

Task<void> IdAllocator::recover() {
  CO_TRY_ASSIGN(const std::uint64_t epochs, raise_mark(engine_, random_, kProcessEpochRow, 1, 1));
  CO_TRY_ASSIGN(const std::uint64_t feed, raise_mark(engine_, random_, kFeedEpochRow, 0, 1));
  process_epoch_ = epochs + 1;
  feed_epoch_ = std::max<std::uint64_t>(feed, 1);
  co_return Result<void>{};
}

Task<std::uint64_t> IdAllocator::next() {
  {
    const std::lock_guard lock(mutex_);
    if (next_ < leased_end_) co_return next_++;
  }
  CO_TRY_ASSIGN(const auto leasing, leasing_.lock());
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (next_ < leased_end_) co_return next_++;
    }
    // The first ids are kept free for constants (0 is no id, 1 the root directory).
    CO_TRY_ASSIGN(const std::uint64_t before, raise_mark(engine_, random_, kIdsRow, kIdLease, 2 * kIdLease));
    const std::lock_guard lock(mutex_);
    next_ = std::max(before, kIdLease);
    leased_end_ = std::max(before + kIdLease, 2 * kIdLease);
  }
}

}  // namespace tombolo::meta
