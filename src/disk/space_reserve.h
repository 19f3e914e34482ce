// SpaceReserve: a few bytes of the disk that nobody else can take, for the moment when it is full.
#pragma once

#include <cstdint>
#include <string>

#include "disk/disk.h"

namespace tombolo::disk {

/// A file whose space is given back when the disk has less free than it holds, so that recovery, deletes and flushes
/// can still write (core.md §2), and taken again when four times as much is free. Reads nothing, keeps nothing: after a
/// crash it is found as it was left. Not thread-safe: one balance() at a time.
class SpaceReserve {
 public:
  /// `path`: the file, in `disk`, which outlives this. `bytes` > 0.
  SpaceReserve(Disk& disk, std::string path, std::uint64_t bytes);

  /// Gives back or takes, as the free space asks for. Not being able to take is no error; the disk's errors are.
  Task<void> balance();

  /// Whether the space is held, as the last balance() left it.
  bool held() const { return held_; }

 private:
  Task<void> give_back();
  Task<void> take();

  Disk& disk_;
  const std::string path_;
  const std::uint64_t bytes_;
  bool held_ = false;
};

}  // namespace tombolo::disk
