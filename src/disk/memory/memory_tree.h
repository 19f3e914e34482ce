// The tree of a MemoryDisk: what programs see, and what power loss leaves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace tombolo::disk {

/// Bytes in use on one disk and how many there may be. Shared by all its files.
struct MemoryUsage {
  std::uint64_t used = 0;
  std::optional<std::uint64_t> limit;
  std::uint64_t free() const;
};

/// What power loss leaves of what no sync has covered.
struct PowerLoss {
  enum class Unsynced {
    kLost,  // nothing
    kKept,  // everything, as if the machine had just written it out by itself
    kTorn,  // of each name, and of each sector of each write, nobody knows: there, not there, or garbage
  };
  Unsynced unsynced = Unsynced::kLost;
  Random* random = nullptr;  // decides for kTorn
  /// Under these directories of the root a sector is there or not, never garbage: for RocksDB, which appends to sectors
  /// that hold synced bytes.
  std::vector<std::string> spared = {};
};

/// Where pages stand after a sync that failed: the bytes are not durable, and what programs see of them is this.
enum class LostPages {
  kKept,      // as written, and no later sync will write them: they count as clean (ext4)
  kReverted,  // as before they were written (Btrfs)
};

/// A change of a file that no sync has covered yet, in the order of the calls.
struct MemoryChange {
  std::uint64_t offset = 0;
  Bytes bytes;
  std::optional<std::uint64_t> truncate_to;  // a truncation instead of a write
};

/// One file's bytes. Not thread-safe (MemoryDisk's mutex guards it).
class MemoryInode {
 public:
  explicit MemoryInode(std::shared_ptr<MemoryUsage> usage) : usage_(std::move(usage)) {}
  ~MemoryInode();
  MemoryInode(const MemoryInode&) = delete;

  Result<void> read(std::uint64_t offset, MutableBytes out) const;
  Result<void> write(std::uint64_t offset, BytesView bytes);
  Result<void> truncate(std::uint64_t size);
  Result<void> reserve(std::uint64_t size);
  Result<void> extend(std::uint64_t size);
  void sync();
  /// A sync into a journal: durable, until whatever copies it from there to its place fails (lose()).
  void sync_into_journal();
  bool in_journal() const { return is_journaled_; }
  /// A sync that fails: each sector of what it was to write may have been written or not, and of what is in the
  /// journal.
  void lose(LostPages pages, Random& random);
  enum class Garbage { kNo, kYes };
  void crash(const PowerLoss& loss, Garbage garbage);
  std::uint64_t size() const { return current_.size(); }

 private:
  void replay_journal();
  /// Plays onto durable_ what a coin leaves of the unsynced changes.
  void write_out(Random& random, Garbage garbage);
  void tear(const MemoryChange& change, Random& random, Garbage garbage);
  void settle_on(const Bytes& bytes);
  /// Grows what the file holds on the disk to `size`; false when that does not fit.
  bool hold(std::uint64_t size);

  std::shared_ptr<MemoryUsage> usage_;
  Bytes current_;
  Bytes durable_;
  std::vector<MemoryChange> unsynced_;
  std::vector<MemoryChange> journaled_;  // before unsynced_
  bool is_journaled_ = false;            // even if there was nothing to write
  std::uint64_t held_ = 0;               // max(size, reserved)
};

struct MemoryDirectory;
using MemoryNode = std::variant<std::shared_ptr<MemoryInode>, std::shared_ptr<MemoryDirectory>>;

struct MemoryDirectory {
  std::map<std::string, MemoryNode> current;
  std::map<std::string, MemoryNode> durable;

  /// To what `loss` leaves of names and bytes, all the way down. `path` is this directory's.
  void crash(const PowerLoss& loss, const std::string& path);
};

}  // namespace tombolo::disk
