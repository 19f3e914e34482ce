#include "testing/sim_machine.h"

#include <algorithm>
#include <utility>

#include "base/crc64.h"

namespace tombolo::testing {

namespace {

constexpr std::string_view kFaultNames[kSimFaults] = {"before", "after",    "unavailable", "no_space",
                                                      "kept",   "reverted", "late"};

}  // namespace

std::string_view name_of(SimFault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::optional<SimFault> parse_fault(std::string_view name) {
  const auto* found = std::find(std::begin(kFaultNames), std::end(kFaultNames), name);
  if (found == std::end(kFaultNames)) return std::nullopt;
  return static_cast<SimFault>(found - std::begin(kFaultNames));
}

std::string_view name_of(SimStep step) {
  constexpr std::string_view names[] = {"look",           "read",        "write",  "sync",   "truncate",
                                        "reserve",        "create",      "remove", "rename", "make directory",
                                        "sync directory", "flush index", "remote"};
  return names[static_cast<std::size_t>(step)];
}

void SimMachine::die_at(std::uint64_t number, Moment moment) {
  const std::lock_guard lock(mutex_);
  death_.left = number;
  death_fault_ = moment == Moment::kBefore ? SimFault::kDiesBefore : SimFault::kDiesAfter;
}

void SimMachine::fail_change(std::uint64_t number, Code code) {
  const std::lock_guard lock(mutex_);
  change_failure_.left = number;
  change_fault_ = code == Code::kNoSpace ? SimFault::kNoSpace : SimFault::kUnavailable;
}

void SimMachine::fail_read(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  read_failure_.left = number;
}

void SimMachine::fail_sync(std::uint64_t number, SyncFault fault) {
  const std::lock_guard lock(mutex_);
  sync_failure_.left = number;
  sync_fault_ = fault == SyncFault::kPagesKept       ? SimFault::kPagesKept
                : fault == SyncFault::kPagesReverted ? SimFault::kPagesReverted
                                                     : SimFault::kToldLate;
}

void SimMachine::call_at(std::uint64_t number, std::function<void()> what) {
  const std::lock_guard lock(mutex_);
  call_.left = number;
  called_ = std::move(what);
}

void SimMachine::clear() {
  const std::lock_guard lock(mutex_);
  death_ = change_failure_ = read_failure_ = sync_failure_ = call_ = {};
  failures_cleared_ = failures_;
}

void SimMachine::revive() {
  clear();
  const std::lock_guard lock(mutex_);
  dead_ = false;
}

bool SimMachine::dead() const {
  const std::lock_guard lock(mutex_);
  return dead_;
}

bool SimMachine::has_failed() const {
  const std::lock_guard lock(mutex_);
  return failures_ != failures_cleared_;
}

std::uint64_t SimMachine::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void SimMachine::tell_late(std::string_view path) {
  const std::lock_guard lock(mutex_);
  if (const auto owing = owes_error_.find(path); owing != owes_error_.end()) {
    ++sites_[owing->second].faults[static_cast<std::size_t>(SimFault::kToldLate)];
    owes_error_.erase(owing);
  }
  ++failures_;
  at_risk_ = true;
}

bool SimMachine::at_risk() const {
  const std::lock_guard lock(mutex_);
  return at_risk_;
}

void SimMachine::rescued() {
  const std::lock_guard lock(mutex_);
  at_risk_ = false;
}

std::uint64_t SimMachine::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

std::uint64_t SimMachine::trace_hash() const {
  const std::lock_guard lock(mutex_);
  return hash_;
}

void SimMachine::add_strike(Strike strike) {
  const std::lock_guard lock(mutex_);
  strikes_.push_back(std::move(strike));
}

void SimMachine::forget_strikes() {
  const std::lock_guard lock(mutex_);
  strikes_.clear();
}

bool SimMachine::awaits_strike() const {
  const std::lock_guard lock(mutex_);
  return !strikes_.empty();
}

SitesSteps SimMachine::take_sites() {
  const std::lock_guard lock(mutex_);
  return std::exchange(sites_, {});
}

SimMachine::Verdict SimMachine::begin(const Step& step) {
  const std::lock_guard lock(mutex_);
  if (dead_) return {.error = dead_error()};
  const std::uint64_t numbers[] = {static_cast<std::uint64_t>(step.kind), step.offset};
  hash_ = crc64(std::as_bytes(std::span(numbers)), hash_);
  hash_ = crc64(step.bytes, crc64(as_bytes(step.where), hash_));
  const auto fault = fault_of(step);
  if (!step.site.nowhere()) {
    SiteSteps& site = sites_[step.site];
    site.step = step.kind;
    ++site.steps;
    if (fault == SimFault::kToldLate) {
      owes_error_.insert_or_assign(std::string(step.where), step.site);
    } else if (fault) {
      ++site.faults[static_cast<std::size_t>(*fault)];
    }
  }
  return fault ? happen(*fault) : Verdict{};
}

std::optional<SimFault> SimMachine::fault_of(const Step& step) {
  std::optional<SimFault> fault;
  if (step.kind == SimStep::kRead) {
    if (read_failure_.strikes()) fault = SimFault::kUnavailable;
  } else if (step.kind != SimStep::kLook) {
    ++changes_;
    if (call_.strikes()) called_();
    const bool is_sync = step.kind == SimStep::kSync;
    if (change_failure_.strikes()) fault = is_sync ? SimFault::kPagesKept : change_fault_;
    if (is_sync && sync_failure_.strikes()) fault = sync_fault_;
    if (death_.strikes()) fault = death_fault_;
  }
  for (std::size_t n = 0; n < strikes_.size(); ++n) {
    Strike& strike = strikes_[n];
    if (step.site.name() != strike.site || --strike.number > 0) continue;
    fault = strike.fault;
    strikes_.erase(strikes_.begin() + static_cast<std::ptrdiff_t>(n));
    break;
  }
  return fault;
}

SimMachine::Verdict SimMachine::happen(SimFault fault) {
  if (fault != SimFault::kDiesBefore && fault != SimFault::kDiesAfter) ++failures_;
  switch (fault) {
    case SimFault::kDiesBefore:
      dead_ = true;
      return {.error = dead_error()};
    case SimFault::kDiesAfter:
      return {.dies_after = true};
    case SimFault::kUnavailable:
      return {.error = Error{Code::kUnavailable, "the device refuses this (simulated)"}};
    case SimFault::kNoSpace:
      return {.error = Error{Code::kNoSpace, "the device is full (simulated)"}};
    case SimFault::kPagesKept:
      return {.sync_fault = SyncFault::kPagesKept};
    case SimFault::kPagesReverted:
      return {.sync_fault = SyncFault::kPagesReverted};
    case SimFault::kToldLate:
      return {.sync_fault = SyncFault::kToldLate};
  }
  return {};
}

Error SimMachine::die() {
  const std::lock_guard lock(mutex_);
  dead_ = true;
  return dead_error();
}

void SimMachine::note(std::uint64_t fact) {
  const std::lock_guard lock(mutex_);
  hash_ = crc64(std::as_bytes(std::span(&fact, 1)), hash_);
}

}  // namespace tombolo::testing
