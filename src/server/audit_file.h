// AuditFile: the audit log on disk, an append-only file of JSON lines.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::server {

/// Thread-safe; every call may block on the disk. The file has mode 0600. It is opened anew when its path leads to
/// another file (logrotate has renamed it), so a rotation loses nothing.
class AuditFile {
 public:
  explicit AuditFile(std::string path);
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;

  /// Creates the file where it is missing. The error names it.
  Result<void> open();
  /// Appends `line`, which ends in its newline, whole, and syncs it.
  Result<void> write(std::string_view line);
  const std::string& path() const { return path_; }

 private:
  Result<void> open_locked();
  bool moved() const;  // requires: mutex_ held

  const std::string path_;
  std::mutex mutex_;
  int file_ = -1;
};

}  // namespace tombolo::server
