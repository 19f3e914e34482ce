#include "protocol/azure_blob/block_list_xml.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "base/encoding.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kDepthMax = 2;  // the list, a block
// Two tags a block, one for the list's two and the declaration, and as much again for comments.
constexpr std::size_t kTagsMax = 4 * kBlocksMax + 16;

Error malformed(std::string why) {
  return refuse(codes::kInvalidXmlDocument, std::move(why));
}

// Bounds what the parser will build, before it builds it: pugixml has no limits of its own. Tags inside comments and
// CDATA count as well, which only makes the bound tighter.
Result<void> check_shape(std::string_view xml) {
  std::size_t tags = 0, depth = 0;
  for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    if (++tags > kTagsMax) return refuse(codes::kBlockListTooLong, "");
    const char next = at + 1 < xml.size() ? xml[at + 1] : '\0';
    if (next == '?' || next == '!') continue;
    if (next == '/') {
      if (depth > 0) --depth;
      continue;
    }
    const std::size_t end = xml.find('>', at);
    if (end == std::string_view::npos) return malformed("A tag does not end.");
    if (xml[end - 1] != '/' && ++depth > kDepthMax) return malformed("Elements are nested too deep.");
  }
  return {};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::optional<store::BlockSource> source_of(std::string_view element) {
  if (element == "Committed") return store::BlockSource::kCommitted;
  if (element == "Uncommitted") return store::BlockSource::kUncommitted;
  if (element == "Latest") return store::BlockSource::kLatest;
  return std::nullopt;
}

Result<store::BlockChoice> block(const pugi::xml_node& node) {
  const std::optional<store::BlockSource> source = source_of(node.name());
  if (!source || node.first_attribute()) {
    return malformed("A block list holds Committed, Uncommitted and Latest, without attributes.");
  }
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_comment) continue;
    if (child.type() != pugi::node_pcdata && child.type() != pugi::node_cdata) {
      return malformed("A block is not only a block id.");
    }
    text += child.value();
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return refuse(codes::kInvalidBlockId, "A block id is empty.");
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  store::BlockChoice choice;
  choice.source = *source;
  TRY_ASSIGN(choice.block_id, parse_block_id(text));
  return choice;
}

Result<pugi::xml_node> only_element(const pugi::xml_document& document) {
  pugi::xml_node list;
  for (const pugi::xml_node& child : document.children()) {
    switch (child.type()) {
      case pugi::node_comment:
      case pugi::node_declaration:
        break;
      case pugi::node_element:
        if (list) return malformed("There is more than one document.");
        list = child;
        break;
      case pugi::node_pcdata:
      case pugi::node_cdata:
        if (!is_blank(child.value())) return malformed("There is text around the document.");
        break;
      case pugi::node_doctype:
        return malformed("A DOCTYPE is not allowed.");
      case pugi::node_null:
      case pugi::node_document:
      case pugi::node_pi:
        return malformed("Processing instructions are not allowed.");
    }
  }
  if (std::string_view(list.name()) != "BlockList") return malformed("The document is no BlockList.");
  return list;
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
  if (!is_utf8(xml) || xml.find('\0') != std::string_view::npos) return malformed("It is not UTF-8 text.");
  TRY(check_shape(xml));
  pugi::xml_document document;
  // parse_fragment keeps text outside of the document element, which is to be seen in order to be refused.
  constexpr unsigned kFlags = pugi::parse_default | pugi::parse_fragment | pugi::parse_doctype | pugi::parse_pi |
                              pugi::parse_declaration | pugi::parse_comments;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), kFlags, pugi::encoding_utf8);
  if (!parsed) return malformed(fmt::format("{} at byte {}.", parsed.description(), parsed.offset));
  TRY_ASSIGN(const pugi::xml_node list, only_element(document));
  if (list.first_attribute()) return malformed("BlockList has no attributes.");

  std::vector<store::BlockChoice> blocks;
  for (const pugi::xml_node& child : list.children()) {
    if (child.type() == pugi::node_comment) continue;
    if (child.type() != pugi::node_element) return malformed("There is text between the blocks.");
    TRY_ASSIGN(store::BlockChoice choice, block(child));
    if (blocks.size() == kBlocksMax) return refuse(codes::kBlockListTooLong, "");
    blocks.push_back(std::move(choice));
  }
  return blocks;
}

}  // namespace tombolo::azure_blob
