#include "data/run_writer.h"

#include <algorithm>

#include "async/byte_stream.h"
#include "base/assert.h"
#include "base/crc64.h"
#include "data/segment_store_state.h"

namespace tombolo::data {

namespace {

/// Appends of at least so much are written from where they are; smaller ones are gathered first.
constexpr std::size_t kDirectBytesMin = 64 * 1024;

}  // namespace

RunWriter::RunWriter(SegmentStore& store, SegmentPin pin, Place place)
    : store_(store),
      pin_(std::move(pin)),
      place_(std::move(place)),
      offset_(header_offset(place_.start, place_.length_max)),
      buffer_(kRunHeaderBytes) {}

RunWriter::~RunWriter() {
  const std::uint64_t used = sealed_ ? occupied_bytes(offset_, length_) : 0;
  store_.state_->writer_gone(place_.segment, place_.start, place_.length_max, used);
}

Task<void> RunWriter::append(BytesView bytes) {
  ASSERT(!sealed_);
  if (bytes.size() > room()) co_return Error{Code::kTooLarge, "more bytes than the run was begun for"};
  checksum(bytes);
  length_ += bytes.size();
  const bool gathered = buffer_.size() > (written_ == 0 ? kRunHeaderBytes : 0);
  // A run of one step goes out in one write with its header; larger ones skip the copy where they can.
  if (!gathered && place_.length_max > kStreamStep && bytes.size() >= kDirectBytesMin) {
    CO_TRY(write(data_offset(offset_) + written_, bytes));
    written_ += bytes.size();
    buffer_.clear();
    co_return Result<void>{};
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  if (buffer_.size() >= kStreamStep + kRunHeaderBytes) {
    CO_TRY(flush());
  }
  co_return Result<void>{};
}

Task<void> RunWriter::flush() {
  const BytesView pending = BytesView(buffer_).subspan(written_ == 0 ? kRunHeaderBytes : 0);
  if (pending.empty()) co_return Result<void>{};
  CO_TRY(write(data_offset(offset_) + written_, pending));
  written_ += pending.size();
  buffer_.clear();
  co_return Result<void>{};
}

Task<SealedRun> RunWriter::seal() {
  ASSERT(!sealed_ && length_ > 0);
  RunPlace place{.segment = place_.segment->id,
                 .offset = offset_,
                 .length = length_,
                 .granule_crcs = granule_crcs_,
                 .crc64 = run_crc64()};
  const RunHeader header{.tenant = place_.tenant,
                         .gen = place_.gen,
                         .gen_offset = place_.gen_offset,
                         .length = length_,
                         .crc64 = place.crc64};
  const RunHeaderBytes encoded = encode(header, place_.segment->incarnation);
  if (written_ == 0) {
    std::copy(encoded.begin(), encoded.end(), buffer_.begin());
    CO_TRY(write(offset_, buffer_));
  } else {
    CO_TRY(flush());
    CO_TRY(write(offset_, encoded));
  }
  sealed_ = true;
  co_return SealedRun{std::move(place), std::move(pin_)};
}

Task<void> RunWriter::write(std::uint64_t offset, BytesView bytes) {
  auto result = co_await place_.file->write(offset, bytes);
  // A full disk heals and a busy one calms down; a device that fails gets no more runs in this file.
  if (!result.ok() && result.error().code != Code::kNoSpace && result.error().code != Code::kBusy) {
    store_.state_->retire(place_.segment);
  }
  co_return result;
}

void RunWriter::checksum(BytesView bytes) {
  std::uint64_t at = length_;
  while (!bytes.empty()) {
    const std::uint64_t filled = at % kGranuleBytes;
    const BytesView part = bytes.first(std::min<std::uint64_t>(bytes.size(), kGranuleBytes - filled));
    if (filled == 0) granule_crcs_.push_back(0);
    granule_crcs_.back() = crc64(part, granule_crcs_.back());
    at += part.size();
    bytes = bytes.subspan(part.size());
  }
}

std::uint64_t RunWriter::run_crc64() const {
  ASSERT(granule_crcs_.size() == granules_in(length_));
  std::uint64_t crc = 0;
  std::uint64_t at = 0;
  for (const std::uint64_t granule : granule_crcs_) {
    const std::uint64_t length = std::min(kGranuleBytes, length_ - at);
    crc = at == 0 ? granule : crc64_combine(crc, granule, length);
    at += length;
  }
  return crc;
}

}  // namespace tombolo::data
