// Disk and File: the only way to local storage below server/.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/bytes.h"
#include "base/call_site.h"
#include "base/pages.h"

namespace tombolo::disk {

/// An open file. Thread-safe; operations on disjoint ranges may run at once. Buffers passed in must stay alive and
/// unchanged until the task has ended; tasks are not cancellable. Closed by the destructor.
class File {
 public:
  virtual ~File() = default;
  /// Fills `out` from `offset`; kOutOfRange when the file ends before, kUnavailable on a device error.
  virtual Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site = CallSite::here()) = 0;
  /// Written, not durable: only sync() makes it so. Grows the file as needed. kNoSpace leaves a prefix written.
  virtual Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site = CallSite::here()) = 0;
  /// As write() of all pieces, one behind the other, past the page cache where the disk can: for bytes that nobody
  /// reads soon, and only in blocks that no write() touches. `offset` and each piece's length and address are multiples
  /// of kPageBytes (asserted); at most kPiecesMax pieces, which live until the task has ended.
  virtual Task<void> write_direct(std::uint64_t offset, std::span<const BytesView> pieces,
                                  CallSite site = CallSite::here());
  static constexpr std::size_t kPiecesMax = 16;
  /// Everything written before the call is durable when it succeeds (data, size; the file's name needs
  /// Disk::sync_directory). After a failure the file is fenced: every later write and sync fails with kUnavailable, and
  /// nobody may believe unsynced bytes of it (core.md §1: a failed fsync is never retried). kBusy is no such failure:
  /// no sync was tried.
  virtual Task<void> sync(CallSite site = CallSite::here()) = 0;
  virtual Task<std::uint64_t> size(CallSite site = CallSite::here()) = 0;
  /// Cuts or extends (with zeros) to `size`.
  virtual Task<void> truncate(std::uint64_t size, CallSite site = CallSite::here()) = 0;
  /// Reserves space for [0, size) without changing what reads see past the written end; kNoSpace when there is none.
  virtual Task<void> reserve(std::uint64_t size, CallSite site = CallSite::here()) = 0;
  /// A hint that the file will become `size` bytes long: it may be so from now on, zeros where nothing was written, and
  /// then writes below need not lengthen it one by one. Never cuts.
  virtual Task<void> extend(std::uint64_t size, CallSite site = CallSite::here());
};

/// Of one piece.
Task<void> write_direct(File& file, std::uint64_t offset, BytesView bytes, CallSite site = CallSite::here());

/// What File::write_direct demands of its caller.
bool is_direct(std::uint64_t offset, std::span<const BytesView> pieces);

enum class Open {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreateNew,  // must not exist: kAlreadyExists
};

struct Entry {
  std::string name;  // without the directory
  bool is_directory = false;
};

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // what an unprivileged writer may still use
};

/// A directory tree. Paths are relative to its root, '/'-separated, without ".", ".." and empty parts, at most 1,024
/// bytes (kInvalid otherwise, and for a directory where a file is meant); "" is the root, for list and sync_directory.
/// A missing parent is kNotFound. Thread-safe.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Task<std::unique_ptr<File>> open(std::string path, Open mode, CallSite site = CallSite::here()) = 0;
  /// The name goes at once; the bytes go when the last File on it is closed. Durable after sync_directory of its
  /// parent. A directory must be empty (kConditionFailed).
  virtual Task<void> remove(std::string path, CallSite site = CallSite::here()) = 0;
  /// Replaces `to` atomically. Durable after sync_directory of both parents.
  virtual Task<void> rename(std::string from, std::string to, CallSite site = CallSite::here()) = 0;
  /// Creates missing parents too; existing ones are fine.
  virtual Task<void> make_directory(std::string path, CallSite site = CallSite::here()) = 0;
  /// In byte order of names. kNotFound when there is no such directory.
  virtual Task<std::vector<Entry>> list(std::string path, CallSite site = CallSite::here()) = 0;
  /// kBusy: no sync was tried.
  virtual Task<void> sync_directory(std::string path, CallSite site = CallSite::here()) = 0;
  virtual Task<Space> space(CallSite site = CallSite::here()) = 0;
};

}  // namespace tombolo::disk
