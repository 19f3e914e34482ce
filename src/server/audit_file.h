// AuditFile: the audit log on disk, an append-only file of JSON lines.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::server {

/// Thread-safe; every call may block on the disk. The file has mode 0600. It is opened anew when its path leads to
/// another file (logrotate has renamed it), so a rotation loses nothing, and while it could not be opened.
class AuditFile {
 public:
  explicit AuditFile(std::string path);
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;

  /// Creates the file where it is missing. The error names it.
  Result<void> open();
  /// Appends `lines`, of which each ends in its newline, and syncs them once. A write that fails leaves nothing of
  /// them, and no half line swallows the next: what a full disk or a crash has torn is ended first.
  Result<void> write(std::string_view lines);
  const std::string& path() const { return path_; }

 private:
  Result<void> open_locked();
  bool moved() const;  // requires: mutex_ held
  Result<void> append(std::string_view text);
  /// After a write that failed: takes back what it wrote.
  void take_back(off_t size_before);

  const std::string path_;
  std::mutex mutex_;
  int file_ = -1;
  bool torn_ = false;  // the file ends within a line
};

}  // namespace tombolo::server
