// Sequence: the state of one run of the driver. Included by the driver's own files only.
#pragma once

#include "testing/model/driver.h"
#include "testing/model/model.h"

namespace tombolo::testing::model {

class Sequence {
 public:
  explicit Sequence(const SequenceOptions& options)
      : options_(options),
        world_({.engine = options.engine, .seed = options.seed, .forgotten_syncs = options.forgotten_syncs}) {}

  Complaint begin();
  Complaint step(const Operation& operation);
  /// Nothing happens at a chosen place any more; what has, since begin().
  SitesSteps end_strikes();
  Complaint finish();
  SequenceStats stats() const;
  std::uint64_t trace_hash() const { return world_.machine.trace_hash(); }

 private:
  using Unsynced = disk::PowerLoss::Unsynced;
  enum class Needs { kFlash, kRemote };  // the latter: perhaps
  struct Death {
    std::optional<Unsynced> unsynced;  // nullopt: the process alone
    std::vector<std::uint32_t> nested;
  };

  Complaint dispatch(const Operation& operation);

  // client_operations.cc
  Complaint get(unsigned key);
  Complaint range(const Operation& operation);
  Complaint list(bool both, std::uint32_t limit);
  Complaint blocks(unsigned key);
  Complaint put(const Operation& operation);
  Complaint remove(const Operation& operation);
  Complaint metadata(const Operation& operation);
  Complaint headers(const Operation& operation);
  Complaint stage(const Operation& operation);
  Complaint commit(const Operation& operation);
  Complaint read(unsigned key, std::optional<store::ByteRange> range);
  /// Compares the answer to a change with the model.
  template <class T>
  Complaint answered(unsigned key, const Change& change, const Result<T>& result, Needs needs);
  meta::Conditions conditions(unsigned key, Precondition& condition, std::optional<Stamp>& etag) const;

  // upkeep_operations.cc
  Complaint upkeep(Result<void> result, std::string_view what, Needs needs);
  Complaint gc_pass(bool& changed);
  Complaint gc();
  Complaint job(const Operation& operation);
  Complaint fsck();
  Complaint fail(const Operation& operation);
  Complaint remote_fault(const Operation& operation);
  Complaint heal();
  void end_faults();
  void space_is_back();
  static constexpr std::uint64_t kClockRange = 3'600;  // seconds: half of it slow, half fast
  void set_clock(std::uint64_t number);

  // crash_operations.cc
  Complaint crash(const Operation& operation);
  Complaint crash_at(const Operation& operation);
  Complaint strike(const Operation& operation);
  Complaint restart();
  Complaint reboot(const Death& death);
  Complaint fall(std::optional<Unsynced> unsynced);
  Complaint come_up();
  /// Another life: the last one's are no excuse in it.
  void forget_faults();
  /// The power does not fail while an error that was told late is being made good: docs/durability.md.
  void lose(std::optional<Unsynced> unsynced);
  void give_reserve();
  /// What an error told late has put at risk is safe once the cell has come to rest, unless it says otherwise.
  void settle();
  Complaint open();
  Death cause_of_death() const;

  // finish.cc
  Complaint look_at_everything();
  Complaint come_to_rest();
  Complaint check_space();
  Complaint move_everything();
  Complaint delete_everything();

  /// Whether a client was still there to hear the answer.
  bool heard() const { return !world_.machine.dead(); }
  /// Whether something that was done to it explains that an operation with such needs fails.
  bool excused(Needs needs);
  bool read_excused(Needs needs);  // a full disk is no excuse for it
  /// A fault of the disk is for a while only: then the cell works again, or says that it has stopped.
  bool disk_failed_lately();
  bool remote_failed_lately();
  bool space_came_back_lately();
  /// After each operation: a fault counts from when it happened, not from when a client meets it.
  void note_faults();
  std::uint64_t remote_faults() const;
  /// RocksDB recovers on threads of its own, in the time of this machine: lets it, once enough virtual time has passed.
  void let_rocks_recover();
  Complaint failed(std::string_view what, const Error& error, Needs needs);
  Complaint read_failed(std::string_view what, const Error& error, Needs needs);
  Complaint read_failed(std::string_view what, unsigned key, const Error& error);
  bool is_cold(unsigned key);
  store::ObjectRef object(unsigned key) const { return {box(), name_of_key(key)}; }
  void note(std::uint64_t fact) { world_.machine.note(fact); }

  const SequenceOptions options_;
  World world_;
  Model model_;
  SequenceStats stats_;
  Death death_;                        // what happens at the step that crash_at chose
  std::optional<Death> strike_death_;  // and at the one that strike chose
  bool armed_ = false;
  bool tainted_ = false;                 // a fault of the disk has happened in this life
  std::uint64_t failures_ = 0;           // of the machine, that are known here
  std::optional<SteadyTime> failed_at_;  // the last of this life
  bool rocks_may_be_failing_ = false;    // and excuses changes until it was let recover
  bool chaos_ = false;                   // the remote has had faults since it was healed
  std::uint64_t remote_failures_ = 0;    // as failures_
  std::optional<SteadyTime> remote_failed_at_;
  bool lied_ = false;  // it was told to say that it has not, or has removed, what it keeps
  bool full_ = false;
  bool at_rest_ = false;  // nothing is under way that an object could be busy with
  std::optional<SteadyTime> space_back_;
};

}  // namespace tombolo::testing::model
