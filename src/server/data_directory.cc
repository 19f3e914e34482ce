#include "server/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"

namespace tombolo::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytes = 32;
constexpr mode_t kIndexMode = 0750;
constexpr const char* kFailedSync = "failed-sync";

// What to do about it, where the reason tells.
std::string next_step(int reason, const std::string& path) {
  switch (reason) {
    case EACCES:
    case EPERM: {
      struct stat info{};
      const fs::path parent = fs::path(path).parent_path();
      const std::string directory = parent.empty() ? "." : parent.string();
      if (::stat(directory.c_str(), &info) != 0 || info.st_uid == ::geteuid()) {
        return "; give this user the right to write there (chmod u+rwx), or pass another --data directory";
      }
      return fmt::format(
          "; {} belongs to user {} and tombolo runs as user {}: run it as that user, or chown -R the data "
          "directory to this one",
          directory, info.st_uid, ::geteuid());
    }
    case EROFS:
      return "; the file system is mounted read-only: remount it, or pass another --data directory";
    case ENOSPC:
    case EDQUOT:
      return "; free some space, or pass a --data directory on another disk";
    case ENOTDIR:
    case EEXIST:
      return "; there is a file where a directory should be: pass another --data directory";
    case ENOENT:
      return "; make the directory above it, or pass another --data directory";
    default:
      return "; see the system's log for what its disk says";
  }
}

Error failed(const std::string& what, const std::string& path) {
  const int reason = errno;
  const Code code = reason == ENOSPC ? Code::kNoSpace : reason == EACCES ? Code::kPermissionDenied : Code::kUnavailable;
  return Error{code, fmt::format("{} {}: {}{}", what, path, std::strerror(reason), next_step(reason, path))};
}

// Closes on every path out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<std::string> read_secret(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    if (errno == ENOENT) return Error{Code::kNotFound, path + " does not exist"};
    return failed("cannot read", path);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return failed("cannot look at", path);
  if ((info.st_mode & 077) != 0) {
    return Error{Code::kPermissionDenied, fmt::format("{} can be read by others: run chmod 600 {}", path, path)};
  }
  std::string text(kSecretBytes * 2 + 2, '\0');
  const ssize_t n = ::read(file.get(), text.data(), text.size());
  if (n < 0) return failed("cannot read", path);
  text.resize(static_cast<std::size_t>(n));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() != kSecretBytes * 2 || !hex_decode(text)) {
    return Error{Code::kCorrupt, fmt::format("{} is not 64 hex digits: restore it from your backup", path)};
  }
  return text;
}

Result<void> sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // tidy: allow raw-sync: the data directory exists before disk/ does
  if (!directory.ok() || ::fsync(directory.get()) != 0) return failed("cannot sync", path);
  return {};
}

// Written aside and renamed, so that a crash leaves no half file behind.
Result<void> write_private(const std::string& directory, const std::string& name, const std::string& text) {
  const std::string path = directory + "/" + name, draft = path + ".new";
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.ok()) return failed("cannot create", draft);
    const std::string line = text + "\n";
    const ssize_t n = ::write(file.get(), line.data(), line.size());
    if (n != static_cast<ssize_t>(line.size())) return failed("cannot write", draft);
    if (::fsync(file.get()) != 0) return failed("cannot sync", draft);  // tidy: allow raw-sync: before disk/ exists
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed("cannot create", path);
  return sync_directory(directory);
}

// RocksDB makes it for everybody to read: like log/ and segments/, it is for this user and group.
Result<void> make_index_private(const std::string& path) {
  struct stat info{};
  if (::mkdir(path.c_str(), kIndexMode) == 0) return {};
  if (errno != EEXIST || ::stat(path.c_str(), &info) != 0) return failed("cannot create", path);
  if ((info.st_mode & 0777 & ~kIndexMode) == 0) return {};
  if (::chmod(path.c_str(), info.st_mode & kIndexMode) != 0) return failed("cannot hide from others", path);
  return {};
}

std::string user_name(uid_t id) {
  const passwd* const entry = ::getpwuid(id);
  return entry == nullptr ? fmt::format("#{}", id) : entry->pw_name;
}

// What another user writes here the owner cannot open: an fsck by root would be the last thing that this cell saw.
Result<void> check_owner(const std::string& path) {
  struct stat info{};
  if (::stat((path + "/root.key").c_str(), &info) != 0 || info.st_uid == ::geteuid()) return {};
  return Error{
      Code::kPermissionDenied,
      fmt::format("{0} belongs to the user {1}, who could not open what {2} writes there: run it as sudo -u {1} "
                  "tombolo ...",
                  path, user_name(info.st_uid), user_name(::geteuid()))};
}

Result<std::string> read_or_make_secret(const std::string& directory, const std::string& name, Random& random) {
  auto present = read_secret(directory + "/" + name);
  if (present.ok() || present.error().code != Code::kNotFound) return present;
  const std::string text = random.hex(kSecretBytes);
  TRY(write_private(directory, name, text));
  return text;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path, Random& random) {
  std::error_code bad;
  const bool existed = fs::exists(path, bad);
  if (!existed) {
    fs::create_directories(fs::path(path).parent_path().empty() ? "." : fs::path(path).parent_path(), bad);
    if (::mkdir(path.c_str(), 0700) != 0) return failed("cannot create the data directory", path);
  }
  TRY(check_owner(path));
  DataDirectory opened;
  opened.path_ = path;
  Descriptor lock(::open((path + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.ok()) return failed("cannot create", path + "/LOCK");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Code::kBusy,
                 fmt::format("{} is in use by another tombolo; stop that one first, or pass another --data "
                             "directory",
                             path)};
  }
  if (fs::exists(path + "/log", bad) && !fs::exists(path + "/root.key", bad)) {
    return Error{Code::kNotFound, fmt::format("{}/root.key is missing although the directory holds data: restore it "
                                              "from your backup; without it account keys and remote credentials "
                                              "cannot be opened",
                                              path)};
  }
  const bool is_new = !fs::exists(path + "/root.key", bad);
  TRY_ASSIGN(const std::string root_key, read_or_make_secret(path, "root.key", random));
  TRY_ASSIGN(opened.admin_token_, read_or_make_secret(path, "admin.token", random));
  TRY(make_index_private(path + "/index"));
  opened.root_key_ = *hex_decode(root_key);
  opened.lock_ = lock.release();
  if (is_new) {
    log(LogLevel::kWarn, "server",
        "made a new, empty cell in {}; if your data should be there, stop this server and look whether its disk is "
        "mounted",
        fs::absolute(path, bad).lexically_normal().string());
  }
  return opened;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      root_key_(std::move(other.root_key_)),
      admin_token_(std::move(other.admin_token_)),
      lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<void> DataDirectory::publish_admin_url(const std::string& url) const {
  return write_private(path_, "admin.url", url);
}

Result<void> DataDirectory::mark_failed_sync(const std::string& path, const std::string& why) {
  return write_private(path, kFailedSync, why);
}

double DataDirectory::failed_sync_seconds(const std::string& path) {
  struct stat info{};
  if (::stat((path + "/" + kFailedSync).c_str(), &info) != 0) return 0;
  return static_cast<double>(info.st_mtim.tv_sec);
}

}  // namespace tombolo::server
