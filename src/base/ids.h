// Distinct integer types for ids, offsets and stamps, so that one cannot be passed for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tombolo {

/// An integer with a meaning. `Id<struct Tag>`; compare and hash only.
template <class Tag>
struct Id {
  std::uint64_t value = 0;
  friend auto operator<=>(const Id&, const Id&) = default;
  explicit operator bool() const { return value != 0; }  // 0 is never a valid id
};

using TenantId = Id<struct TenantTag>;
using ContainerId = Id<struct ContainerTag>;
using DirectoryId = Id<struct DirectoryTag>;
using ObjectId = Id<struct ObjectTag>;    // an object's incarnation-independent identity (change feed, leases)
using GenId = Id<struct GenTag>;          // one sequence of bytes that never change once written
using UploadId = Id<struct UploadTag>;    // one set of staged blocks or parts
using HolderId = Id<struct HolderTag>;    // who holds a gen: a record incarnation, an upload, another gen
using SegmentId = Id<struct SegmentTag>;  // a local segment file
using RemoteId = Id<struct RemoteTag>;    // a configured external store
using JobId = Id<struct JobTag>;

/// Microseconds since the Unix epoch, strictly increasing per cell (DESIGN, vocabulary). Not a clock reading.
struct Stamp {
  std::uint64_t micros = 0;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
  explicit operator bool() const { return micros != 0; }
};

}  // namespace tombolo

template <class Tag>
struct std::hash<tombolo::Id<Tag>> {
  std::size_t operator()(const tombolo::Id<Tag>& id) const { return std::hash<std::uint64_t>{}(id.value); }
};
