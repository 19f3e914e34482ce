// Deaths, and what comes after them.
#include <fmt/format.h>

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

Complaint Sequence::open() {
  const auto opened = world_.open();
  if (opened.ok() || world_.machine.dead()) return std::nullopt;
  if (opened.error().code == Code::kDeadline) return "it never finishes opening";
  return "it does not open: " + to_string(opened.error());
}

Complaint Sequence::reboot(const Death& death) {
  const auto stopped = world_.stop();
  if (!stopped.ok()) return "the process does not end: " + to_string(stopped.error());
  ++stats_.crashes;
  world_.lose(death.unsynced);
  world_.disk.set_limit(std::nullopt);
  full_ = tainted_ = armed_ = false;
  space_back_.reset();
  for (const std::uint32_t number : death.nested) {
    ++stats_.armed;
    world_.machine.die_at(number, number % 2 == 0 ? Moment::kBefore : Moment::kAfter);
    if (auto complaint = open()) return complaint;
    if (!world_.machine.dead()) break;  // it was up before the step came
    ++stats_.reached;
    ++stats_.crashes;
    ++stats_.nested_crashes;
    if (world_.alive()) {
      const auto again = world_.stop();
      if (!again.ok()) return "the process does not end: " + to_string(again.error());
    }
    world_.lose(death.unsynced);
  }
  world_.machine.clear();
  if (!world_.alive()) {
    if (auto complaint = open()) return complaint;
  }
  model_.restarted();
  return std::nullopt;
}

/// After a clean stop everything is durable, whatever the power does then.
Complaint Sequence::restart() {
  const auto closed = world_.close();
  if (!closed.ok() && closed.error().code == Code::kDeadline) return "closing never ended";
  const bool clean = closed.ok() && heard();
  if (!closed.ok() && heard() && !excused()) return "closing failed for no reason: " + to_string(closed.error());
  std::optional<Unsynced> unsynced;
  if (clean && !tainted_ && !world_.machine.has_failed()) unsynced = Unsynced::kLost;
  if (!heard()) {
    unsynced = death_.unsynced;
    ++stats_.reached;
    ++stats_.crashes;
  }
  world_.lose(unsynced);
  world_.disk.set_limit(std::nullopt);
  full_ = tainted_ = armed_ = false;
  space_back_.reset();
  if (auto complaint = open()) return complaint;
  model_.restarted();
  return std::nullopt;
}

}  // namespace tombolo::testing::model
