// Deaths, and what comes after them.
#include <algorithm>

#include "base/units.h"
#include "testing/model/sequence.h"

namespace tombolo::testing::model {

namespace {

std::optional<disk::PowerLoss::Unsynced> parse_unsynced(std::string_view text) {
  if (text.starts_with("lost")) return disk::PowerLoss::Unsynced::kLost;
  if (text.starts_with("kept")) return disk::PowerLoss::Unsynced::kKept;
  if (text.starts_with("torn")) return disk::PowerLoss::Unsynced::kTorn;
  return std::nullopt;
}

}  // namespace

Complaint Sequence::crash(const Operation& operation) {
  world_.machine.die();
  return reboot({parse_unsynced(operation.text), operation.nested});
}

Complaint Sequence::crash_at(const Operation& operation) {
  const Moment moment = operation.text.ends_with(":after") ? Moment::kAfter : Moment::kBefore;
  world_.machine.die_at(std::max<std::uint64_t>(operation.number, 1), moment);
  death_ = {parse_unsynced(operation.text), operation.nested};
  ++stats_.armed;
  armed_ = true;
  return std::nullopt;
}

void Sequence::lose(std::optional<Unsynced> unsynced) {
  world_.lose(world_.machine.at_risk() ? std::nullopt : unsynced);
}

void Sequence::settle() {
  world_.time.settle();
  if (!heard() || !world_.alive() || world_.stopped()) return;
  const Life& life = *world_.life;
  if (life.segments->suspects() == 0 && !life.engine->status().flush_owed) world_.machine.rescued();
}

/// A disk that is full stays so, but for the reserve that the server gives back before it opens (disk/space_reserve.h).
void Sequence::give_reserve() {
  constexpr std::uint64_t kReserveBytes = 512 * kKiB;
  if (full_) {
    world_.disk.set_limit(world_.disk.used_bytes() + kReserveBytes);
  } else {
    space_back_.reset();
  }
}

Complaint Sequence::strike(const Operation& operation) {
  const std::string_view text = operation.text;
  const std::size_t at = std::min(text.find('@'), text.size());
  const std::string_view what = text.substr(0, at);
  const std::size_t colon = std::min(what.find(':'), what.size());
  const auto fault = parse_fault(what.substr(0, colon));
  if (!fault || at == text.size()) return "there is no such fault of a place";
  world_.machine.add_strike({.site = std::string(text.substr(at + 1)),
                             .number = std::max<std::uint64_t>(operation.number, 1),
                             .fault = *fault});
  strike_death_ = {parse_unsynced(what.substr(std::min(colon + 1, what.size()))), {}};
  stats_.armed += *fault == SimFault::kDiesBefore || *fault == SimFault::kDiesAfter;
  return std::nullopt;
}

Sequence::Death Sequence::cause_of_death() const {
  const bool struck = strike_death_ && !world_.machine.awaits_strike();
  return struck ? *strike_death_ : death_;
}

/// A life begins, unless the machine dies of it. One that fails as it was told to is over too.
Complaint Sequence::open() {
  const auto opened = world_.open();
  if (opened.ok()) settle();
  if (opened.ok() || !heard()) return std::nullopt;
  if (opened.error().code == Code::kDeadline) return "it never finishes opening";
  if (!world_.machine.has_failed()) return "it does not open: " + to_string(opened.error());
  return fall(cause_of_death().unsynced);
}

/// The process is gone, and with it what was in memory and unsynced.
Complaint Sequence::fall(std::optional<Unsynced> unsynced) {
  if (world_.alive()) {
    const auto stopped = world_.stop();
    if (!stopped.ok()) return "the process does not end: " + to_string(stopped.error());
  }
  ++stats_.crashes;
  lose(unsynced);
  return std::nullopt;
}

/// Opens until a life has begun: the first try may be struck.
Complaint Sequence::come_up() {
  for (int tries = 0; tries < 3; ++tries) {
    if (!world_.alive()) {
      if (auto complaint = open()) return complaint;
    }
    if (world_.alive() && heard()) return std::nullopt;
    if (heard()) continue;
    ++stats_.reached;
    ++stats_.nested_crashes;
    if (auto complaint = fall(cause_of_death().unsynced)) return complaint;
  }
  return "it does not open again";
}

void Sequence::forget_faults() {
  tainted_ = armed_ = rocks_may_be_failing_ = false;
  failures_ = world_.machine.failures();
  failed_at_.reset();
}

Complaint Sequence::reboot(const Death& death) {
  if (auto complaint = fall(death.unsynced)) return complaint;
  give_reserve();
  forget_faults();
  std::size_t depth = 0;
  for (const std::uint32_t number : death.nested) {
    ++stats_.armed;
    world_.machine.die_at(number, number % 2 == 0 ? Moment::kBefore : Moment::kAfter);
    if (auto complaint = open()) return complaint;
    if (heard()) break;  // it was up before the step came
    ++stats_.reached;
    ++stats_.nested_crashes;
    stats_.three_deep += ++depth == 3;
    if (auto complaint = fall(death.unsynced)) return complaint;
  }
  tainted_ = world_.machine.has_failed();
  world_.machine.clear();
  if (auto complaint = come_up()) return complaint;
  model_.restarted();
  return std::nullopt;
}

/// After a clean stop everything is durable, whatever the power does then.
Complaint Sequence::restart() {
  const auto closed = world_.close();
  if (!closed.ok() && closed.error().code == Code::kDeadline) return "closing never ended";
  const bool clean = closed.ok() && heard();
  if (!closed.ok() && heard() && !excused(Needs::kFlash))
    return "closing failed for no reason: " + to_string(closed.error());
  std::optional<Unsynced> unsynced;
  if (clean && !tainted_ && !world_.machine.has_failed()) unsynced = Unsynced::kLost;
  if (!heard()) {
    unsynced = cause_of_death().unsynced;
    ++stats_.reached;
    ++stats_.crashes;
  }
  lose(unsynced);
  give_reserve();
  forget_faults();
  if (auto complaint = come_up()) return complaint;
  model_.restarted();
  return std::nullopt;
}

}  // namespace tombolo::testing::model
