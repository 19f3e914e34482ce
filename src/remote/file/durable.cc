#include "remote/file/durable.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "remote/file/posix.h"

namespace tombolo::remote::file {
namespace {

constexpr std::size_t kRememberedMax = 16'384;  // about 100 bytes each; what is forgotten is synced once more

// Inodes, not paths: a directory that somebody moved or made anew is another entry. No ETag has a "/".
std::optional<std::string> entry_of(int parent, int child) {
  struct stat above, below;
  if (::fstat(parent, &above) != 0 || ::fstat(child, &below) != 0) return std::nullopt;
  return fmt::format("{:x}/{:x}", above.st_ino, below.st_ino);
}

}  // namespace

Result<void> Durable::sync_draft(int file, std::string_view what) {
  if (sync_(file) != 0) return errno_error(errno, "cannot sync", what);
  return {};
}

Result<void> Durable::sync_written(int directory, std::string_view what) {
  auto synced = sync_draft(directory, what);
  if (!synced.ok()) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
  }
  return synced;
}

Result<void> Durable::sync_found(int fd, std::string_view what) {
  TRY(sync_written(fd, what));
  // Behind the sync: the one that failed, and was told so, may be another thread's.
  const std::lock_guard lock(mutex_);
  return check_trust();
}

Result<void> Durable::sync_entry(int parent, int child, std::string_view what) {
  const auto entry = entry_of(parent, child);
  if (entry && remembers(*entry)) return {};
  TRY(sync_found(parent, what));
  if (entry) remember(*entry);
  return {};
}

void Durable::remember_entry(int parent, int child) {
  if (auto entry = entry_of(parent, child)) remember(*std::move(entry));
}

void Durable::remember(std::string object) {
  const std::lock_guard lock(mutex_);
  if (remembered_.size() == kRememberedMax) remembered_.clear();
  remembered_.insert(std::move(object));
}

bool Durable::remembers(const std::string& object) const {
  const std::lock_guard lock(mutex_);
  return remembered_.contains(object);
}

Result<void> Durable::check_trust() const {
  if (!failed_) return {};
  return Error{Code::kUnavailable,
               "a sync of the remote's directory has failed, and what was written there before may be lost although it "
               "can still be read: see that its disk is sound, then restart tombolo"};
}

}  // namespace tombolo::remote::file
