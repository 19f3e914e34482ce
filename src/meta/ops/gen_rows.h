// Reads of a gen's runs and slices from an offset on, in one snapshot.
#pragma once

#include <vector>

#include "meta/ops/parts.h"

namespace tombolo::meta {

struct RowsFrom {
  TenantId tenant;
  GenId gen;
  std::uint64_t offset = 0;  // the first row is the one that holds this byte
  std::uint64_t end = 0;     // rows that begin at or behind it are not wanted
  std::uint32_t limit = 1;
};
/// One seek where the first row reaches `end`, else two.
Task<std::vector<Run>> runs_from(kv::Snapshot& from, RowsFrom which);
Task<std::vector<Slice>> slices_from(kv::Snapshot& from, RowsFrom which);

}  // namespace tombolo::meta
