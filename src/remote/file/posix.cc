#include "remote/file/posix.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tombolo::remote::file {

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Error errno_error(int code, std::string_view doing, std::string_view what) {
  const auto told = [&](Code kind) {
    return Error{kind, fmt::format("{} \"{}\": {}", doing, what, std::generic_category().message(code))};
  };
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return told(Code::kNotFound);
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return told(Code::kPermissionDenied);
    case ENOSPC:
    case EDQUOT:
      return told(Code::kNoSpace);
    default:
      return told(Code::kUnavailable);
  }
}

std::string etag_of(const struct stat& status) {
  const std::int64_t mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
  return fmt::format("{:x}-{:x}-{:x}", mtime_ns, status.st_ino, status.st_size);
}

}  // namespace tombolo::remote::file
