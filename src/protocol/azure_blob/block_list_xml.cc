#include "protocol/azure_blob/block_list_xml.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/xml_input.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kDepthMax = 2;  // the list, a block
// Two tags a block, one for the list's two and the declaration, and as much again for comments.
constexpr std::size_t kTagsMax = 4 * kBlocksMax + 16;

std::optional<store::BlockSource> source_of(std::string_view element) {
  if (element == "Committed") return store::BlockSource::kCommitted;
  if (element == "Uncommitted") return store::BlockSource::kUncommitted;
  if (element == "Latest") return store::BlockSource::kLatest;
  return std::nullopt;
}

Result<store::BlockChoice> block(const pugi::xml_node& node) {
  const std::optional<store::BlockSource> source = source_of(node.name());
  if (!source) return malformed_xml("A block list holds Committed, Uncommitted and Latest.");
  TRY_ASSIGN(const std::string text, only_text(node));
  if (text.empty()) return refuse(codes::kInvalidBlockId, "A block id is empty.");
  store::BlockChoice choice;
  choice.source = *source;
  TRY_ASSIGN(choice.block_id, parse_block_id(text));
  return choice;
}

}  // namespace

Result<std::string> parse_block_id(std::string_view base64) {
  const std::optional<Bytes> raw = base64_decode(base64);
  if (!raw || raw->empty()) return refuse(codes::kInvalidBlockId, "");
  if (raw->size() > kBlockIdBytesMax) {
    return refuse(codes::kInvalidBlockId, fmt::format("A block id has at most {} bytes.", kBlockIdBytesMax));
  }
  return std::string(as_text(*raw));
}

Result<std::vector<store::BlockChoice>> parse_block_list(std::string_view xml) {
  const XmlShape shape{
      .root = "BlockList", .depth_max = kDepthMax, .tags_max = kTagsMax, .too_many_tags = codes::kBlockListTooLong};
  pugi::xml_document document;
  TRY_ASSIGN(const pugi::xml_node list, load_xml(document, xml, shape));

  std::vector<store::BlockChoice> blocks;
  for (const pugi::xml_node& child : list.children()) {
    if (child.type() == pugi::node_comment) continue;
    if (child.type() != pugi::node_element) return malformed_xml("There is text between the blocks.");
    TRY_ASSIGN(store::BlockChoice choice, block(child));
    if (blocks.size() == kBlocksMax) return refuse(codes::kBlockListTooLong, "");
    blocks.push_back(std::move(choice));
  }
  return blocks;
}

}  // namespace tombolo::azure_blob
