#include "protocol/azure_blob/object_headers.h"

#include <fmt/format.h>

#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

struct Row {
  std::string_view blob_header, plain_header;
  std::string meta::ObjectHeaders::* member;
};

constexpr Row kRows[] = {
    {"x-ms-blob-content-type", "Content-Type", &meta::ObjectHeaders::content_type},
    {"x-ms-blob-content-encoding", "Content-Encoding", &meta::ObjectHeaders::content_encoding},
    {"x-ms-blob-content-language", "Content-Language", &meta::ObjectHeaders::content_language},
    {"x-ms-blob-content-disposition", "Content-Disposition", &meta::ObjectHeaders::content_disposition},
    {"x-ms-blob-cache-control", "Cache-Control", &meta::ObjectHeaders::cache_control},
};

}  // namespace

Result<meta::ObjectHeaders> parse_object_headers(const http::Headers& headers, PlainHeaders plain) {
  meta::ObjectHeaders out;
  for (const Row& row : kRows) {
    TRY_ASSIGN(std::optional<std::string_view> value, only(headers, row.blob_header));
    if (!value && plain == PlainHeaders::kFallBack) {
      TRY_ASSIGN(value, only(headers, row.plain_header));
    }
    if (!value) continue;
    // Listings tell it in XML.
    if (!fits_xml(*value)) {
      return refuse(codes::kInvalidHeaderValue, fmt::format("{} is not UTF-8 text.", row.blob_header));
    }
    out.*row.member = *value;
  }
  TRY_ASSIGN(out.content_md5, parse_md5(headers, "x-ms-blob-content-md5"));
  return out;
}

Result<meta::ObjectHeaders> parse_new_object_headers(const http::Headers& headers, PlainHeaders plain) {
  TRY_ASSIGN(meta::ObjectHeaders out, parse_object_headers(headers, plain));
  if (out.content_type.empty()) out.content_type = kDefaultContentType;
  return out;
}

}  // namespace tombolo::azure_blob
