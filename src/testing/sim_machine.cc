#include "testing/sim_machine.h"

#include "base/crc64.h"

namespace tombolo::testing {

void SimMachine::die_at(std::uint64_t number, Moment moment) {
  const std::lock_guard lock(mutex_);
  death_.left = number;
  moment_ = moment;
}

void SimMachine::fail_change(std::uint64_t number, Code code) {
  const std::lock_guard lock(mutex_);
  change_failure_.left = number;
  change_code_ = code;
}

void SimMachine::fail_read(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  read_failure_.left = number;
}

void SimMachine::fail_sync(std::uint64_t number, SyncFault fault) {
  const std::lock_guard lock(mutex_);
  sync_failure_.left = number;
  sync_fault_ = fault;
}

void SimMachine::clear() {
  const std::lock_guard lock(mutex_);
  death_ = change_failure_ = read_failure_ = sync_failure_ = {};
  has_failed_ = false;
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
  return has_failed_;
}

std::uint64_t SimMachine::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

std::uint64_t SimMachine::trace_hash() const {
  const std::lock_guard lock(mutex_);
  return hash_;
}

SimMachine::Verdict SimMachine::begin(SimStep step, std::string_view where, std::uint64_t offset, BytesView bytes) {
  const std::lock_guard lock(mutex_);
  if (dead_) return {.error = dead_error()};
  const std::uint64_t numbers[] = {static_cast<std::uint64_t>(step), offset};
  hash_ = crc64(std::as_bytes(std::span(numbers)), hash_);
  hash_ = crc64(bytes, crc64(as_bytes(where), hash_));
  if (step == SimStep::kRead) {
    if (!read_failure_.strikes()) return {};
    has_failed_ = true;
    return {.error = Error{Code::kUnavailable, "the device cannot read this (simulated)"}};
  }
  ++changes_;
  Verdict verdict;
  if (death_.strikes()) {
    if (moment_ == Moment::kBefore) {
      dead_ = true;
      return {.error = dead_error()};
    }
    verdict.dies_after = true;
  }
  if (change_failure_.strikes()) {
    has_failed_ = true;
    verdict.error = Error{change_code_, "the device refuses this (simulated)"};
    if (step == SimStep::kSync) verdict.sync_fault = SyncFault::kPagesKept;
  }
  if (step == SimStep::kSync && sync_failure_.strikes()) {
    has_failed_ = true;
    verdict.sync_fault = sync_fault_;
  }
  if (verdict.sync_fault) verdict.error.reset();
  return verdict;
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
