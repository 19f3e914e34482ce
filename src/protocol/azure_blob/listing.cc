#include "protocol/azure_blob/listing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/marker.h"

namespace tombolo::azure_blob {
namespace {

Result<std::uint32_t> parse_limit(const Query& query) {
  const std::string_view text = query.value("maxresults");
  if (text.empty()) return kListMax;
  const std::optional<std::uint64_t> number = parse_number(text);
  if (!number) return refuse(codes::kInvalidQueryParameterValue, "maxresults is not a number.");
  if (*number == 0) return refuse(codes::kOutOfRangeQueryParameterValue, "maxresults must be at least 1.");
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, kListMax));
}

Result<std::vector<std::string>> parse_include(std::string_view text, std::span<const std::string_view> allowed) {
  std::vector<std::string> include;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view one = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (one.empty()) continue;
    const auto known = std::find_if(allowed.begin(), allowed.end(),
                                    [one](std::string_view name) { return equal_ignoring_case(name, one); });
    if (known == allowed.end()) {
      return refuse(codes::kInvalidQueryParameterValue, "include has a value that is unknown or not built yet.");
    }
    include.emplace_back(*known);
  }
  return include;
}

void write_list_params(XmlWriter& xml, const Query& query) {
  constexpr struct {
    std::string_view parameter, element;
  } kEchoed[] = {{"prefix", "Prefix"}, {"marker", "Marker"}, {"maxresults", "MaxResults"}, {"delimiter", "Delimiter"}};
  for (const auto& row : kEchoed) {
    if (const std::string_view value = query.value(row.parameter); !value.empty()) xml.name(row.element, value);
  }
}

}  // namespace

bool ListParams::has(std::string_view name) const {
  return std::find(include.begin(), include.end(), name) != include.end();
}

Result<ListParams> parse_list_params(const Query& query, std::span<const std::string_view> allowed) {
  ListParams params;
  params.prefix = query.value("prefix");
  const std::string_view marker = query.value("marker");
  if (!marker.empty()) {
    TRY_ASSIGN(params.start_after, parse_marker(marker));
  }
  TRY_ASSIGN(params.limit, parse_limit(query));
  TRY_ASSIGN(params.include, parse_include(query.value("include"), allowed));
  params.metadata = params.has("metadata") ? WithMetadata::kYes : WithMetadata::kNo;
  return params;
}

std::string render_listing(const Query& query, const Listing& listing,
                           const std::function<void(XmlWriter&)>& write_entries) {
  XmlWriter xml;
  xml.open_with("EnumerationResults", listing.of);
  write_list_params(xml, query);
  xml.open(listing.entries);
  write_entries(xml);
  xml.close(listing.entries);
  xml.element("NextMarker", listing.next ? make_marker(*listing.next) : "");
  xml.close("EnumerationResults");
  return std::move(xml).finish();
}

void write_metadata(XmlWriter& xml, const meta::Metadata& metadata, WithMetadata with_metadata) {
  if (with_metadata == WithMetadata::kNo) return;
  xml.open("Metadata");
  for (const auto& [name, value] : metadata) {
    if (is_xml_name(name) && fits_xml(value)) xml.element(name, value);
  }
  xml.close("Metadata");
}

}  // namespace tombolo::azure_blob
