#include "data/run_writer.h"

#include <algorithm>
#include <utility>

#include "async/byte_stream.h"
#include "base/assert.h"
#include "base/crc64.h"
#include "data/segment_store_state.h"

namespace tombolo::data {

namespace {

static_assert(kBlockBytes == kPageBytes && kStreamStep % kBlockBytes == 0, "steps of a run are fit for direct writes");

/// Appends of at least so much are written from where they are; smaller ones are gathered first.
constexpr std::size_t kUncopiedBytesMin = 64 * 1024;

}  // namespace

RunWriter::RunWriter(SegmentStore& store, SegmentPin pin, Place place)
    : store_(store),
      pin_(std::move(pin)),
      place_(std::move(place)),
      offset_(header_offset(place_.start, place_.length_max)),
      lead_(data_offset(offset_) - place_.start) {}

RunWriter::~RunWriter() {
  const std::uint64_t used = sealed_ ? occupied_bytes(offset_, length_) : 0;
  store_.state_->writer_gone(place_.segment, place_.start, place_.length_max, used);
}

Task<void> RunWriter::append(BytesView bytes) {
  ASSERT(!sealed_);
  if (bytes.size() > room()) co_return Error{Code::kTooLarge, "more bytes than the run was begun for"};
  checksum(bytes);
  length_ += bytes.size();
  // A run of one step goes out in one write with its header; larger ones skip the copy where they can.
  const bool uncopied = gathered_ == 0 && place_.length_max > kStreamStep && bytes.size() >= kUncopiedBytesMin &&
                        is_page_aligned(bytes.data());
  if (uncopied) {
    const BytesView blocks = bytes.first(bytes.size() / kBlockBytes * kBlockBytes);
    CO_TRY(write(place_.start + lead_ + written_, blocks));
    written_ += blocks.size();
    bytes = bytes.subspan(blocks.size());
  }
  while (!bytes.empty()) {
    bytes = gather(bytes);
    if (gathered_ == kStreamStep && length_ > kStreamStep) {
      CO_TRY(flush());
    }
  }
  co_return Result<void>{};
}

BytesView RunWriter::gather(BytesView bytes) {
  const std::size_t most = std::min<std::uint64_t>(kStreamStep, place_.length_max - written_);
  if (!buffer_) buffer_ = make_pages(round_to_pages(lead_ + most));
  const std::size_t step = std::min(bytes.size(), most - gathered_);
  std::copy_n(bytes.begin(), step, buffer_.get() + lead_ + gathered_);
  gathered_ += step;
  return bytes.subspan(step);
}

/// What was gathered, as whole blocks; only the last time may it end within one.
Task<void> RunWriter::flush() {
  ASSERT(lead_ == kBlockBytes && written_ % kBlockBytes == 0);
  const std::size_t blocks = round_to_pages(gathered_);
  std::fill_n(buffer_.get() + lead_ + gathered_, blocks - gathered_, std::byte{});
  CO_TRY(write(place_.start + lead_ + written_, {buffer_.get() + lead_, blocks}));
  written_ += gathered_;
  gathered_ = 0;
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
  // With all of a short run, or alone in its block.
  const std::size_t behind = written_ == 0 ? gathered_ : 0;
  if (gathered_ > behind) {
    CO_TRY(flush());
  }
  if (!buffer_) buffer_ = make_pages(kBlockBytes);
  const std::size_t blocks = round_to_pages(lead_ + behind);
  std::fill_n(buffer_.get(), lead_ - encoded.size(), std::byte{});
  std::copy(encoded.begin(), encoded.end(), buffer_.get() + lead_ - encoded.size());
  std::fill_n(buffer_.get() + lead_ + behind, blocks - lead_ - behind, std::byte{});
  CO_TRY(write(place_.start, {buffer_.get(), blocks}));
  sealed_ = true;
  co_return SealedRun{std::move(place), std::move(pin_)};
}

Task<void> RunWriter::write(std::uint64_t offset, BytesView bytes) {
  Result<void> result;
  if (place_.extend_to > 0 && !std::exchange(extended_, true)) result = co_await place_.file->extend(place_.extend_to);
  if (result.ok()) result = co_await place_.file->write_direct(offset, bytes);
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
