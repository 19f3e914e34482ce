// FaultyDisk: a Disk that fails on purpose, counts what is done to it, and can be full.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "async/one_shot.h"
#include "disk/disk.h"

namespace tombolo::testing {

/// The calls that can be counted and failed. Calls of files count for the disk.
enum class DiskCall { kRead, kWrite, kSync, kOpen, kRemove, kRename, kSyncDirectory };
inline constexpr std::size_t kDiskCalls = 7;

enum class FaultLasts {
  kOnce,
  kForever,  // until heal()
};

struct DiskFault {
  DiskCall call = DiskCall::kWrite;
  std::uint64_t number = 1;  // 1 is the next such call
  Code code = Code::kUnavailable;
  FaultLasts lasts = FaultLasts::kOnce;
};

/// Wraps a disk that must outlive it and its files. Thread-safe. A sync that fails reaches the wrapped disk not at all,
/// and fences its file as the contract asks; a write that fails writes nothing. Every other call goes through.
class FaultyDisk final : public disk::Disk {
 public:
  explicit FaultyDisk(disk::Disk& inner) : inner_(inner), state_(std::make_shared<State>()) {}

  /// Replaces an earlier fault of the same call.
  void fail(DiskFault fault);
  /// Reads that touch these bytes of a file opened by this path fail with kUnavailable, as over a bad sector, until a
  /// write covers them all, or heal().
  void lose(std::string path, std::uint64_t offset, std::uint64_t length);
  /// No more faults; fenced files stay fenced.
  void heal();
  /// Bytes that may still be written or reserved, growth or not; past it kNoSpace. Shows in space().
  void set_bytes_left(std::optional<std::uint64_t> bytes);
  /// Syncs of files wait (before they count) until let_syncs_go(), so that a test decides who meets whom.
  void hold_syncs();
  void let_syncs_go();
  /// How often a call was made since the start, failed ones included.
  std::uint64_t count(DiskCall call) const;

  Task<std::unique_ptr<disk::File>> open(std::string path, disk::Open mode, CallSite site = {}) override;
  Task<void> remove(std::string path, CallSite site = {}) override;
  Task<void> rename(std::string from, std::string to, CallSite site = {}) override;
  Task<void> make_directory(std::string path, CallSite site = {}) override;
  Task<std::vector<disk::Entry>> list(std::string path, CallSite site = {}) override;
  Task<void> sync_directory(std::string path, CallSite site = {}) override;
  Task<disk::Space> space(CallSite site = {}) override;

 private:
  friend class FaultyFile;
  struct Lost {
    std::string path;
    std::uint64_t begin = 0, end = 0;
  };
  struct State {
    mutable std::mutex mutex;
    std::array<std::uint64_t, kDiskCalls> counts{};
    std::array<std::optional<DiskFault>, kDiskCalls> faults;  // `number` counts down
    std::vector<Lost> lost;
    std::optional<std::uint64_t> bytes_left;
    bool holding_syncs = false;
    std::vector<OneShot<void>> held_syncs;

    /// Counts a call; the error when it is to fail.
    Result<void> admit(DiskCall call);
    Result<void> spend(std::uint64_t bytes);
    /// The error of a read that touches what is lost.
    Result<void> find_lost(const std::string& path, std::uint64_t begin, std::uint64_t end) const;
    void written(const std::string& path, std::uint64_t begin, std::uint64_t end);
  };

  disk::Disk& inner_;
  std::shared_ptr<State> state_;
};

}  // namespace tombolo::testing
