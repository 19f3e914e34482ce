// Writable: whether a cell takes writes, and what to tell a person when it does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kv/log/log_engine.h"

namespace tombolo::server {

/// Set once the cell takes no writes until it is started again. The message says what to do.
std::optional<Error> stopped_for_good(const kv::LogEngineStatus& engine);

/// How much of the disk is free, and how much has to be.
struct Room {
  std::uint64_t free_bytes = 0;
  std::uint64_t reserve_bytes = 0;   // below it only what frees space is committed
  std::uint64_t log_file_bytes = 0;  // the next file of the commit log
  std::uint64_t segment_needs = 0;   // SegmentStore::free_bytes_needed
};

/// Why writes are refused now, and what to do; empty while they are taken. `room` may be unknown.
std::string why_no_writes(const kv::LogEngineStatus& engine, const std::optional<Room>& room);

}  // namespace tombolo::server
