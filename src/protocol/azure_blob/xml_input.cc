#include "protocol/azure_blob/xml_input.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace tombolo::azure_blob {
namespace {

// Bounds what the parser will build, before it builds it: pugixml has no limits of its own. Looks at each byte once.
// Tags inside comments and CDATA count as well, which only makes the bound tighter.
Result<void> check_shape(std::string_view xml, const XmlShape& shape) {
  std::size_t tags = 0, depth = 0;
  for (std::size_t at = xml.find('<'), end = 0; at != std::string_view::npos; at = xml.find('<', end)) {
    if (++tags > shape.tags_max) return refuse(shape.too_many_tags, "");
    end = at + 1;
    const char next = end < xml.size() ? xml[end] : '\0';
    if (next == '?' || next == '!') continue;
    if (next == '/') {
      if (depth > 0) --depth;
      continue;
    }
    end = xml.find('>', at);
    if (end == std::string_view::npos) return malformed_xml("A tag does not end.");
    if (xml.substr(at + 1, end - at - 1).find_first_of("<\"'") != std::string_view::npos) {
      return malformed_xml("Elements have no attributes here.");
    }
    if (xml[end - 1] != '/' && ++depth > shape.depth_max) return malformed_xml("Elements are nested too deep.");
  }
  return {};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Result<pugi::xml_node> only_element(const pugi::xml_document& document, std::string_view name) {
  pugi::xml_node root;
  for (const pugi::xml_node& child : document.children()) {
    switch (child.type()) {
      case pugi::node_comment:
      case pugi::node_declaration:
        break;
      case pugi::node_element:
        if (root) return malformed_xml("There is more than one document.");
        root = child;
        break;
      case pugi::node_pcdata:
      case pugi::node_cdata:
        if (!is_blank(child.value())) return malformed_xml("There is text around the document.");
        break;
      case pugi::node_doctype:
        return malformed_xml("A DOCTYPE is not allowed.");
      case pugi::node_null:
      case pugi::node_document:
      case pugi::node_pi:
        return malformed_xml("Processing instructions are not allowed.");
    }
  }
  if (std::string_view(root.name()) != name) return malformed_xml(fmt::format("The document is no {}.", name));
  return root;
}

}  // namespace

Error malformed_xml(std::string why) {
  return refuse(codes::kInvalidXmlDocument, std::move(why));
}

Result<pugi::xml_node> load_xml(pugi::xml_document& document, std::string_view xml, const XmlShape& shape) {
  if (!is_utf8(xml) || xml.find('\0') != std::string_view::npos) return malformed_xml("It is not UTF-8 text.");
  if (has_bad_reference(xml)) return malformed_xml("A character reference names no character.");
  TRY(check_shape(xml, shape));
  // parse_fragment keeps text outside of the document element, which is to be seen in order to be refused.
  constexpr unsigned kFlags = pugi::parse_default | pugi::parse_fragment | pugi::parse_doctype | pugi::parse_pi |
                              pugi::parse_declaration | pugi::parse_comments;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), kFlags, pugi::encoding_utf8);
  if (!parsed) return malformed_xml(fmt::format("{} at byte {}.", parsed.description(), parsed.offset));
  return only_element(document, shape.root);
}

Result<std::string> only_text(const pugi::xml_node& element) {
  std::string text;
  for (const pugi::xml_node& child : element.children()) {
    if (child.type() == pugi::node_comment) continue;
    if (child.type() != pugi::node_pcdata && child.type() != pugi::node_cdata) {
      return malformed_xml(fmt::format("{} holds more than text.", element.name()));
    }
    text += child.value();
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return std::string();
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace tombolo::azure_blob
