// The contract of the metadata engine: ordered rows, snapshots, transactions with conflict detection and guards.
//
// It is the weakest thing that an embedded RocksDB, FoundationDB and a PostgreSQL-wire store all give (DESIGN decision
// 5), so that the engine can be changed without changing a caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"

namespace tombolo::kv {

// Limits that every engine enforces (kTooLarge). A key is not empty and does not begin with a zero byte, which is the
// engines' own (kInvalid).
inline constexpr std::size_t kKeyBytesMax = 2'600;
inline constexpr std::size_t kValueBytesMax = 64 * 1024;
inline constexpr std::size_t kTransactionBytesMax = 1024 * 1024;
inline constexpr std::size_t kTransactionKeysMax = 10'000;        // written; and as many again read or guarded
inline constexpr std::int64_t kTransactionMicrosMax = 4'000'000;  // kConflict past it: run it again
inline constexpr std::uint32_t kRangeRowsMax = 10'000;

/// The commit order of the cell: 1 for the first transaction, then counting up without gaps.
struct Sequence {
  std::uint64_t value = 0;
  friend auto operator<=>(const Sequence&, const Sequence&) = default;
};

struct Row {
  std::string key, value;
};

enum class Direction { kForward, kReverse };

/// Rows with begin <= key < end.
struct RangeQuery {
  std::string begin, end;
  std::uint32_t limit = 1'000;           // rows, at most kRangeRowsMax
  std::size_t byte_limit = 1024 * 1024;  // stops after the row that reaches it
  Direction direction = Direction::kForward;
};

struct RangePage {
  std::vector<Row> rows;
  bool more = false;  // rows remain in the range: ask again from after the last one
};

/// A value that memory holds anyway, shared instead of copied.
using SharedValue = std::shared_ptr<const std::string>;

/// Reads one consistent state. Destroy it soon (within kTransactionMicrosMax). Not thread-safe. May outlive nothing:
/// the Engine must outlive it.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Task<std::optional<std::string>> get(std::string key) = 0;
  /// In the order of `keys`.
  virtual Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) = 0;
  virtual Task<RangePage> range(RangeQuery query) = 0;
  /// The row where memory holds it, at once. nullptr: ask get(), also for a row that is absent. For reads that need no
  /// conflict: a Transaction has nothing at hand.
  virtual SharedValue at_hand(std::string_view /*key*/) { return nullptr; }
};

/// What a transaction does to the space of a full disk: kFreesSpace ones are still taken when others get kNoSpace.
enum class Purpose { kStores, kFreesSpace };

/// get and multi_get conflict: if another transaction changed (or created) what they read before this one commits,
/// commit gives kConflict. They see this transaction's own put and erase (not add). range() neither conflicts nor sees
/// own writes: where the emptiness or completeness of a range matters, take guard_exclusive before reading it, and
/// every writer into it takes guard_shared (on the same guard key) before its reads.
class Transaction : public Snapshot {
 public:
  /// A read that does not conflict: for values that only guide the work.
  virtual Task<std::optional<std::string>> peek(std::string key) = 0;
  /// Guards conflict: shared with a concurrent exclusive, exclusive with any. Take them before the reads they protect.
  virtual Task<void> guard_shared(std::string key) = 0;
  virtual Task<void> guard_exclusive(std::string key) = 0;

  /// kStores unless told. Deletes and the purges behind them say kFreesSpace.
  virtual void set_purpose(Purpose purpose) = 0;

  // Buffered until commit. A key or value over its limit is reported by commit (kTooLarge).
  virtual void put(std::string key, std::string value) = 0;
  virtual void erase(std::string key) = 0;
  /// Blind counter: the row holds a little-endian int64 (absent = 0). Does not conflict with other adds. A counter
  /// that reaches 0 is erased.
  virtual void add(std::string key, std::int64_t delta) = 0;

  /// Durable when it succeeds. kConflict: nothing happened, run again. kUnknownOutcome: it may be committed (only where
  /// Capabilities::commit_outcome_unknown, or when the cell stopped: then it stays unknown until restart). kNoSpace:
  /// refused before it was logged. kBusy: too many wait already. A transaction without writes always commits (it read
  /// one consistent state), without touching the log, and gives the sequence that it read. Call it once, last.
  virtual Task<Sequence> commit() = 0;
};

struct Capabilities {
  bool commit_outcome_unknown = false;  // commit may end in kUnknownOutcome in normal operation; run() copes
};

struct LogEntry {
  Sequence sequence;
  std::vector<std::pair<std::string, std::optional<std::string>>> writes;  // nullopt = erased; adds already resolved
};

/// One cell's rows. Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Capabilities capabilities() const = 0;
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
  virtual std::unique_ptr<Transaction> begin() = 0;
  /// Committed transactions after `after`, in order, at most `limit`. kNotFound when the log was trimmed past it.
  virtual Task<std::vector<LogEntry>> read_log(Sequence after, std::uint32_t limit) = 0;
  /// Everything up to here survives power loss, and the log's mark says so: what a later reuse of space waits for
  /// (core.md §2).
  virtual Sequence durable_through() const = 0;
  virtual Sequence committed() const = 0;
};

}  // namespace tombolo::kv
