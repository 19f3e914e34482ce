#include "data/scan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "async/byte_stream.h"
#include "base/crc64.h"

namespace tombolo::data {

namespace {

constexpr int kUnreadableMax = 256;  // reads that the device fails, each after its own patience

Task<std::uint64_t> length_of(disk::File& file) {
  co_return co_await file.size();
}

/// Reads a file front to back, in steps, any small piece at a time.
class Window {
 public:
  Window(disk::File& file, std::uint64_t file_bytes, StopAsked stop_asked)
      : file_(file), stop_asked_(std::move(stop_asked)), file_bytes_(file_bytes) {}

  /// The bytes at `offset`, at most kRunHeaderBytes; nullopt past the end, and where the device fails to read them.
  Task<std::optional<RunHeaderBytes>> header_at(std::uint64_t offset) {
    if (offset < begin_ || offset + kRunHeaderBytes > begin_ + bytes_.size()) {
      CO_TRY_ASSIGN(const bool there, fill(offset));
      if (!there) co_return std::optional<RunHeaderBytes>{};
    }
    RunHeaderBytes out;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset - begin_), kRunHeaderBytes, out.begin());
    co_return std::optional<RunHeaderBytes>(out);
  }

  /// As it was last found to be.
  std::uint64_t file_bytes() const { return file_bytes_; }
  /// Pieces that could not be read.
  std::uint32_t given_up() const { return given_up_; }

 private:
  /// False when the file has no header's length at `offset`. It may be cut while it is read: sealing a segment gives
  /// back what lies behind its last run.
  Task<bool> fill(std::uint64_t offset) {
    // A sector that cannot be read hides what lies in it, and nothing beside it. Each try of it takes the device's
    // patience, seconds maybe: around it the steps are short.
    std::uint64_t length = offset < short_until_ ? kBlockBytes : kStreamStep;
    while (offset + kRunHeaderBytes <= file_bytes_) {
      CO_CHECK(go_on(stop_asked_));  // seconds may lie between two reads
      begin_ = offset;
      bytes_.resize(std::min(length, file_bytes_ - offset));
      const auto read = co_await file_.read(begin_, bytes_);
      if (read.ok()) co_return true;
      const std::uint64_t end = begin_ + bytes_.size();
      bytes_.clear();
      if (read.error().code == Code::kUnavailable) {
        if (++unreadable_ > kUnreadableMax) co_return read.error();
        if (length == kRunHeaderBytes) {
          ++given_up_;
          co_return false;
        }
        short_until_ = std::max(short_until_, end);
        length = length == kStreamStep ? kBlockBytes : kRunHeaderBytes;
        continue;
      }
      if (read.error().code != Code::kOutOfRange) co_return read.error();
      CO_TRY_ASSIGN(const std::uint64_t now, length_of(file_));
      if (now >= file_bytes_) co_return read.error();
      file_bytes_ = now;
    }
    co_return false;
  }

  disk::File& file_;
  const StopAsked stop_asked_;
  int unreadable_ = 0;  // tries
  std::uint32_t given_up_ = 0;
  std::uint64_t short_until_ = 0;
  std::uint64_t file_bytes_;
  std::uint64_t begin_ = 0;
  Bytes bytes_;
};

Task<bool> data_verifies(disk::File& file, std::uint64_t offset, RunHeader header, std::uint64_t file_bytes,
                         const StopAsked& stop_asked) {
  if (data_offset(offset) + header.length > file_bytes) co_return false;
  Bytes step(std::min<std::uint64_t>(kStreamStep, header.length));
  std::uint64_t crc = 0;
  for (std::uint64_t at = 0; at < header.length;) {
    CO_CHECK(go_on(stop_asked));
    const std::uint64_t length = std::min<std::uint64_t>(step.size(), header.length - at);
    const MutableBytes part = MutableBytes(step).first(length);
    const auto read = co_await file.read(data_offset(offset) + at, part);
    if (!read.ok() && read.error().code == Code::kUnavailable) co_return false;
    CO_CHECK(read);
    crc = crc64(part, crc);
    at += length;
  }
  co_return crc == header.crc64;
}

}  // namespace

Task<SegmentScan> scan_segment(disk::File& file, ScanDepth depth, StopAsked stop_asked) {
  SegmentScan scan;
  CO_TRY_ASSIGN(scan.file_bytes, length_of(file));
  if (scan.file_bytes < kSegmentHeaderBytes) co_return Error{Code::kCorrupt, "the segment is shorter than its header"};
  SegmentHeaderBytes raw;
  CO_TRY(file.read(0, raw));
  CO_CHECK_ASSIGN(scan.header, decode_segment_header(raw));

  Window window(file, scan.file_bytes, stop_asked);
  for (std::uint64_t start = kSegmentHeaderBytes; start < window.file_bytes();) {
    std::uint64_t next = start + kBlockBytes;
    const std::uint32_t given_up = window.given_up();
    bool found = false;
    for (const std::uint64_t offset : {start, start + kBlockBytes - kRunHeaderBytes}) {
      CO_TRY_ASSIGN(const auto candidate, window.header_at(offset));
      if (!candidate) continue;
      const auto header = decode_run_header(*candidate, scan.header.incarnation);
      if (!header.ok()) continue;
      bool verified = false;
      if (depth == ScanDepth::kData) {
        CO_TRY_ASSIGN(verified, data_verifies(file, offset, *header, window.file_bytes(), stop_asked));
      }
      scan.runs.push_back({.offset = offset, .header = *header, .verified = verified});
      next = start + occupied_bytes(offset, header->length);
      found = true;
      break;
    }
    if (!found) scan.unreadable += window.given_up() - given_up;
    start = next;
  }
  scan.file_bytes = window.file_bytes();
  co_return scan;
}

}  // namespace tombolo::data
