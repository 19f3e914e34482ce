// RunReader: a range of one run as a verified stream.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <optional>

#include "async/byte_stream.h"
#include "async/one_shot.h"
#include "data/block_cache.h"
#include "data/segment_store.h"

namespace tombolo::data {

/// A run as its row says.
struct RunToRead {
  TenantId tenant;
  GenId gen;
  std::uint64_t gen_offset = 0;  // of the run's first byte
  std::uint64_t length = 0;      // of the whole run
  std::vector<std::uint64_t> granule_crcs;
  SegmentId segment;
  std::uint64_t offset = 0;  // of the run header in the segment file
};

enum class Admission {
  kAdmit,   // granules that had to be read go into the cache
  kBypass,  // they do not: for long sequential reads, compaction and checks (what is in the cache is used all the same)
};

struct RunRange {
  std::uint64_t offset = 0;  // in the run
  std::uint64_t length = 0;  // at least 1
  Admission admission = Admission::kAdmit;
};

/// Reads whole granules, in steps of up to kStreamStep, one step ahead of the caller; each is verified against the row
/// before a byte of it is given. Errors: kCorrupt (naming segment, offset, gen, granule) when bytes do not verify or
/// the file is too short; kUnavailable when the device fails. On kCorrupt re-read the row: moved → read there.
class RunReader final : public ByteSource {
 public:
  /// kNotFound when the segment is gone: re-read the row. kCorrupt when the row contradicts itself. Requires a range
  /// within the run. Store and cache outlive the reader.
  static Result<std::unique_ptr<RunReader>> open(SegmentStore& store, BlockCache& cache, RunToRead run, RunRange range);
  /// The same with a pin that the caller already holds.
  static Result<std::unique_ptr<RunReader>> open(SegmentStore& store, BlockCache& cache, SegmentPin pin, RunToRead run,
                                                 RunRange range);
  ~RunReader() override;

  Task<Block> next() override;

 private:
  struct Source;
  explicit RunReader(std::shared_ptr<Source> source, RunRange range);
  std::shared_ptr<Source> source_;
  std::uint64_t at_;   // in the run: first byte not yet given
  std::uint64_t end_;  // in the run
  std::optional<OneShot<Block>> ahead_;
};

}  // namespace tombolo::data
