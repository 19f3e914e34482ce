#include <fmt/format.h>

#include "base/crc64.h"
#include "base/times.h"
#include "base/units.h"
#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/range.h"
#include "protocol/azure_blob/read_failure.h"
#include "protocol/azure_blob/structured_body.h"
#include "store/md5_pipeline.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::uint64_t kRangeDigestBytesMax = 4 * kMiB;

enum class RangeDigest { kNone, kMd5, kCrc64 };

Result<RangeDigest> parse_digest(const http::Headers& headers, const std::optional<store::ByteRange>& range) {
  TRY_ASSIGN(const bool md5, flag(headers, "x-ms-range-get-content-md5"));
  TRY_ASSIGN(const bool crc, flag(headers, "x-ms-range-get-content-crc64"));
  if (!md5 && !crc) return RangeDigest::kNone;
  if (md5 && crc) return refuse(codes::kBothCrc64AndMd5RangeHeaderPresent, "");
  // The Java SDK asks for the checksum of "bytes=0--1" too, of an empty blob.
  if (!range && names_range(headers)) return RangeDigest::kNone;
  if (!range) return refuse(codes::kInvalidHeaderValue, "A checksum of the range needs a range.");
  return md5 ? RangeDigest::kMd5 : RangeDigest::kCrc64;
}

/// If-Range: the client has part of this version, and wants the rest of no other one.
bool is_same_version(std::string_view if_range, const meta::Object& object) {
  return if_range == etag_header(object.etag_stamp) || if_range == http_date(time_of(object.etag_stamp));
}

/// What is answered instead of `found`, the range of whatever version there is: all of it, and the range is forgotten,
/// when If-Range names another version.
Task<store::ObjectReader> heed_if_range(const Call& call, std::optional<store::ByteRange>& range,
                                        const meta::Conditions& conditions, Result<store::ObjectReader> found) {
  CO_CHECK_ASSIGN(const std::optional<std::string_view> if_range, only(call.head.headers, "If-Range"));
  const bool decides = if_range && (found.ok() || found.error().code == Code::kOutOfRange);
  if (!decides || (found.ok() && is_same_version(*if_range, found->object))) co_return found;
  Result<store::ObjectReader> whole = co_await call.store.get_object(call.object(), {}, conditions);
  if (!found.ok() && whole.ok() && is_same_version(*if_range, whole->object)) co_return found;
  range.reset();
  co_return whole;
}

Task<Md5Digest> md5_of(const Call& call, ByteSource& body) {
  store::Md5Pipeline md5(call.workers);
  while (true) {
    CO_TRY_ASSIGN(Block block, body.next());
    if (block.empty()) break;
    CO_TRY(md5.add(std::move(block)));
  }
  co_return co_await md5.finish();
}

Task<std::uint64_t> crc64_of(ByteSource& body) {
  std::uint64_t crc = 0;
  while (true) {
    CO_TRY_ASSIGN(const Block block, body.next());
    if (block.empty()) co_return crc;
    crc = crc64(block.view(), crc);
  }
}

// The head tells it, so the range is read twice: a client that takes its time would else hold all of it in memory. What
// a remote gave the first time is in the block cache.
Task<void> add_range_digest(const Call& call, RangeDigest digest, store::ObjectReader& reader, Reply& reply) {
  if (reader.length > kRangeDigestBytesMax) {
    co_return refuse(codes::kOutOfRangeInput, "A checksum of a range is given for at most 4 MiB.");
  }
  if (digest == RangeDigest::kCrc64) {
    CO_TRY_ASSIGN(const std::uint64_t crc, crc64_of(*reader.body));
    reply.headers.add("x-ms-content-crc64", crc64_text(crc));
  } else {
    CO_TRY_ASSIGN(const Md5Digest md5, md5_of(call, *reader.body));
    reply.headers.add("Content-MD5", md5_text(md5));
  }
  co_return co_await reader.body->rewind();
}

void add_content(Reply& reply, const store::ObjectReader& reader, bool partial) {
  const std::optional<Md5Digest>& md5 = reader.object.headers.content_md5;
  if (!partial) {
    if (md5) reply.headers.add("Content-MD5", md5_text(*md5));
    return;
  }
  reply.status = 206;
  reply.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", reader.offset, reader.offset + reader.length - 1,
                                                 reader.object.length));
  if (md5) reply.headers.add("x-ms-blob-content-md5", md5_text(*md5));
}

}  // namespace

Task<Reply> get_blob(const Call& call) {
  const http::Headers& headers = call.head.headers;
  CO_CHECK_ASSIGN(std::optional<store::ByteRange> range, parse_range(headers));
  CO_CHECK_ASSIGN(const RangeDigest digest, parse_digest(headers, range));
  CO_CHECK_ASSIGN(const bool structured, is_structured(headers));
  if (structured && digest != RangeDigest::kNone) {
    co_return refuse(codes::kInvalidHeaderValue, "A structured body has its checksums within, and no others.");
  }
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_read_conditions(headers));
  const auto reads = digest == RangeDigest::kNone ? store::Reads::kOnce : store::Reads::kTwice;
  Result<store::ObjectReader> found = co_await call.store.get_object(call.object(), range, conditions, reads);
  if (range) found = co_await heed_if_range(call, range, conditions, std::move(found));
  if (!found.ok()) co_return co_await fail_read(call, found.error(), std::move(conditions));
  store::ObjectReader reader = *std::move(found);
  Reply reply;
  add_object(reply.headers, reader.object);
  add_content(reply, reader, range.has_value());
  apply_overrides(reply.headers, call.who.overrides);
  if (range && digest != RangeDigest::kNone) {
    CO_TRY(add_range_digest(call, digest, reader, reply));
  }
  if (structured) {
    reply.headers.add("x-ms-structured-body", kStructuredBody);
    reply.headers.add("x-ms-structured-content-length", std::to_string(reader.length));
    reply.stream_length = structured_length(reader.length);
    reply.stream = make_structured(std::move(reader.body), reader.length);
    co_return reply;
  }
  reply.stream_length = reader.length;
  reply.stream = std::move(reader.body);
  co_return reply;
}

}  // namespace tombolo::azure_blob
