#include "data/run_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "async/byte_stream.h"
#include "base/assert.h"
#include "base/crc64.h"
#include "base/server_fault.h"
#include "data/segment_store_state.h"

namespace tombolo::data {

namespace {

static_assert(kBlockBytes == kPageBytes && kStreamStep % kBlockBytes == 0, "steps of a run are fit for direct writes");

/// Appends of at least so much are written from where they are; smaller ones are gathered first.
constexpr std::size_t kUncopiedBytesMin = 64 * 1024;
/// So much is written at a time: a write costs two changes of thread and a call of the device.
constexpr std::uint64_t kWriteBytes = 2 * kStreamStep;

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

Task<void> RunWriter::append(Block block) {
  ASSERT(!sealed_);
  if (block.size() > room()) co_return Error{Code::kTooLarge, "more bytes than the run was begun for"};
  BytesView bytes = block.view();
  checksum(bytes);
  length_ += bytes.size();
  const bool packed = lead_ < kBlockBytes;
  if (!packed && tail_used_ == 0 && bytes.size() >= kUncopiedBytesMin && is_page_aligned(bytes.data())) {
    const std::size_t whole = bytes.size() / kBlockBytes * kBlockBytes;
    pieces_.push_back(block.slice(0, whole));
    pieces_bytes_ += whole;
    bytes = bytes.subspan(whole);
  }
  while (!bytes.empty()) {
    bytes = gather(bytes);
    if (tail_used_ == kStreamStep) end_gathering();
  }
  if (pieces_bytes_ >= kWriteBytes) {
    CO_TRY(write(place_.start + lead_ + written_, {}));
  }
  co_return Result<void>{};
}

BytesView RunWriter::gather(BytesView bytes) {
  if (!tail_) {
    tail_used_ = lead_ < kBlockBytes ? lead_ : 0;
    const std::uint64_t most = tail_used_ + place_.length_max - written_ - pieces_bytes_;
    tail_size_ = std::min<std::uint64_t>(kStreamStep, round_to_pages(most));
    tail_ = make_pages(tail_size_);
  }
  const std::size_t step = std::min(bytes.size(), tail_size_ - tail_used_);
  std::copy_n(bytes.begin(), step, tail_.get() + tail_used_);
  tail_used_ += step;
  return bytes.subspan(step);
}

void RunWriter::end_gathering() {
  if (!tail_) return;
  const std::size_t size = round_to_pages(tail_used_);
  std::fill_n(tail_.get() + tail_used_, size - tail_used_, std::byte{});
  const BytesView bytes(tail_.get(), size);
  pieces_.emplace_back(std::shared_ptr<const void>(std::move(tail_)), bytes);
  pieces_bytes_ += size;
  tail_used_ = tail_size_ = 0;
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
  if (lead_ < kBlockBytes) {
    std::copy(encoded.begin(), encoded.end(), tail_.get());
    end_gathering();
    CO_TRY(write(place_.start, {}));
  } else {
    end_gathering();
    PageBytes first(kBlockBytes);
    std::copy(encoded.begin(), encoded.end(), first.end() - encoded.size());
    if (written_ > 0 && !pieces_.empty()) {
      CO_TRY(write(place_.start + lead_ + written_, {}));
    }
    CO_TRY(write(place_.start, first));
  }
  sealed_ = true;
  co_return SealedRun{std::move(place), std::move(pin_)};
}

Task<void> RunWriter::write(std::uint64_t offset, BytesView first) {
  std::array<BytesView, disk::File::kPiecesMax> all;
  std::size_t count = 0;
  if (!first.empty()) all[count++] = first;
  ASSERT(count + pieces_.size() <= all.size());
  for (const Block& piece : pieces_) all[count++] = piece.view();
  Result<void> result;
  if (place_.extend_to > 0 && !std::exchange(extended_, true)) result = co_await place_.file->extend(place_.extend_to);
  const std::span<const BytesView> views(all.data(), count);
  if (result.ok()) result = co_await place_.file->write_direct(offset, views);
  written_ += pieces_bytes_;
  pieces_bytes_ = 0;
  pieces_.clear();
  // A full disk heals and a busy one calms down; a device that fails gets no more runs in this file.
  if (!result.ok() && result.error().code != Code::kNoSpace && result.error().code != Code::kBusy) {
    store_.state_->retire(place_.segment);
  }
  if (!result.ok()) co_return server_fault(std::move(result).error());
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
