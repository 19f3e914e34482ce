#include "testing/model/driver.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>
#include <utility>

#include "async/sleep.h"
#include "testing/model/sequence.h"

namespace tombolo::testing::model {

namespace {
constexpr Duration kSpaceHeals = std::chrono::seconds(10);
constexpr Duration kDiskHeals = std::chrono::seconds(10);
constexpr Duration kRemoteHeals = std::chrono::seconds(10);
}  // namespace

SequenceStats& SequenceStats::operator+=(const SequenceStats& more) {
  operations += more.operations;
  crashes += more.crashes;
  nested_crashes += more.nested_crashes;
  three_deep += more.three_deep;
  armed += more.armed;
  reached += more.reached;
  faults += more.faults;
  acknowledged += more.acknowledged;
  refused += more.refused;
  failed += more.failed;
  unknown += more.unknown;
  return *this;
}

Complaint Sequence::begin() {
  if (auto complaint = open()) return complaint;
  const auto made = world_.run(world_.life->store->create_container(box(), {}));
  if (!made.ok()) return failed("making the container", made.error(), Needs::kFlash);
  world_.machine.take_sites();
  return std::nullopt;
}

void Sequence::note_faults() {
  const SteadyTime now = world_.clock.steady();
  const std::uint64_t failures = world_.machine.failures();
  if (std::exchange(failures_, failures) != failures) {
    failed_at_ = now;
    rocks_may_be_failing_ = world_.engine == EngineKind::kRocks;
  }
  const std::uint64_t of_remote = remote_faults();
  if (std::exchange(remote_failures_, of_remote) != of_remote) remote_failed_at_ = now;
}

std::uint64_t Sequence::remote_faults() const {
  std::uint64_t sum = 0;
  for (unsigned fault = 0; fault < kRemoteFaults; ++fault) sum += world_.chaos->faults(static_cast<RemoteFault>(fault));
  return sum;
}

bool Sequence::disk_failed_lately() {
  if (world_.machine.failures() != failures_) return true;
  return failed_at_ && world_.clock.steady() - *failed_at_ < kDiskHeals;
}

bool Sequence::remote_failed_lately() {
  if (!chaos_) return false;
  if (world_.chaos->has_rules() || remote_faults() != remote_failures_) return true;
  return remote_failed_at_ && world_.clock.steady() - *remote_failed_at_ < kRemoteHeals;
}

void Sequence::let_rocks_recover() {
  if (!rocks_may_be_failing_ || full_ || disk_failed_lately() || space_came_back_lately()) return;
  rocks_may_be_failing_ = false;
  constexpr int kLooks = 2'000;  // a try of RocksDB's that fails is followed by five seconds' pause
  for (int looks = 0; looks < kLooks && heard() && world_.alive() && !world_.stopped(); ++looks) {
    if (world_.run(world_.life->engine->flush()).ok()) {
      (void)world_.run(sleep_for(std::chrono::seconds(1)));  // commits that were held are tried again
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool Sequence::read_excused(Needs needs) {
  return disk_failed_lately() || !heard() || (needs == Needs::kRemote && remote_failed_lately());
}

bool Sequence::excused(Needs needs) {
  return read_excused(needs) || full_ || space_came_back_lately() || rocks_may_be_failing_;
}

bool Sequence::space_came_back_lately() {
  return space_back_ && world_.clock.steady() - *space_back_ < kSpaceHeals;
}

Complaint Sequence::read_failed(std::string_view what, const Error& error, Needs needs) {
  if (error.code != Code::kDeadline && read_excused(needs)) return std::nullopt;
  return fmt::format("{} failed for no reason: {}", what, to_string(error));
}

Complaint Sequence::failed(std::string_view what, const Error& error, Needs needs) {
  if (error.code == Code::kDeadline) return fmt::format("{} never ended", what);
  if (excused(needs)) return std::nullopt;
  return fmt::format("{} failed for no reason: {}", what, to_string(error));
}

Complaint Sequence::step(const Operation& operation) {
  ++stats_.operations;
  let_rocks_recover();
  if (heard() && !world_.stopped()) {
    if (auto complaint = dispatch(operation)) return complaint;
  }
  settle();
  note_faults();
  tainted_ = tainted_ || world_.machine.has_failed();
  std::optional<Death> death;
  if (!heard()) {
    ++stats_.reached;
    death = cause_of_death();
  } else if (world_.stopped()) {
    if (!excused(Needs::kFlash)) {
      return "the cell has stopped for no reason: " + to_string(*world_.life->engine->status().stopped);
    }
    death.emplace();  // as a supervisor starts it again
  }
  Complaint complaint = death ? reboot(*death) : std::nullopt;
  if (!world_.machine.awaits_strike()) strike_death_.reset();
  return complaint;
}

Complaint Sequence::dispatch(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kGet:
      return get(operation.key);
    case Kind::kRange:
      return range(operation);
    case Kind::kList:
      return list(operation.number != 0, static_cast<std::uint32_t>(operation.size));
    case Kind::kBlocks:
      return blocks(operation.key);
    case Kind::kPut:
      return put(operation);
    case Kind::kDelete:
      return remove(operation);
    case Kind::kMetadata:
      return metadata(operation);
    case Kind::kHeaders:
      return headers(operation);
    case Kind::kStage:
      return stage(operation);
    case Kind::kCommit:
      return commit(operation);
    case Kind::kSleep:
      return upkeep(world_.run(sleep_for(std::chrono::milliseconds(operation.number))), "sleeping", Needs::kFlash);
    case Kind::kFlush:
      return upkeep(world_.run(world_.life->engine->flush()), "a flush", Needs::kFlash);
    case Kind::kGc:
      return gc();
    case Kind::kCompact:
      if (auto complaint = upkeep(world_.run(world_.life->segments->rotate()), "rotating", Needs::kFlash)) {
        return complaint;
      }
      return gc();
    case Kind::kOffload:
    case Kind::kEvict:
    case Kind::kRecall:
      return job(operation);
    case Kind::kFsck:
      return fsck();
    case Kind::kClock:
      set_clock(operation.number);
      return std::nullopt;
    case Kind::kFailRead:
    case Kind::kFailChange:
    case Kind::kFailSync:
    case Kind::kFull:
    case Kind::kSpace:
      return fail(operation);
    case Kind::kRemoteFault:
      return remote_fault(operation);
    case Kind::kHeal:
      return heal();
    case Kind::kRestart:
      return restart();
    case Kind::kCrash:
      return crash(operation);
    case Kind::kCrashAt:
      return crash_at(operation);
    case Kind::kStrike:
      return strike(operation);
  }
  return "no such operation";
}

void Sequence::set_clock(std::uint64_t number) {
  const std::int64_t right = 1'700'000'000'000'000 + world_.clock.steady().micros;
  const auto offset =
      static_cast<std::int64_t>(std::min(number, kClockRange)) - static_cast<std::int64_t>(kClockRange / 2);
  world_.clock.set_wall({right + offset * 1'000'000});
}

SitesSteps Sequence::end_strikes() {
  world_.machine.forget_strikes();
  return world_.machine.take_sites();
}

SequenceStats Sequence::stats() const {
  SequenceStats stats = stats_;
  stats.faults += remote_faults();
  return stats;
}

SequenceResult run_sequence(const SequenceOptions& options, const std::vector<Operation>& operations) {
  Sequence sequence(options);
  SequenceResult result;
  std::size_t at = 0;
  Complaint complaint = sequence.begin();
  for (; !complaint && at < operations.size(); ++at) {
    if (options.narrate) fmt::print(stderr, "{:3}  {}\n", at, to_text(operations[at]));
    complaint = sequence.step(operations[at]);
    if (complaint) break;
  }
  result.sites = sequence.end_strikes();
  if (!complaint) complaint = sequence.finish();
  if (complaint) result.violation = Violation{at, *std::move(complaint)};
  result.trace_hash = sequence.trace_hash();
  result.stats = sequence.stats();
  return result;
}

}  // namespace tombolo::testing::model
