// Block lists: what was understood says the same when it is written anew, and nothing may stand around it.
#include "protocol/azure_blob/block_list_xml.h"

#include "base/encoding.h"
#include "testing/fuzz.h"

namespace tombolo::azure_blob {
namespace {

std::string_view element_of(store::BlockSource source) {
  switch (source) {
    case store::BlockSource::kCommitted:
      return "Committed";
    case store::BlockSource::kUncommitted:
      return "Uncommitted";
    case store::BlockSource::kLatest:
      return "Latest";
  }
  return {};
}

std::string written(const std::vector<store::BlockChoice>& blocks) {
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (const store::BlockChoice& block : blocks) {
    const std::string element(element_of(block.source));
    out += "<" + element + ">" + base64_encode(as_bytes(block.block_id)) + "</" + element + ">\n";
  }
  return out + "</BlockList>";
}

void check_same(const std::vector<store::BlockChoice>& blocks, const std::string& xml) {
  const auto again = parse_block_list(xml);
  ASSERT(again.ok() && again->size() == blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ASSERT((*again)[i].source == blocks[i].source && (*again)[i].block_id == blocks[i].block_id);
  }
}

}  // namespace

FUZZ(azure_block_list) {
  const fuzz::Exact copy(as_text(input));
  const std::string xml(copy.text());
  const auto blocks = parse_block_list(copy.text());
  if (blocks.ok()) {
    ASSERT(blocks->size() <= kBlocksMax && is_utf8(xml) && xml.find('\0') == std::string::npos);
    for (const store::BlockChoice& block : *blocks) {
      ASSERT(!block.block_id.empty() && block.block_id.size() <= kBlockIdBytesMax);
    }
    check_same(*blocks, written(*blocks));
    check_same(*blocks, xml + " \r\n<!-- behind -->\n");
    for (const char* more : {"x", "<BlockList/>", "<", "&amp;", "<?pi x?>", "<![CDATA[x]]>"}) {
      ASSERT(!parse_block_list(xml + more).ok());
    }
    ASSERT(!parse_block_list("<!DOCTYPE BlockList>" + xml).ok());
  }
  if (const auto id = parse_block_id(copy.text()); id.ok()) ASSERT(base64_encode(as_bytes(*id)) == xml);
}

}  // namespace tombolo::azure_blob
