// XmlWriter: XML documents as text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tombolo::azure_blob {

/// True when XML 1.0 can hold `text`: well-formed UTF-8 without control characters (but tab, LF, CR), U+FFFE, U+FFFF.
bool fits_xml(std::string_view text);

/// True when `text` can be an element's name as it is: letters, digits, "_", "-", "."; a letter or "_" first.
bool is_xml_name(std::string_view text);

/// Writes elements one after the other, without white space between them. Text is escaped; CR becomes a character
/// reference, which parsers do not turn into LF. Requires text that fits_xml, except in name(). Element names are ours.
class XmlWriter {
 public:
  XmlWriter();

  void open(std::string_view element);
  struct Attribute {
    std::string_view name, text;  // the text is escaped
  };
  void open_with(std::string_view element, std::initializer_list<Attribute> attributes);
  void close(std::string_view element);
  void element(std::string_view name, std::string_view text);
  void element(std::string_view name, std::uint64_t number);
  void empty(std::string_view element);
  /// A client's name or prefix: text that does not fit XML is percent-encoded and marked Encoded="true" (Azure, from
  /// version 2021-02-12 on).
  void name(std::string_view element, std::string_view text);

  std::string finish() && { return std::move(out_); }

 private:
  void escaped(std::string_view text);

  std::string out_;
};

}  // namespace tombolo::azure_blob
