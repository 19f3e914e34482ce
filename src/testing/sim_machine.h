// SimMachine: a machine that dies, or fails, at a chosen step of what is done to it. Its disk is SimDisk.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tombolo::testing {

/// What a step does, for the trace.
enum class SimStep : std::uint8_t {
  kRead,
  // Changes: these count for die_at and fail_change.
  kWrite,
  kSync,
  kTruncate,
  kReserve,
  kCreate,
  kRemove,
  kRename,
  kMakeDirectory,
  kSyncDirectory,
  kFlushIndex,
  kRemote,
};

/// Around the step that a machine dies at.
enum class Moment {
  kBefore,  // it is not done
  kAfter,   // it is done, and nobody hears of it
};

/// What a failing sync leaves (faults-and-threats.md F5).
enum class SyncFault {
  kPagesKept,      // an error; programs go on seeing what was written, and no later sync makes it durable
  kPagesReverted,  // an error; programs see again what was there before
  kToldLate,       // as kPagesKept, and this sync succeeds: the next call on the file that changes it has the error
};

/// Counts steps, all kinds of a machine together. Once dead it refuses every step until revive(). Thread-safe.
class SimMachine {
 public:
  /// The `number`-th change from now on (1 is the next one).
  void die_at(std::uint64_t number, Moment moment);
  /// That change, or read, alone fails with `code`.
  void fail_change(std::uint64_t number, Code code);
  void fail_read(std::uint64_t number);
  void fail_sync(std::uint64_t number, SyncFault fault);
  /// Nothing is scheduled any more.
  void clear();
  /// Another life; what was scheduled is not any more.
  void revive();

  bool dead() const;
  /// Whether a scheduled failure (not death) has happened since revive() or clear().
  bool has_failed() const;
  std::uint64_t changes() const;
  /// Of every step since the start, with its bytes.
  std::uint64_t trace_hash() const;

  /// What the caller has to do about one step.
  struct Verdict {
    std::optional<Error> error;  // the step is not done
    bool dies_after = false;     // done, and then finish() has the result
    std::optional<SyncFault> sync_fault;
  };
  Verdict begin(SimStep step, std::string_view where, std::uint64_t offset = 0, BytesView bytes = {});
  static Error dead_error() { return {Code::kUnavailable, "the machine is dead (simulated)"}; }

  /// Does `work` (giving a Result) if the machine lets it.
  template <class Work>
  auto change(SimStep step, std::string_view where, Work work) -> decltype(work()) {
    const Verdict verdict = begin(step, where);
    if (verdict.error) return *verdict.error;
    auto result = work();
    if (verdict.dies_after) return die();
    return result;
  }
  /// It is dead from now on.
  Error die();
  void note(std::uint64_t fact);  // into the trace

 private:
  struct Countdown {
    std::uint64_t left = 0;  // 0: not scheduled
    bool strikes() { return left > 0 && --left == 0; }
  };

  mutable std::mutex mutex_;
  bool dead_ = false, has_failed_ = false;
  std::uint64_t changes_ = 0, hash_ = 0;
  Countdown death_, change_failure_, read_failure_, sync_failure_;
  Moment moment_ = Moment::kBefore;
  Code change_code_ = Code::kUnavailable;
  SyncFault sync_fault_ = SyncFault::kPagesKept;
};

}  // namespace tombolo::testing
