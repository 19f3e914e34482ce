#include "disk/posix/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "disk/path.h"
#include "disk/posix/posix_error.h"
#include "disk/posix/posix_file.h"

namespace tombolo::disk {

namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

int open_flags(Open mode) {
  switch (mode) {
    case Open::kRead:
      return O_RDONLY;
    case Open::kReadWrite:
      return O_RDWR;
    case Open::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

int open_again(int directory, const char* path, int flags) {
  int descriptor = ::openat(directory, path, flags | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  while (descriptor < 0 && errno == EINTR) {
    descriptor = ::openat(directory, path, flags | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  }
  return descriptor;
}

const char* or_dot(const std::string& path) {
  return path.empty() ? "." : path.c_str();
}

}  // namespace

Result<std::unique_ptr<PosixDisk>> PosixDisk::open_root(std::string root, Workers& workers) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return posix_error(error.value(), "make the directory", root);
  const int descriptor = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return posix_error(errno, "open the directory", root);
  return std::unique_ptr<PosixDisk>(new PosixDisk(descriptor, std::move(root), workers));
}

PosixDisk::~PosixDisk() {
  ::close(descriptor_);
}

Result<void> PosixDisk::lock() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return posix_error(errno, "lock the directory", root_);
  return Error{Code::kBusy, "another tombolo uses the directory '" + root_ + "'; stop it, or choose another directory"};
}

Task<std::unique_ptr<File>> PosixDisk::open(std::string path, Open mode, CallSite) {
  auto work = [this, &path, mode] { return open_now(path, mode); };
  co_return co_await offload(workers_, std::move(work));
}

Result<std::unique_ptr<File>> PosixDisk::open_now(const std::string& path, Open mode) {
  TRY(check_path(path));
  const int descriptor = open_again(descriptor_, path.c_str(), open_flags(mode));
  if (descriptor < 0) return posix_error(errno, "open", path);
  auto file = std::make_unique<PosixFile>(descriptor, path, workers_);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return posix_error(errno, "stat", path);
  if (!S_ISREG(status.st_mode)) return Error{Code::kInvalid, "'" + path + "' is not a regular file"};
  return std::unique_ptr<File>(std::move(file));
}

Task<void> PosixDisk::remove(std::string path, CallSite) {
  auto work = [this, &path] { return remove_now(path); };
  co_return co_await offload(workers_, std::move(work));
}

Result<void> PosixDisk::remove_now(const std::string& path) {
  TRY(check_path(path));
  if (::unlinkat(descriptor_, path.c_str(), 0) == 0) return {};
  if (errno == EISDIR && ::unlinkat(descriptor_, path.c_str(), AT_REMOVEDIR) == 0) return {};
  return posix_error(errno, "remove", path);
}

Task<void> PosixDisk::rename(std::string from, std::string to, CallSite) {
  auto work = [this, &from, &to]() -> Result<void> {
    TRY(check_path(from));
    TRY(check_path(to));
    if (::renameat(descriptor_, from.c_str(), descriptor_, to.c_str()) == 0) return {};
    return posix_error(errno, "rename to '" + to + "'", from);
  };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixDisk::make_directory(std::string path, CallSite) {
  auto work = [this, &path] { return make_directory_now(path); };
  co_return co_await offload(workers_, std::move(work));
}

Result<void> PosixDisk::make_directory_now(const std::string& path) {
  TRY(check_path(path));
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string prefix = path.substr(0, end);
    if (::mkdirat(descriptor_, prefix.c_str(), kDirectoryMode) == 0) continue;
    if (errno != EEXIST) return posix_error(errno, "make the directory", prefix);
    struct stat status{};
    if (::fstatat(descriptor_, prefix.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return posix_error(errno, "stat", prefix);
    }
    if (!S_ISDIR(status.st_mode)) return Error{Code::kAlreadyExists, "'" + prefix + "' is not a directory"};
  }
  return {};
}

Task<std::vector<Entry>> PosixDisk::list(std::string path, CallSite) {
  auto work = [this, &path] { return list_now(path); };
  co_return co_await offload(workers_, std::move(work));
}

Result<std::vector<Entry>> PosixDisk::list_now(const std::string& path) {
  TRY(check_directory_path(path));
  const int descriptor = open_again(descriptor_, or_dot(path), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return posix_error(errno, "open the directory", path);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(descriptor), [](DIR* open) { return ::closedir(open); });
  if (!stream) {
    const int error_number = errno;
    ::close(descriptor);
    return posix_error(error_number, "list", path);
  }
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* found = ::readdir(stream.get());
    if (found == nullptr && errno != 0) return posix_error(errno, "list", path);
    if (found == nullptr) break;
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat status{};
    if (::fstatat(::dirfd(stream.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed since
      return posix_error(errno, "stat", name);
    }
    entries.push_back({name, S_ISDIR(status.st_mode)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

Task<void> PosixDisk::sync_directory(std::string path, CallSite) {
  auto work = [this, &path] { return sync_directory_now(path); };
  co_return co_await offload(workers_, std::move(work));
}

Result<void> PosixDisk::sync_directory_now(const std::string& path) {
  TRY(check_directory_path(path));
  const int descriptor = open_again(descriptor_, or_dot(path), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return posix_error(errno, "open the directory", path);
  int failed = ::fsync(descriptor);
  while (failed != 0 && errno == EINTR) failed = ::fsync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  if (failed == 0) return {};
  Error error = posix_error(error_number, "sync the directory", path);
  error.code = Code::kUnavailable;  // a sync that failed is not one that was not tried, whatever it lacked
  return error;
}

Task<Space> PosixDisk::space(CallSite) {
  auto work = [this]() -> Result<Space> {
    struct statvfs volume{};
    if (::fstatvfs(descriptor_, &volume) != 0) return posix_error(errno, "stat the volume of", root_);
    return Space{.total_bytes = static_cast<std::uint64_t>(volume.f_blocks) * volume.f_frsize,
                 .free_bytes = static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize};
  };
  co_return co_await offload(workers_, std::move(work));
}

}  // namespace tombolo::disk
