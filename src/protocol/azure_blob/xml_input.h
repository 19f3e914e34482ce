// XML that a client sends: parsed strictly, bounded before it is built.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {

struct XmlShape {
  std::string_view root;      // name of the document element
  std::size_t depth_max = 1;  // elements inside each other
  std::size_t tags_max = 0;
  std::string_view too_many_tags = codes::kInvalidXmlDocument;  // what is answered past tags_max
};

/// Fills `document` and gives its one element. InvalidXmlDocument: no UTF-8, not well formed, a DOCTYPE, processing
/// instructions, references to no character, another root, attributes, anything around it, deeper or larger than
/// `shape` says. Takes time in proportion to the bytes.
Result<pugi::xml_node> load_xml(pugi::xml_document& document, std::string_view xml, const XmlShape& shape);

/// The text of an element that holds nothing else, without the white space around it. InvalidXmlDocument.
Result<std::string> only_text(const pugi::xml_node& element);

Error malformed_xml(std::string why);

}  // namespace tombolo::azure_blob
