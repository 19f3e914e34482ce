#include "disk/posix/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/assert.h"
#include "base/log.h"
#include "disk/posix/posix_error.h"

namespace tombolo::disk {

namespace {

/// Longer reads would keep the other tasks of an event loop waiting, and a hop to a worker is little beside them.
constexpr std::size_t kReadCachedMax = 128 * 1024;

}  // namespace

PosixFile::~PosixFile() {
  if (direct_owned_ >= 0) ::close(direct_owned_);
  ::close(descriptor_);  // what was not synced was never promised, so its error tells nothing
}

Task<void> PosixFile::read(std::uint64_t offset, MutableBytes out, CallSite) {
  const std::size_t cached = read_cached(offset, out);
  if (cached == out.size()) co_return Result<void>{};
  auto work = [this, offset = offset + cached, out = out.subspan(cached)] { return read_now(offset, out); };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::write(std::uint64_t offset, BytesView bytes, CallSite) {
  auto work = [this, offset, bytes] { return write_now(offset, bytes); };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite) {
  ASSERT(is_direct(offset, pieces));
  auto work = [this, offset, pieces] { return write_direct_now(offset, pieces); };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::sync(CallSite) {
  auto work = [this] { return sync_now(); };
  co_return co_await offload(workers_, std::move(work));
}

Task<std::uint64_t> PosixFile::size(CallSite) {
  auto work = [this]() -> Result<std::uint64_t> {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) return posix_error(errno, "stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::truncate(std::uint64_t size, CallSite) {
  auto work = [this, size] { return truncate_now(size); };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::reserve(std::uint64_t size, CallSite) {
  auto work = [this, size] { return reserve_now(size); };
  co_return co_await offload(workers_, std::move(work));
}

Task<void> PosixFile::extend(std::uint64_t size, CallSite) {
  auto work = [this, size] { return extend_now(size); };
  co_return co_await offload(workers_, std::move(work));
}

Result<void> PosixFile::refuse_if_fenced() const {
  if (!fenced_.load(std::memory_order_acquire)) return {};
  return Error{Code::kUnavailable, "'" + path_ + "' is fenced: a sync of it failed, so what it holds is unknown"};
}

std::size_t PosixFile::read_cached(std::uint64_t offset, MutableBytes out) {
  if (out.size() > kReadCachedMax || !reads_cached_.load(std::memory_order_relaxed)) return 0;
  const iovec vector{.iov_base = out.data(), .iov_len = out.size()};
  const ssize_t got = ::preadv2(descriptor_, &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (got < 0 && errno == EOPNOTSUPP) reads_cached_.store(false, std::memory_order_relaxed);
  return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

Result<void> PosixFile::read_now(std::uint64_t offset, MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return posix_error(errno, "read", path_);
    if (got == 0) return Error{Code::kOutOfRange, "'" + path_ + "' ends before the range to read"};
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<void> PosixFile::write_now(std::uint64_t offset, BytesView bytes) {
  TRY(refuse_if_fenced());
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return posix_error(errno, "write", path_);
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

int PosixFile::direct_descriptor() {
  std::call_once(direct_opened_, [this] {
    if ((::fcntl(descriptor_, F_GETFL) & O_ACCMODE) == O_RDONLY) return;
    // By descriptor: the file may have another name by now.
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
    direct_owned_ = ::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
    if (direct_owned_ < 0) {
      log(LogLevel::kDebug, "disk", "no direct writes to '{}': {}", path_, std::generic_category().message(errno));
    }
    direct_ = direct_owned_;
  });
  return direct_;
}

Result<void> PosixFile::write_direct_now(std::uint64_t offset, std::span<const BytesView> pieces) {
  TRY(refuse_if_fenced());
  std::array<iovec, kPiecesMax> vectors;
  std::transform(pieces.begin(), pieces.end(), vectors.begin(), [](BytesView piece) {
    return iovec{.iov_base = const_cast<std::byte*>(piece.data()), .iov_len = piece.size()};
  });
  ssize_t put = -1;
  if (const int descriptor = direct_descriptor(); descriptor >= 0) {
    const auto count = static_cast<int>(pieces.size());
    do {
      put = ::pwritev(descriptor, vectors.data(), count, static_cast<off_t>(offset));
    } while (put < 0 && errno == EINTR);
    if (put < 0 && errno != EINVAL) return posix_error(errno, "write", path_);
    if (put < 0) direct_ = -1;  // the device wants larger pages
  }
  // What is left, if anything: a short write need not end with a page.
  auto done = static_cast<std::size_t>(std::max<ssize_t>(put, 0));
  for (const BytesView piece : pieces) {
    const std::size_t skipped = std::min(done, piece.size());
    TRY(write_now(offset + skipped, piece.subspan(skipped)));
    done -= skipped;
    offset += piece.size();
  }
  return {};
}

Result<void> PosixFile::sync_now() {
  // The kernel reports a write-back error once per descriptor: of two syncs at once only one would hear of it.
  const std::lock_guard lock(sync_mutex_);
  TRY(refuse_if_fenced());
  int failed = ::fdatasync(descriptor_);
  while (failed != 0 && errno == EINTR) failed = ::fdatasync(descriptor_);
  if (failed == 0) return {};
  const int error_number = errno;
  fenced_.store(true, std::memory_order_release);
  Error error = posix_error(error_number, "sync", path_);
  // Even for ENOSPC (delayed allocation) the written bytes are gone: it is the file that cannot be used any more.
  error.code = Code::kUnavailable;
  return error;
}

Result<void> PosixFile::truncate_now(std::uint64_t size) {
  TRY(refuse_if_fenced());
  int failed = ::ftruncate(descriptor_, static_cast<off_t>(size));
  while (failed != 0 && errno == EINTR) failed = ::ftruncate(descriptor_, static_cast<off_t>(size));
  if (failed != 0) return posix_error(errno, "truncate", path_);
  return {};
}

Result<void> PosixFile::reserve_now(std::uint64_t size) {
  TRY(refuse_if_fenced());
  int failed = ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  while (failed != 0 && errno == EINTR)
    failed = ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  if (failed == 0) return {};
  if (errno != EOPNOTSUPP) return posix_error(errno, "reserve space for", path_);
  // A file system without preallocation: the best there is to say is whether it would fit now.
  struct stat status{};
  struct statvfs volume{};
  if (::fstat(descriptor_, &status) != 0) return posix_error(errno, "stat", path_);
  if (::fstatvfs(descriptor_, &volume) != 0) return posix_error(errno, "stat the volume of", path_);
  const std::uint64_t held = static_cast<std::uint64_t>(status.st_blocks) * 512;
  const std::uint64_t free = static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
  if (size > held && size - held > free) return posix_error(ENOSPC, "reserve space for", path_);
  return {};
}

Result<void> PosixFile::extend_now(std::uint64_t size) {
  TRY(refuse_if_fenced());
  int failed = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size));
  while (failed != 0 && errno == EINTR) failed = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size));
  if (failed == 0 || errno == EOPNOTSUPP) return {};
  return posix_error(errno, "extend", path_);
}

}  // namespace tombolo::disk
