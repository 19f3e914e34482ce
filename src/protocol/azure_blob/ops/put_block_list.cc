#include "async/workers.h"
#include "base/crc64.h"
#include "protocol/azure_blob/block_list_xml.h"
#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_headers.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/write_reply.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kInlineParseBytes = 64 * 1024;  // a longer list is parsed on a worker

struct Parsed {
  std::vector<store::BlockChoice> blocks;
  std::uint64_t crc64 = 0;
  std::optional<Md5Digest> md5;  // where the client promised one
};

// Pure: it runs on an event loop or on a worker.
Result<Parsed> check_and_parse(const Bytes& xml, const store::ExpectedDigests& expected) {
  Parsed parsed;
  parsed.crc64 = crc64(xml);
  if (expected.crc64 && *expected.crc64 != parsed.crc64) return refuse(codes::kCrc64Mismatch, "");
  if (expected.md5) parsed.md5 = md5(xml);
  if (expected.md5 && *expected.md5 != *parsed.md5) return refuse(codes::kMd5Mismatch, "");
  TRY_ASSIGN(parsed.blocks, parse_block_list(as_text(xml)));
  return parsed;
}

Task<Parsed> read_list(const Call& call) {
  CO_CHECK_ASSIGN(const store::ExpectedDigests expected, parse_expected_digests(call.head.headers));
  CO_CHECK_ASSIGN(const std::uint64_t length, body_length(call.head, kBlockListBytesMax));
  CO_TRY_ASSIGN(Bytes xml, read_all(call.body, length));
  if (xml.size() <= kInlineParseBytes) co_return check_and_parse(xml, expected);
  auto work = [xml = std::move(xml), expected] { return check_and_parse(xml, expected); };
  co_return co_await offload(call.workers, std::move(work));
}

Result<store::CommitBlockList> parse(const http::Headers& headers) {
  store::CommitBlockList request;
  TRY_ASSIGN(request.headers, parse_new_object_headers(headers, PlainHeaders::kIgnore));
  TRY_ASSIGN(request.metadata, parse_metadata(headers));
  TRY_ASSIGN(request.conditions, parse_conditions(headers));
  return request;
}

}  // namespace

Task<Reply> put_block_list(const Call& call) {
  CO_CHECK_ASSIGN(store::CommitBlockList request, parse(call.head.headers));
  CO_TRY_ASSIGN(Parsed list, read_list(call));
  request.blocks = std::move(list.blocks);
  CO_TRY_ASSIGN(const meta::Object object, call.store.commit_block_list(call.object(), std::move(request)));
  // Both digests are those of the list, as on Azure: the blob's own bytes were checked block by block.
  Reply reply = write_reply(object.etag_stamp, list.crc64);
  reply.status = 201;
  if (list.md5) reply.headers.add("Content-MD5", md5_text(*list.md5));
  co_return reply;
}

}  // namespace tombolo::azure_blob
