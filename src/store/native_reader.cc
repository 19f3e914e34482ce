#include "store/native_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/crc64.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "remote/remote.h"

namespace tombolo::store {
namespace {

constexpr int kBreaksMax = 3;  // in a row, without a block in between

bool worth_another_try(const Error& error) {
  return (error.code == Code::kUnavailable || error.code == Code::kDeadline) && error.detail != remote::kGaveUp;
}

}  // namespace

NativeReader::NativeReader(std::shared_ptr<remote::Remote> remote, NativeStretch stretch, GranuleHook verified)
    : remote_(std::move(remote)),
      stretch_(std::move(stretch)),
      verified_(std::move(verified)),
      at_offset_(stretch_.offset),
      end_offset_(stretch_.offset) {
  ASSERT(!stretch_.granules.empty());
  for (const NativeGranule& granule : stretch_.granules) end_offset_ += granule.length;
}

NativeReader::~NativeReader() = default;

Error NativeReader::explain(const Error& cause) const {
  const auto told = [&](Code code, std::string_view what) {
    return Error{code, fmt::format("remote \"{}\", key \"{}\": {} ({})", stretch_.place.remote, stretch_.place.key,
                                   what, cause.message)};
  };
  switch (cause.code) {
    case Code::kChangedOutside:
    case Code::kConditionFailed:
      return told(Code::kChangedOutside, "the object is no longer the one that was offloaded; it was changed outside");
    case Code::kNotFound:
      return told(Code::kChangedOutside, "the object is gone; it was deleted outside");
    case Code::kOutOfRange:
      return told(Code::kChangedOutside, "the object is shorter than what was offloaded; it was changed outside");
    case Code::kCorrupt:
      return told(Code::kCorrupt, "the bytes do not verify");
    case Code::kCancelled:
      return cause;
    case Code::kInvalid:
    case Code::kAlreadyExists:
    case Code::kConflict:
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
    case Code::kTooLarge:
    case Code::kUnsupported:
    case Code::kBusy:
    case Code::kNoSpace:
    case Code::kUnavailable:
    case Code::kDeadline:
    case Code::kUnknownOutcome:
    case Code::kInternal:
      break;
  }
  return told(Code::kUnavailable, "it cannot be read now");
}

Task<void> NativeReader::open() {
  remote::GetRequest request;
  request.key = stretch_.place.key;
  request.if_etag = stretch_.place.etag;
  request.offset = at_offset_;
  request.length = end_offset_ - at_offset_;
  request.again = std::exchange(again_, false);
  received_ = {};
  CO_TRY_ASSIGN(body_, remote_->get(std::move(request)));
  co_return Result<void>{};
}

Task<void> NativeReader::receive(MutableBytes out) {
  while (!out.empty()) {
    if (received_.empty()) {
      CO_TRY_ASSIGN(received_, body_->next());
      if (received_.empty()) co_return Error{Code::kUnavailable, "the body ended early"};
    }
    const std::size_t length = std::min(out.size(), received_.size());
    std::memcpy(out.data(), received_.view().data(), length);
    received_ = received_.slice(length, received_.size() - length);
    out = out.subspan(length);
  }
  co_return Result<void>{};
}

// The next bytes of the stretch, asked for again where they break off.
Task<void> NativeReader::fill(MutableBytes out) {
  while (true) {
    Result<void> done;
    if (body_ == nullptr) done = co_await open();
    if (done.ok()) done = co_await receive(out);
    if (done.ok()) break;
    body_.reset();
    if (done.error().detail == remote::kNoRetryLeft) co_return done.error();
    if (!worth_another_try(done.error()) || ++broken_ > kBreaksMax) co_return explain(done.error());
    log(LogLevel::kWarn, "store", "remote \"{}\", key \"{}\": asking again from byte {}: {}", stretch_.place.remote,
        stretch_.place.key, at_offset_, done.error().message);
  }
  broken_ = 0;
  co_return Result<void>{};
}

// Where in the native object the first of the next `count` granules begins that `bytes` do not fit.
std::optional<std::uint64_t> NativeReader::find_wrong(BytesView bytes, std::size_t count) const {
  if (planted(PlantedBug::ignore_remote_checksum)) return std::nullopt;
  std::size_t offset = 0;
  for (std::size_t n = at_; n < at_ + count; ++n) {
    const NativeGranule& granule = stretch_.granules[n];
    if (crc64(bytes.subspan(offset, granule.length)) != granule.crc64) return at_offset_ + offset;
    offset += granule.length;
  }
  return std::nullopt;
}

Task<Block> NativeReader::next() {
  std::size_t count = 0;
  std::size_t length = 0;
  while (at_ + count < stretch_.granules.size() && length + stretch_.granules[at_ + count].length <= kStreamStep) {
    length += stretch_.granules[at_ + count].length;
    ++count;
  }
  if (count == 0) co_return Block();

  Bytes bytes(length);
  CO_TRY(fill(bytes));
  if (const auto first = find_wrong(bytes, count)) {
    log(LogLevel::kWarn, "store", "remote \"{}\", key \"{}\": the bytes at {} do not verify; asking for them once more",
        stretch_.place.remote, stretch_.place.key, *first);
    const Error corrupt{Code::kCorrupt, fmt::format("at byte {}", *first)};
    body_.reset();
    again_ = true;
    const auto filled = co_await fill(bytes);
    if (!filled.ok()) co_return filled.error().detail == remote::kNoRetryLeft ? explain(corrupt) : filled.error();
    if (const auto wrong = find_wrong(bytes, count)) {
      co_return explain(Error{Code::kCorrupt, fmt::format("at byte {}, asked for twice", *wrong)});
    }
  }
  if (verified_) {
    std::size_t offset = 0;
    for (std::size_t n = at_; n < at_ + count; ++n) {
      verified_(stretch_.granules[n], BytesView(bytes).subspan(offset, stretch_.granules[n].length));
      offset += stretch_.granules[n].length;
    }
  }
  at_ += count;
  at_offset_ += length;
  co_return Block(std::move(bytes));
}

}  // namespace tombolo::store
