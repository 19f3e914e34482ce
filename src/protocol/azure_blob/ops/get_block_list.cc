#include "base/ascii.h"
#include "base/encoding.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

struct Wanted {
  bool committed = true, uncommitted = false;
};

Result<Wanted> parse(const Query& query) {
  const std::string_view type = query.value("blocklisttype");
  if (type.empty() || equal_ignoring_case(type, "committed")) return Wanted{true, false};
  if (equal_ignoring_case(type, "uncommitted")) return Wanted{false, true};
  if (equal_ignoring_case(type, "all")) return Wanted{true, true};
  return refuse(codes::kInvalidQueryParameterValue, "blocklisttype is committed, uncommitted or all.");
}

void write_blocks(XmlWriter& xml, std::string_view element, const std::vector<store::BlockInfo>& blocks) {
  xml.open(element);
  for (const store::BlockInfo& block : blocks) {
    // A piece that is no client's block (the whole of a Put Blob) has no id.
    if (block.block_id.empty()) continue;
    xml.open("Block");
    xml.element("Name", base64_encode(as_bytes(block.block_id)));
    xml.element("Size", block.length);
    xml.close("Block");
  }
  xml.close(element);
}

}  // namespace

Task<Reply> get_block_list(const Call& call) {
  CO_CHECK_ASSIGN(const Wanted wanted, parse(call.query));
  CO_TRY_ASSIGN(const store::BlockList list, call.store.get_block_list(call.object()));
  XmlWriter xml;
  xml.open("BlockList");
  if (wanted.committed) write_blocks(xml, "CommittedBlocks", list.committed);
  if (wanted.uncommitted) write_blocks(xml, "UncommittedBlocks", list.uncommitted);
  xml.close("BlockList");
  Reply reply = xml_reply(std::move(xml).finish());
  if (list.object) add_identity(reply.headers, list.object->etag_stamp);
  reply.headers.add("x-ms-blob-content-length", std::to_string(list.object ? list.object->length : 0));
  co_return reply;
}

}  // namespace tombolo::azure_blob
