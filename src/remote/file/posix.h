// Descriptors, errors and identity of files, as POSIX has them.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tombolo::remote::file {

/// An open file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// The error of a failed call, by errno.
Error errno_error(int code, std::string_view doing, std::string_view what);

/// Identity of a file's bytes: modification time, inode and size. Whoever changes the file changes it.
std::string etag_of(const struct stat& status);

}  // namespace tombolo::remote::file
