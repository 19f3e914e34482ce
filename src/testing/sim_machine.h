// SimMachine: a machine that dies, or fails, at a chosen step of what is done to it. Its disk is SimDisk.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/call_site.h"
#include "base/result.h"

namespace tombolo::testing {

/// What a step does, for the trace.
enum class SimStep : std::uint8_t {
  kLook,  // opens what is there, lists, asks for a size; fails and dies at a chosen call only
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
std::string_view name_of(SimStep step);

/// Around the step that a machine dies at.
enum class Moment {
  kBefore,  // it is not done
  kAfter,   // it is done, and nobody hears of it
};

/// What a failing sync leaves (faults-and-threats.md F5).
enum class SyncFault {
  kPagesKept,      // an error; programs go on seeing what was written, and no later sync makes it durable
  kPagesReverted,  // an error; programs see again what was there before
  // It succeeds, and what it covered is durable in a journal until the journal's copy to its place fails. The next sync
  // of the file, by whoever, has the error, and then this one's sectors are lost as well as its own; pages as
  // kPagesKept. This is ext4 with data=journal (Rebello et al., "Can applications recover from fsync failures?", ATC
  // 2020), with the copy failing right before that next sync. errseq_t (Linux 4.13) keeps the error for it. Elsewhere
  // the error is told by the sync that failed.
  kToldLate,
};

/// What can happen at one step.
enum class SimFault : std::uint8_t {
  kDiesBefore,
  kDiesAfter,
  kUnavailable,
  kNoSpace,
  kPagesKept,  // these three: of syncs, as SyncFault
  kPagesReverted,
  kToldLate,
};
inline constexpr std::size_t kSimFaults = 7;
std::string_view name_of(SimFault fault);
std::optional<SimFault> parse_fault(std::string_view name);

/// What has come from one place in the code, and happened there.
struct SiteSteps {
  SimStep step = SimStep::kLook;
  std::uint64_t steps = 0;
  std::array<std::uint64_t, kSimFaults> faults{};
};
using SitesSteps = std::map<CallSite, SiteSteps>;

/// Counts steps, all kinds of a machine together. Once dead it refuses every step until revive(). Thread-safe.
class SimMachine {
 public:
  /// The `number`-th change from now on (1 is the next one).
  void die_at(std::uint64_t number, Moment moment);
  /// That change, or read, alone fails with `code`.
  void fail_change(std::uint64_t number, Code code);
  void fail_read(std::uint64_t number);
  void fail_sync(std::uint64_t number, SyncFault fault);
  /// `what` is done right before that change. It must not call the machine.
  void call_at(std::uint64_t number, std::function<void()> what);
  /// Nothing of that is scheduled any more.
  void clear();
  /// Another life; what was scheduled is not any more.
  void revive();

  /// `fault` happens at the `number`-th step from now on that comes from the place of that name (CallSite::name), in
  /// whichever life that is.
  struct Strike {
    std::string site;
    std::uint64_t number = 1;
    SimFault fault = SimFault::kDiesBefore;
  };
  void add_strike(Strike strike);
  void forget_strikes();
  /// Whether one is still to come.
  bool awaits_strike() const;
  /// By place, since the start or the last call of this.
  SitesSteps take_sites();

  bool dead() const;
  /// Whether a scheduled failure (not death) has happened since revive() or clear().
  bool has_failed() const;
  /// How many have, since the start.
  std::uint64_t failures() const;
  /// The error of a sync of this file was told late: what the file held that had been synced is perhaps in memory
  /// alone. Until rescued(), losing power may lose it, whatever a program does. Only now has that fault happened at its
  /// place.
  void tell_late(std::string_view path);
  bool at_risk() const;
  void rescued();
  std::uint64_t changes() const;
  /// Of every step since the start, with its bytes.
  std::uint64_t trace_hash() const;

  struct Step {
    SimStep kind = SimStep::kLook;
    std::string_view where;  // path or key
    CallSite site = {};
    std::uint64_t offset = 0;
    BytesView bytes = {};
  };
  /// What the caller has to do about one step.
  struct Verdict {
    std::optional<Error> error;  // the step is not done
    bool dies_after = false;     // done, and then finish() has the result
    std::optional<SyncFault> sync_fault;
  };
  Verdict begin(const Step& step);
  static Error dead_error() { return {Code::kUnavailable, "the machine is dead (simulated)"}; }

  /// Does `work` (giving a Result) if the machine lets it.
  template <class Work>
  auto run(const Step& step, Work work) -> decltype(work()) {
    const Verdict verdict = begin(step);
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
  std::optional<SimFault> fault_of(const Step& step);  // requires: mutex_ held, as the next
  Verdict happen(SimFault fault);

  mutable std::mutex mutex_;
  bool dead_ = false, at_risk_ = false;
  std::uint64_t failures_ = 0, failures_cleared_ = 0;  // the latter: as of the last clear()
  std::uint64_t changes_ = 0, hash_ = 0;
  std::vector<Strike> strikes_;
  SitesSteps sites_;
  std::map<std::string, CallSite, std::less<>> owes_error_;  // by file: the sync whose error is still to be told
  Countdown death_, change_failure_, read_failure_, sync_failure_, call_;
  std::function<void()> called_;
  SimFault death_fault_ = SimFault::kDiesBefore, change_fault_ = SimFault::kUnavailable;
  SimFault sync_fault_ = SimFault::kPagesKept;
};

}  // namespace tombolo::testing
