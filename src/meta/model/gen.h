// Where bytes are (core.md §3). Rows are tenant-scoped; only these know places.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace tombolo::meta {

inline constexpr std::uint64_t kRunBytesMax = 8 * 1024 * 1024;
inline constexpr std::uint64_t kGranuleBytes = 16 * 1024;
inline constexpr std::uint64_t kInlineBytesMax = 4 * 1024;
inline constexpr std::uint64_t kBlockBytesMax = 4'000ull * 1024 * 1024;
inline constexpr std::uint32_t kBlocksPerObjectMax = 50'000;
inline constexpr std::uint64_t kObjectBytesMax = kBlocksPerObjectMax * kBlockBytesMax;  // 190.7 TiB
inline constexpr std::uint32_t kUncommittedBlocksMax = 100'000;
/// m rows that one transaction writes, moves or clears; each holds up to 4 KiB of checksums.
inline constexpr std::size_t kRunsPerBatchMax = 128;

enum class GenState : std::uint8_t { kStaging = 0, kLive = 1, kCondemned = 2 };
enum class GenShape : std::uint8_t {
  kInline = 0,  // bytes in the gen's own row
  kRuns = 1,    // m rows
  kSlices = 2,  // s rows: pieces of other gens
};

/// A whole object in a remote, byte for byte (native format).
struct NativePlace {
  std::string remote;      // the remote's name
  std::string key;         // full key in its bucket
  std::string etag;        // every read, overwrite and delete is conditional on it
  std::string version_id;  // empty where the remote keeps none
};

/// Row i <gen>.
struct Gen {
  GenId id;
  GenState state = GenState::kStaging;
  GenShape shape = GenShape::kInline;
  std::uint64_t length = 0;
  std::uint64_t crc64 = 0;
  std::string inline_bytes;  // shape kInline
  std::optional<NativePlace> native;
  bool evicted = false;  // local places of its runs (or of its slices' sources) may be gone: read the native place
  Stamp condemned_at;    // state kCondemned
  Stamp created;
  std::uint64_t writer_epoch = 0;  // process epoch of the writer: a staging gen of a dead one is garbage
  Stamp tier_stamp;                // moved when an evict or a recall begins: the token of its later steps
};

/// Bytes of one run in a segment: the run header at `offset`, then the data.
struct LocalPlace {
  SegmentId segment;
  std::uint64_t offset = 0;  // of the run header in the segment file
};

/// Row m <gen>/<offset>.
struct Run {
  GenId gen;
  std::uint64_t offset = 0;                 // in the gen
  std::uint64_t length = 0;                 // 1 … kRunBytesMax
  std::vector<std::uint64_t> granule_crcs;  // CRC64 of each kGranuleBytes of the run, the last one shorter
  std::optional<LocalPlace> local;
};

/// Row s <gen>/<offset>.
struct Slice {
  std::uint64_t offset = 0;  // in the gen that the slice belongs to
  GenId source;
  std::uint64_t source_offset = 0;
  std::uint64_t length = 0;
  std::uint64_t crc64 = 0;  // of the piece
  std::string block_id;     // raw bytes; empty when the piece is no block of a client
};

}  // namespace tombolo::meta
