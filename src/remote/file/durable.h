// Durable: what of a tree is known to be on the disk.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"

namespace tombolo::remote::file {

/// A name is on the disk once its directory was synced after the name was written. Who finds a name owes that sync
/// himself: the process that wrote it may have been killed before its own.
///
/// A failed sync is told once. The kernel may drop what it could not write, and the next sync succeeds without it. So
/// after a failed sync of something that holds names, nothing that is merely found is believed any more, but for what
/// was remembered before; what is written and synced afterwards is. Thread-safe.
class Durable {
 public:
  using Sync = std::function<int(int fd)>;  // as fsync(2)

  explicit Durable(Sync sync) : sync_(std::move(sync)) {}

  /// Of a file that goes away when this fails.
  Result<void> sync_draft(int file, std::string_view what);
  /// Of a directory that a name has just been written in, through a descriptor that no other thread syncs and that was
  /// opened before: each descriptor is told of a failure once. When it fails, the caller takes the name back.
  Result<void> sync_written(int directory, std::string_view what);
  /// Of a file or directory that was found.
  Result<void> sync_found(int fd, std::string_view what);
  /// Of the name in `parent` that the open directory `child` was found by; once for each, as long as it is remembered.
  Result<void> sync_entry(int parent, int child, std::string_view what);

  void remember_entry(int parent, int child);
  void remember(std::string object);
  bool remembers(const std::string& object) const;

 private:
  Result<void> check_trust() const;  // requires: mutex_ held

  const Sync sync_;
  mutable std::mutex mutex_;                    // guards what follows; not held while syncing
  std::unordered_set<std::string> remembered_;  // at most kRememberedMax
  bool failed_ = false;                         // once and for all
};

}  // namespace tombolo::remote::file
