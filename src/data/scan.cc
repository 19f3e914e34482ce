#include "data/scan.h"

#include <algorithm>
#include <optional>

#include "async/byte_stream.h"
#include "base/crc64.h"

namespace tombolo::data {

namespace {

/// Reads a file front to back, in steps, any small piece at a time.
class Window {
 public:
  Window(disk::File& file, std::uint64_t file_bytes) : file_(file), file_bytes_(file_bytes) {}

  /// The bytes at `offset`, at most kRunHeaderBytes; nullopt past the end.
  Task<std::optional<RunHeaderBytes>> header_at(std::uint64_t offset) {
    if (offset + kRunHeaderBytes > file_bytes_) co_return std::optional<RunHeaderBytes>{};
    if (offset < begin_ || offset + kRunHeaderBytes > begin_ + bytes_.size()) {
      bytes_.resize(std::min<std::uint64_t>(kStreamStep, file_bytes_ - offset));
      begin_ = offset;
      CO_TRY(file_.read(begin_, bytes_));
    }
    RunHeaderBytes out;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset - begin_), kRunHeaderBytes, out.begin());
    co_return std::optional<RunHeaderBytes>(out);
  }

 private:
  disk::File& file_;
  const std::uint64_t file_bytes_;
  std::uint64_t begin_ = 0;
  Bytes bytes_;
};

Task<bool> data_verifies(disk::File& file, std::uint64_t offset, RunHeader header, std::uint64_t file_bytes) {
  if (data_offset(offset) + header.length > file_bytes) co_return false;
  Bytes step(std::min<std::uint64_t>(kStreamStep, header.length));
  std::uint64_t crc = 0;
  for (std::uint64_t at = 0; at < header.length;) {
    const std::uint64_t length = std::min<std::uint64_t>(step.size(), header.length - at);
    const MutableBytes part = MutableBytes(step).first(length);
    CO_TRY(file.read(data_offset(offset) + at, part));
    crc = crc64(part, crc);
    at += length;
  }
  co_return crc == header.crc64;
}

}  // namespace

Task<SegmentScan> scan_segment(disk::File& file, ScanDepth depth) {
  SegmentScan scan;
  CO_TRY_ASSIGN(scan.file_bytes, file.size());
  if (scan.file_bytes < kSegmentHeaderBytes) co_return Error{Code::kCorrupt, "the segment is shorter than its header"};
  SegmentHeaderBytes raw;
  CO_TRY(file.read(0, raw));
  CO_CHECK_ASSIGN(scan.header, decode_segment_header(raw));

  Window window(file, scan.file_bytes);
  for (std::uint64_t start = kSegmentHeaderBytes; start < scan.file_bytes;) {
    std::uint64_t next = start + kBlockBytes;
    for (const std::uint64_t offset : {start, start + kBlockBytes - kRunHeaderBytes}) {
      CO_TRY_ASSIGN(const auto candidate, window.header_at(offset));
      if (!candidate) continue;
      const auto header = decode_run_header(*candidate, scan.header.incarnation);
      if (!header.ok()) continue;
      bool verified = false;
      if (depth == ScanDepth::kData) {
        CO_TRY_ASSIGN(verified, data_verifies(file, offset, *header, scan.file_bytes));
      }
      scan.runs.push_back({.offset = offset, .header = *header, .verified = verified});
      next = start + occupied_bytes(offset, header->length);
      break;
    }
    start = next;
  }
  co_return scan;
}

}  // namespace tombolo::data
