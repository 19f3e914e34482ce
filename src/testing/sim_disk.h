// SimDisk: the disk of a SimMachine.
#pragma once

#include <memory>

#include "base/random.h"
#include "disk/memory/memory_file.h"
#include "testing/sim_machine.h"

namespace tombolo::testing {

/// An open file of a SimDisk. The ..._now calls are for RocksDB's file system.
class SimFile final : public disk::File {
 public:
  enum class Syncs { kHonest, kForgotten };
  SimFile(SimMachine& machine, Random& random, Syncs syncs, std::string path, std::unique_ptr<disk::MemoryFile> inner)
      : machine_(machine), random_(random), syncs_(syncs), path_(std::move(path)), inner_(std::move(inner)) {}

  Result<void> read_now(std::uint64_t offset, MutableBytes out, CallSite site = {});
  Result<void> write_now(std::uint64_t offset, BytesView bytes, CallSite site = {});
  Result<void> sync_now(CallSite site = {});
  Result<std::uint64_t> size_now(CallSite site = {});
  Result<void> truncate_now(std::uint64_t size, CallSite site = {});
  Result<void> reserve_now(std::uint64_t size, CallSite site = {});
  Result<void> extend_now(std::uint64_t size, CallSite site = {});

  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override {
    co_return read_now(offset, out, site);
  }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override {
    co_return write_now(offset, bytes, site);
  }
  Task<void> sync(CallSite site) override { co_return sync_now(site); }
  Task<std::uint64_t> size(CallSite site) override { co_return size_now(site); }
  Task<void> truncate(std::uint64_t size, CallSite site) override { co_return truncate_now(size, site); }
  Task<void> reserve(std::uint64_t size, CallSite site) override { co_return reserve_now(size, site); }
  Task<void> extend(std::uint64_t size, CallSite site) override { co_return extend_now(size, site); }

 private:
  Result<void> usable();
  Result<void> fail_sync(SyncFault fault);

  SimMachine& machine_;
  Random& random_;
  const Syncs syncs_;
  const std::string path_;
  const std::unique_ptr<disk::MemoryFile> inner_;
  std::mutex mutex_;
  bool fenced_ = false;  // guarded by mutex_
};

/// A MemoryDisk whose every call is a step of the machine. What a crash, a torn write and a failed sync leave is drawn
/// from `seed` in the order of the calls. `machine` outlives it. Thread-safe.
class SimDisk final : public disk::Disk {
 public:
  /// Syncs of files below `forgotten` succeed and do nothing: a bug to plant.
  SimDisk(SimMachine& machine, std::uint64_t seed, std::string forgotten = {})
      : machine_(machine), random_(seed), forgotten_(std::move(forgotten)) {}

  /// Power loss as `unsynced` says, or the death of the process alone; then the machine lives again. RocksDB's files
  /// are below `index`.
  void lose_power(disk::PowerLoss::Unsynced unsynced);
  void kill();
  void set_limit(std::optional<std::uint64_t> bytes) { memory_.set_limit(bytes); }
  std::uint64_t used_bytes();
  std::uint64_t free_bytes() { return memory_.space_now().free_bytes; }
  SimMachine& machine() { return machine_; }

  Result<std::unique_ptr<SimFile>> open_now(const std::string& path, disk::Open mode, CallSite site = {});
  Result<void> remove_now(const std::string& path, CallSite site = {});
  Result<void> rename_now(const std::string& from, const std::string& to, CallSite site = {});
  Result<void> make_directory_now(const std::string& path, CallSite site = {});
  Result<std::vector<disk::Entry>> list_now(const std::string& path, CallSite site = {});
  Result<void> sync_directory_now(const std::string& path, CallSite site = {});

  Task<std::unique_ptr<disk::File>> open(std::string path, disk::Open mode, CallSite site = {}) override;
  Task<void> remove(std::string path, CallSite site = {}) override { co_return remove_now(path, site); }
  Task<void> rename(std::string from, std::string to, CallSite site = {}) override {
    co_return rename_now(from, to, site);
  }
  Task<void> make_directory(std::string path, CallSite site = {}) override { co_return make_directory_now(path, site); }
  Task<std::vector<disk::Entry>> list(std::string path, CallSite site = {}) override { co_return list_now(path, site); }
  Task<void> sync_directory(std::string path, CallSite site = {}) override { co_return sync_directory_now(path, site); }
  Task<disk::Space> space(CallSite site = {}) override;

  static constexpr std::string_view kIndexDirectory = "index";

 private:
  SimMachine& machine_;
  SeededRandom random_;
  const std::string forgotten_;
  disk::MemoryDisk memory_;
};

}  // namespace tombolo::testing
