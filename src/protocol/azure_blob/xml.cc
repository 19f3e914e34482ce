#include "protocol/azure_blob/xml.h"

#include <algorithm>

#include "base/encoding.h"

namespace tombolo::azure_blob {

bool fits_xml(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
  }
  // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
  for (std::size_t at = text.find("\xEF\xBF"); at != std::string_view::npos; at = text.find("\xEF\xBF", at + 1)) {
    if (at + 2 < text.size() && (text[at + 2] == '\xBE' || text[at + 2] == '\xBF')) return false;
  }
  return is_utf8(text);
}

bool is_xml_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_inside = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), is_inside);
}

XmlWriter::XmlWriter() : out_("<?xml version=\"1.0\" encoding=\"utf-8\"?>") {}

void XmlWriter::open(std::string_view element) {
  out_ += '<';
  out_ += element;
  out_ += '>';
}

void XmlWriter::open_with(std::string_view element, std::initializer_list<Attribute> attributes) {
  out_ += '<';
  out_ += element;
  for (const Attribute& attribute : attributes) {
    out_ += ' ';
    out_ += attribute.name;
    out_ += "=\"";
    escaped(attribute.text);
    out_ += '"';
  }
  out_ += '>';
}

void XmlWriter::close(std::string_view element) {
  out_ += "</";
  out_ += element;
  out_ += '>';
}

void XmlWriter::element(std::string_view name, std::string_view text) {
  open(name);
  escaped(text);
  close(name);
}

void XmlWriter::element(std::string_view name, std::uint64_t number) {
  open(name);
  out_ += std::to_string(number);
  close(name);
}

void XmlWriter::empty(std::string_view element) {
  out_ += '<';
  out_ += element;
  out_ += " />";
}

void XmlWriter::name(std::string_view element, std::string_view text) {
  if (fits_xml(text)) {
    this->element(element, text);
    return;
  }
  open_with(element, {{"Encoded", "true"}});
  out_ += percent_encode(text, "/");
  close(element);
}

void XmlWriter::escaped(std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\r':
        out_ += "&#xD;";
        break;
      default:
        out_ += c;
    }
  }
}

}  // namespace tombolo::azure_blob
