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

  /// Checksums the bytes and writes them on in steps, without a copy where they begin on a page and many come at once.
  /// `bytes` must stay alive until the task has ended. kTooLarge past room(). kNoSpace, kUnavailable: the disk is full
  /// or fails.
  Task<void> append(BytesView bytes);
  /// Writes what is left and the header. Requires length() > 0; nothing may follow.
  Task<SealedRun> seal();

 private:
  void checksum(BytesView bytes);
  /// Copies as much as there is room for in the buffer; the rest of `bytes`.
  BytesView gather(BytesView bytes);
  Task<void> write(std::uint64_t offset, BytesView bytes);
  Task<void> flush();
  std::uint64_t run_crc64() const;

  SegmentStore& store_;
  SegmentPin pin_;
  const Place place_;
  const std::uint64_t offset_;  // of the header in the file
  const std::uint64_t lead_;    // bytes of the place before the data
  std::uint64_t length_ = 0;    // appended
  std::uint64_t written_ = 0;   // of length_, handed to the file: whole blocks
  Pages buffer_;                // lead_ bytes for the header, then gathered_ bytes that follow what is written
  std::size_t gathered_ = 0;
  bool extended_ = false;
  std::vector<std::uint64_t> granule_crcs_;
  bool sealed_ = false;
};

}  // namespace tombolo::data
