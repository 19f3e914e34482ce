#include "server/audit_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tombolo::server {
namespace {

Error failed(std::string_view what, const std::string& path) {
  return Error{Code::kUnavailable,
               fmt::format("cannot {} the audit log {}: {}; free space there, or mend the directory "
                           "and its rights, or name another file with audit.file",
                           what, path, std::strerror(errno))};
}

bool ends_within_a_line(int file) {
  struct stat info{};
  char last = '\n';
  if (::fstat(file, &info) != 0 || info.st_size == 0) return false;
  return ::pread(file, &last, 1, info.st_size - 1) == 1 && last != '\n';
}

}  // namespace

AuditFile::AuditFile(std::string path) : path_(std::move(path)) {}

AuditFile::~AuditFile() {
  if (file_ >= 0) ::close(file_);
}

Result<void> AuditFile::open() {
  const std::lock_guard lock(mutex_);
  return open_locked();
}

Result<void> AuditFile::open_locked() {
  const int opened = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (opened < 0) return failed("open", path_);
  if (file_ >= 0) ::close(file_);
  file_ = opened;
  torn_ = ends_within_a_line(file_);
  if (::fchmod(file_, 0600) != 0) return failed("protect", path_);
  return {};
}

bool AuditFile::moved() const {
  struct stat ours{}, named{};
  if (file_ < 0 || ::fstat(file_, &ours) != 0 || ::stat(path_.c_str(), &named) != 0) return true;
  return ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

Result<void> AuditFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path_);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void AuditFile::take_back(off_t size_before) {
  if (::ftruncate(file_, size_before) != 0) torn_ = ends_within_a_line(file_);
}

Result<void> AuditFile::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (moved()) {
    TRY(open_locked());
  }
  struct stat before{};
  if (::fstat(file_, &before) != 0) return failed("look at", path_);
  Result<void> appended = torn_ ? append("\n") : Result<void>{};
  if (appended.ok()) appended = append(lines);
  if (!appended.ok()) {
    take_back(before.st_size);
    return appended;
  }
  torn_ = false;
  // tidy: allow raw-sync: no object's bytes; a file of its own, that may lie outside the data directory
  if (::fdatasync(file_) != 0) return failed("sync", path_);
  return {};
}

}  // namespace tombolo::server
