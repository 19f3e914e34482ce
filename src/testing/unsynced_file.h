// UnsyncedNode: a file whose unsynced bytes exist in this process only. Part of UnsyncedDisk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "async/mutex.h"
#include "disk/disk.h"

namespace tombolo::testing {

/// All handles on one file share it. Thread-safe; one call at a time gets in.
///
/// What was synced lies in the wrapped disk's file (or, before its name is synced, in memory too); what was not lies in
/// an overlay of extents, and `kept_` says how much of the synced bytes a truncation has left.
class UnsyncedNode {
 public:
  /// A file of the wrapped disk, `size` bytes long.
  UnsyncedNode(std::string path, std::unique_ptr<disk::File> file, std::uint64_t size)
      : linked_path_(std::move(path)), file_(std::move(file)), synced_size_(size), kept_(size), size_(size) {}
  /// A new file, unknown to the wrapped disk.
  UnsyncedNode() = default;

  Task<void> read(std::uint64_t offset, MutableBytes out);
  Task<void> write(std::uint64_t offset, BytesView bytes);
  Task<void> sync();
  Task<std::uint64_t> size();
  Task<void> truncate(std::uint64_t size);
  Task<void> reserve(disk::Disk& disk, std::uint64_t size);

  /// Makes the file in the wrapped disk, with what was synced of it.
  Task<void> link(disk::Disk& disk, std::string path);
  /// The name in the wrapped disk; empty when it has none. Guarded by the disk's names, not by this node.
  const std::string& linked_path() const { return linked_path_; }
  void moved_to(std::string path) { linked_path_ = std::move(path); }

 private:
  /// Takes [offset, offset + length) out of the overlay.
  void clear_overlay(std::uint64_t offset, std::uint64_t length);
  Task<void> store(std::uint64_t offset, BytesView bytes);
  Task<void> resize(std::uint64_t size);

  std::string linked_path_;
  AsyncMutex mutex_;
  std::unique_ptr<disk::File> file_;
  Bytes memory_;                            // what was synced, while there is no file_
  std::uint64_t synced_size_ = 0;           // of file_ or memory_
  std::uint64_t kept_ = 0;                  // of these, from the front, bytes that still count
  std::uint64_t size_ = 0;                  // as programs see it
  std::map<std::uint64_t, Bytes> overlay_;  // unsynced extents by offset; they do not overlap
};

}  // namespace tombolo::testing
