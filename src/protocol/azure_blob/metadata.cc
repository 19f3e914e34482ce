#include "protocol/azure_blob/metadata.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::string_view kPrefix = "x-ms-meta-";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_identifier(std::string_view name) {
  return is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool is_printable(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\t'; });
}

}  // namespace

Result<meta::Metadata> parse_metadata(const http::Headers& headers) {
  meta::Metadata metadata;
  std::size_t bytes = 0;
  for (const http::Headers::Field field : headers) {
    if (!equal_ignoring_case(field.name.substr(0, kPrefix.size()), kPrefix)) continue;
    const std::string_view name = field.name.substr(kPrefix.size());
    if (name.empty()) return refuse(codes::kEmptyMetadataKey, "");
    if (!is_identifier(name)) {
      return refuse(codes::kInvalidMetadata, fmt::format("The name {} is no C# identifier.", name));
    }
    if (!is_printable(field.value)) {
      return refuse(codes::kInvalidMetadata, fmt::format("The value of {} is not printable ASCII.", name));
    }
    bytes += name.size() + field.value.size();
    if (bytes > kMetadataBytes) return refuse(codes::kMetadataTooLarge, "");
    const auto same = std::find_if(metadata.begin(), metadata.end(),
                                   [name](const auto& entry) { return equal_ignoring_case(entry.first, name); });
    if (same == metadata.end()) {
      metadata.emplace_back(name, field.value);
    } else {
      same->second.append(",").append(field.value);
    }
  }
  return metadata;
}

void add_metadata(http::Headers& headers, const meta::Metadata& metadata) {
  for (const auto& [name, value] : metadata) headers.add(fmt::format("{}{}", kPrefix, name), value);
}

}  // namespace tombolo::azure_blob
