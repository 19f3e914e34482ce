// PosixDisk: a directory of the machine's file system as a Disk.
#pragma once

#include <memory>
#include <string>

#include "async/workers.h"
#include "disk/disk.h"

namespace tombolo::disk {

/// Blocking calls run on `workers`, which must outlive the disk and its files. Descriptors are close-on-exec. The root
/// is opened once and names are resolved from it, so moving the root does no harm; its content is tombolo's own and a
/// symbolic link in the last part of a path is refused (kInvalid).
class PosixDisk final : public Disk {
 public:
  /// Makes `root` (with parents) when it is missing. Blocks; call it at start.
  static Result<std::unique_ptr<PosixDisk>> open_root(std::string root, Workers& workers);
  ~PosixDisk() override;
  PosixDisk(const PosixDisk&) = delete;

  /// Keeps other processes (and other PosixDisks) out until this one is destroyed; kBusy when one is already in. Only
  /// those that call it are kept out.
  Result<void> lock();

  Task<std::unique_ptr<File>> open(std::string path, Open mode, CallSite site = {}) override;
  Task<void> remove(std::string path, CallSite site = {}) override;
  Task<void> rename(std::string from, std::string to, CallSite site = {}) override;
  Task<void> make_directory(std::string path, CallSite site = {}) override;
  Task<std::vector<Entry>> list(std::string path, CallSite site = {}) override;
  Task<void> sync_directory(std::string path, CallSite site = {}) override;
  Task<Space> space(CallSite site = {}) override;

 private:
  PosixDisk(int descriptor, std::string root, Workers& workers)
      : descriptor_(descriptor), root_(std::move(root)), workers_(workers) {}
  Result<std::unique_ptr<File>> open_now(const std::string& path, Open mode);
  Result<void> remove_now(const std::string& path);
  Result<void> make_directory_now(const std::string& path);
  Result<std::vector<Entry>> list_now(const std::string& path);
  Result<void> sync_directory_now(const std::string& path);

  const int descriptor_;
  const std::string root_;
  Workers& workers_;
};

}  // namespace tombolo::disk
