// MemoryDisk: a Disk in memory that knows what power loss would leave of it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "disk/disk.h"
#include "disk/memory/memory_tree.h"

namespace tombolo::disk {

class MemoryFile;

/// Keeps two images: what programs see, and what is durable. A file's bytes become durable by File::sync, a name
/// (created, renamed, removed) by sync_directory of its parent; neither implies the other. Calls never wait; those
/// named ..._now are the same without a task. Thread-safe.
class MemoryDisk final : public Disk {
 public:
  MemoryDisk();

  /// Power loss. Files that were open give kUnavailable from now on.
  void crash(const PowerLoss& loss = {});
  /// The process dies, and the machine goes on: nothing is lost, and nothing becomes durable. Files as above.
  void kill();
  /// Bytes that files may hold together; kNoSpace past it. Unlimited at first; may be changed at any time.
  void set_limit(std::optional<std::uint64_t> bytes);

  Task<std::unique_ptr<File>> open(std::string path, Open mode, CallSite site = {}) override;
  Task<void> remove(std::string path, CallSite site = {}) override;
  Task<void> rename(std::string from, std::string to, CallSite site = {}) override;
  Task<void> make_directory(std::string path, CallSite site = {}) override;
  Task<std::vector<Entry>> list(std::string path, CallSite site = {}) override;
  Task<void> sync_directory(std::string path, CallSite site = {}) override;
  Task<Space> space(CallSite site = {}) override;

  Result<std::unique_ptr<MemoryFile>> open_now(const std::string& path, Open mode);
  Result<void> remove_now(const std::string& path);
  Result<void> rename_now(const std::string& from, const std::string& to);
  Result<void> make_directory_now(const std::string& path);
  Result<std::vector<Entry>> list_now(const std::string& path);
  Result<void> sync_directory_now(const std::string& path);
  Space space_now();

 private:
  friend class MemoryFile;
  /// Shared with open files, which may outlive the disk.
  struct State {
    std::mutex mutex;
    std::uint64_t boots = 0;  // how often crash() was called
    std::shared_ptr<MemoryUsage> usage = std::make_shared<MemoryUsage>();
    MemoryDirectory root;

    Result<MemoryDirectory*> directory(std::string_view path);
    Result<MemoryNode*> find(const std::string& path);
  };

  std::shared_ptr<State> state_;
};

}  // namespace tombolo::disk
