// PosixFile: a File over a descriptor.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "async/workers.h"
#include "disk/disk.h"

namespace tombolo::disk {

/// Every call runs on the worker pool. Made by PosixDisk.
class PosixFile final : public File {
 public:
  /// Owns `descriptor`. `path` is for messages only.
  PosixFile(int descriptor, std::string path, Workers& workers)
      : descriptor_(descriptor), path_(std::move(path)), workers_(workers) {}
  ~PosixFile() override;
  PosixFile(const PosixFile&) = delete;

  Task<void> read(std::uint64_t offset, MutableBytes out) override;
  Task<void> write(std::uint64_t offset, BytesView bytes) override;
  Task<void> sync() override;
  Task<std::uint64_t> size() override;
  Task<void> truncate(std::uint64_t size) override;
  Task<void> reserve(std::uint64_t size) override;

 private:
  Result<void> read_now(std::uint64_t offset, MutableBytes out);
  Result<void> write_now(std::uint64_t offset, BytesView bytes);
  Result<void> sync_now();
  Result<void> truncate_now(std::uint64_t size);
  Result<void> reserve_now(std::uint64_t size);
  Result<void> refuse_if_fenced() const;

  const int descriptor_;
  const std::string path_;
  Workers& workers_;
  std::mutex sync_mutex_;
  std::atomic<bool> fenced_{false};
};

}  // namespace tombolo::disk
