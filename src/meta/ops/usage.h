// What a container holds: counters that every publishing and deleting transaction moves.
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

}  // namespace tombolo::meta
