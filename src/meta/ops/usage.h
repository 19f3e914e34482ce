// What a container holds, and what of the cell is cold: counters that every transaction concerned moves.
#pragma once

#include "meta/cell.h"
#include "meta/model/container.h"

namespace tombolo::meta {

struct Usage {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // of current records
};
/// One snapshot.
Task<Usage> read_usage(Cell cell, ContainerKey container);

/// Bytes of runs of the whole cell that have no local place: their only place is a remote. Every transaction that
/// clears, fills or erases a run keeps it.
Task<std::uint64_t> read_cold_bytes(Cell cell);

}  // namespace tombolo::meta
