// UnsyncedDisk: keeps what was not synced in process memory, so that kill -9 loses what power loss would.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/mutex.h"
#include "disk/disk.h"
#include "testing/unsynced_file.h"

namespace tombolo::testing {

/// Bugs to plant, so that a suite can prove that it sees them.
struct ForgottenSyncs {
  std::string files_of;      // File::sync of files in this directory succeeds and does nothing; empty: of none
  unsigned honest = 0;       // syncs of each such file, from its opening on, that work nevertheless
  bool directories = false;  // so does sync_directory
};

/// Wraps a disk that must outlive it and its files. Programs see every write at once; the wrapped disk gets a file's
/// bytes with File::sync and the names (created, renamed, removed) of a directory with sync_directory. Making and
/// removing a directory goes through at once. Files only are renamed, and two files may not exchange their names
/// between two syncs (kInvalid): nothing in tombolo does. Keeps a handle on every file that was ever opened and still
/// has a name. Thread-safe; names one call at a time.
class UnsyncedDisk final : public disk::Disk {
 public:
  explicit UnsyncedDisk(disk::Disk& inner, ForgottenSyncs forgotten = {})
      : inner_(inner), forgotten_(std::move(forgotten)) {}

  Task<std::unique_ptr<disk::File>> open(std::string path, disk::Open mode, CallSite site = {}) override;
  Task<void> remove(std::string path, CallSite site = {}) override;
  Task<void> rename(std::string from, std::string to, CallSite site = {}) override;
  Task<void> make_directory(std::string path, CallSite site = {}) override;
  Task<std::vector<disk::Entry>> list(std::string path, CallSite site = {}) override;
  Task<void> sync_directory(std::string path, CallSite site = {}) override;
  Task<disk::Space> space(CallSite site = {}) override;

 private:
  using NodePtr = std::shared_ptr<UnsyncedNode>;
  /// The visible file; null when there is none of that name. kInvalid for a directory.
  Task<NodePtr> find(std::string path);
  Task<std::vector<disk::Entry>> visible(std::string path);
  Task<void> apply_renames(std::string directory);
  Task<void> apply_removals(std::string directory);
  bool is_linked(const std::string& path) const;

  disk::Disk& inner_;
  const ForgottenSyncs forgotten_;
  AsyncMutex names_;
  // All below is guarded by names_.
  std::map<std::string, NodePtr> nodes_;  // visible files that were opened, by visible path
  std::set<std::string> removed_;         // names that the wrapped disk may still have and nobody may see
};

}  // namespace tombolo::testing
