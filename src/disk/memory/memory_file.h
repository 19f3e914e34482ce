// MemoryFile: an open file of a MemoryDisk.
#pragma once

#include <memory>

#include "disk/disk.h"
#include "disk/memory/memory_disk.h"

namespace tombolo::disk {

/// The calls named ..._now do the same without a task: for those who may block (RocksDB's file system).
class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryDisk::State> disk, std::shared_ptr<MemoryInode> inode, Open mode);
  ~MemoryFile() override;

  Result<void> read_now(std::uint64_t offset, MutableBytes out);
  Result<void> write_now(std::uint64_t offset, BytesView bytes);
  Result<void> sync_now();
  Result<std::uint64_t> size_now();
  Result<void> truncate_now(std::uint64_t size);
  Result<void> reserve_now(std::uint64_t size);
  Result<void> extend_now(std::uint64_t size);
  /// As MemoryInode's.
  Result<void> sync_into_journal_now();
  bool in_journal_now();
  /// What a sync does that fails.
  Result<void> lose_now(LostPages pages, Random& random);

  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite) override { co_return read_now(offset, out); }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite) override { co_return write_now(offset, bytes); }
  Task<void> sync(CallSite) override { co_return sync_now(); }
  Task<std::uint64_t> size(CallSite) override { co_return size_now(); }
  Task<void> truncate(std::uint64_t size, CallSite) override { co_return truncate_now(size); }
  Task<void> reserve(std::uint64_t size, CallSite) override { co_return reserve_now(size); }
  Task<void> extend(std::uint64_t size, CallSite) override { co_return extend_now(size); }

 private:
  Result<void> usable(Open need) const;

  std::shared_ptr<MemoryDisk::State> disk_;
  std::shared_ptr<MemoryInode> inode_;
  const std::uint64_t boot_;
  const Open mode_;
};

}  // namespace tombolo::disk
