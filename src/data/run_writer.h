// RunWriter: the bytes of one run on their way into a segment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "async/task.h"
#include "base/bytes.h"
#include "base/pages.h"
#include "data/layout.h"
#include "data/segment_pin.h"

namespace tombolo::disk {
class File;
}

namespace tombolo::data {

class SegmentStore;

/// Where a run is and what it must read back as: everything an m row needs.
struct RunPlace {
  SegmentId segment;
  std::uint64_t offset = 0;  // of the run header in the segment file
  std::uint64_t length = 0;
  std::vector<std::uint64_t> granule_crcs;  // CRC64 of each kGranuleBytes, the last one shorter
  std::uint64_t crc64 = 0;                  // of the whole run
};

/// A run that is written, and not durable before SegmentStore::sync of its segment. Keep it until the transaction that
/// names the place is resolved (committed, refused, or known to be either): it holds the segment's pin.
struct SealedRun {
  RunPlace place;
  SegmentPin pin;
};

/// Made by SegmentStore::begin_run. Not thread-safe, one call at a time. Destroyed unsealed, its bytes are dead space.
/// After an error only destruction is allowed.
class RunWriter {
 public:
  /// For SegmentStore only. `segment` counts this writer already and has its place reserved.
  struct Place {
    std::shared_ptr<Segment> segment;
    std::shared_ptr<disk::File> file;
    TenantId tenant;
    GenId gen;
    std::uint64_t gen_offset = 0;
    std::uint64_t length_max = 0;
    std::uint64_t start = 0;      // first byte of the place in the file
    std::uint64_t extend_to = 0;  // the file is to become so long before it is written to; 0: it is long enough
  };
  RunWriter(SegmentStore& store, SegmentPin pin, Place place);
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;

  /// Bytes that still fit.
  std::uint64_t room() const { return place_.length_max - length_; }
  std::uint64_t length() const { return length_; }

  /// Checksums the bytes and writes them on, several steps at a time; until then the block is kept, or copied where it
  /// is small or does not begin on a page. kTooLarge past room(). kNoSpace, kUnavailable: the disk is full or fails.
  Task<void> append(Block block);
  /// Writes what is left and the header. Requires length() > 0; nothing may follow.
  Task<SealedRun> seal();

 private:
  void checksum(BytesView bytes);
  /// Copies as much as there is room for behind the last bytes gathered; the rest of `bytes`.
  BytesView gather(BytesView bytes);
  /// What was gathered becomes a piece to write, with zeros up to the next block.
  void end_gathering();
  /// `first` and the pieces, from `offset` on.
  Task<void> write(std::uint64_t offset, BytesView first);
  std::uint64_t run_crc64() const;

  SegmentStore& store_;
  SegmentPin pin_;
  const Place place_;
  const std::uint64_t offset_;  // of the header in the file
  const std::uint64_t lead_;    // bytes of the place before the data
  std::uint64_t length_ = 0;    // appended
  std::uint64_t written_ = 0;   // of length_, handed to the file: whole blocks
  std::vector<Block> pieces_;   // what follows them, not written yet: whole blocks, beginning on pages
  std::uint64_t pieces_bytes_ = 0;
  Pages tail_;  // of tail_size_ bytes, the first tail_used_ of them gathered; they follow the pieces
  std::size_t tail_size_ = 0, tail_used_ = 0;
  bool extended_ = false;
  std::vector<std::uint64_t> granule_crcs_;
  bool sealed_ = false;
};

}  // namespace tombolo::data
