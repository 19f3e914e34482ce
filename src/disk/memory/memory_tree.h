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
#include "base/result.h"

namespace tombolo::disk {

/// Bytes in use on one disk and how many there may be. Shared by all its files.
struct MemoryUsage {
  std::uint64_t used = 0;
  std::optional<std::uint64_t> limit;
  std::uint64_t free() const;
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
  /// Forgets what was not synced.
  void crash();
  std::uint64_t size() const { return current_.size(); }
  const std::vector<MemoryChange>& unsynced() const { return unsynced_; }

 private:
  /// Grows what the file holds on the disk to `size`; false when that does not fit.
  bool hold(std::uint64_t size);

  std::shared_ptr<MemoryUsage> usage_;
  Bytes current_;
  Bytes durable_;
  std::vector<MemoryChange> unsynced_;
  std::uint64_t held_ = 0;  // max(size, reserved)
};

struct MemoryDirectory;
using MemoryNode = std::variant<std::shared_ptr<MemoryInode>, std::shared_ptr<MemoryDirectory>>;

struct MemoryDirectory {
  std::map<std::string, MemoryNode> current;
  std::map<std::string, MemoryNode> durable;

  /// Back to the durable names and bytes, all the way down.
  void crash();
};

}  // namespace tombolo::disk
