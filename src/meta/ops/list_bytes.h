// How much a page of a listing holds, whatever it lists.
#pragma once

#include <cstddef>

#include "base/units.h"
#include "meta/model/container.h"

namespace tombolo::meta {

/// A page ends earlier where its names, headers and metadata are so many bytes, and never before its first entry:
/// clients may make them tens of KiB each, and a slow one holds what is made of them. 5,000 objects of 400 bytes fit.
inline constexpr std::size_t kListBytesMax = 2 * kMiB;

inline std::size_t metadata_bytes(const Metadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) bytes += name.size() + value.size();
  return bytes;
}

}  // namespace tombolo::meta
