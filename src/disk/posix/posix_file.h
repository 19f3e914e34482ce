// PosixFile: a File over a descriptor.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "async/workers.h"
#include "disk/disk.h"

namespace tombolo::disk {

/// Every call runs on the worker pool, except short reads of what the page cache holds. Made by PosixDisk. Direct
/// writes go through a second descriptor, opened for the first of them; where the file system has no direct I/O
/// (tmpfs), or not with pages of 4 KiB, they become ordinary ones.
class PosixFile final : public File {
 public:
  /// Owns `descriptor`. `path` is for messages only.
  PosixFile(int descriptor, std::string path, Workers& workers)
      : descriptor_(descriptor), path_(std::move(path)), workers_(workers) {}
  ~PosixFile() override;
  PosixFile(const PosixFile&) = delete;

  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override;
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override;
  Task<void> write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite site) override;
  Task<void> sync(CallSite site) override;
  Task<std::uint64_t> size(CallSite site) override;
  Task<void> truncate(std::uint64_t size, CallSite site) override;
  Task<void> reserve(std::uint64_t size, CallSite site) override;
  Task<void> extend(std::uint64_t size, CallSite site) override;

 private:
  /// How many bytes of a short read the page cache gave at once.
  std::size_t read_cached(std::uint64_t offset, MutableBytes out);
  Result<void> read_now(std::uint64_t offset, MutableBytes out);
  Result<void> write_now(std::uint64_t offset, BytesView bytes);
  Result<void> write_direct_now(std::uint64_t offset, std::span<const BytesView> pieces);
  /// The descriptor for direct writes; -1: there is none.
  int direct_descriptor();
  Result<void> sync_now();
  Result<void> truncate_now(std::uint64_t size);
  Result<void> reserve_now(std::uint64_t size);
  Result<void> extend_now(std::uint64_t size);
  Result<void> refuse_if_fenced() const;

  const int descriptor_;
  const std::string path_;
  Workers& workers_;
  std::mutex sync_mutex_;
  std::atomic<bool> fenced_{false};
  std::atomic<bool> reads_cached_{true};  // false: the file system cannot tell whether it would have to wait
  std::once_flag direct_opened_;
  std::atomic<int> direct_{-1};  // -1 again when it turns out to be of no use; closed with the file
  int direct_owned_ = -1;
};

}  // namespace tombolo::disk
