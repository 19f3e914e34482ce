#include "remote/azure/properties.h"

#include <array>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/times.h"
#include "remote/azure/endpoint.h"

namespace tombolo::remote::azure {
namespace {

constexpr std::string_view kMetaPrefix = "x-ms-meta-";

struct Property {
  std::string_view written, read;
  std::string RemoteHeaders::* value;
};
constexpr std::array<Property, 5> kProperties = {
    {{"x-ms-blob-content-type", "Content-Type", &RemoteHeaders::content_type},
     {"x-ms-blob-content-encoding", "Content-Encoding", &RemoteHeaders::content_encoding},
     {"x-ms-blob-content-language", "Content-Language", &RemoteHeaders::content_language},
     {"x-ms-blob-content-disposition", "Content-Disposition", &RemoteHeaders::content_disposition},
     {"x-ms-blob-cache-control", "Cache-Control", &RemoteHeaders::cache_control}}};

}  // namespace

void add_properties(http::Headers& to, const RemoteHeaders& headers) {
  for (const Property& property : kProperties) {
    const std::string& value = headers.*property.value;
    if (!value.empty()) to.add(property.written, value);
  }
  if (headers.content_md5) to.add("x-ms-blob-content-md5", base64_encode(as_bytes(*headers.content_md5)));
  for (const auto& [name, value] : headers.metadata) to.add(std::string(kMetaPrefix) + name, value);
}

RemoteHeaders properties_of(const http::Headers& headers) {
  RemoteHeaders out;
  for (const Property& property : kProperties) out.*property.value = headers.get(property.read).value_or("");
  if (const auto text = headers.get("Content-MD5")) {
    const auto digest = base64_decode(*text);
    if (digest && digest->size() == 16) out.content_md5 = std::string(as_text(*digest));
  }
  for (const auto field : headers) {
    if (field.name.size() <= kMetaPrefix.size()) continue;
    if (!equal_ignoring_case(field.name.substr(0, kMetaPrefix.size()), kMetaPrefix)) continue;
    out.metadata[std::string(field.name.substr(kMetaPrefix.size()))] = field.value;
  }
  return out;
}

RemoteObject object_of(const http::Headers& headers, std::string key, std::uint64_t size) {
  RemoteObject object;
  object.key = std::move(key);
  object.size = size;
  object.etag = unquoted(headers.get("ETag").value_or(""));
  object.version_id = headers.get("x-ms-version-id").value_or("");
  if (const auto when = parse_http_date(headers.get("Last-Modified").value_or(""))) object.last_modified = *when;
  return object;
}

std::string crc64_header(std::uint64_t crc) {
  std::array<std::byte, 8> bytes;
  for (std::size_t n = 0; n < bytes.size(); ++n) bytes[n] = static_cast<std::byte>(crc >> (8 * n));
  return base64_encode(bytes);
}

}  // namespace tombolo::remote::azure
