#include "protocol/azure_blob/object_reply.h"

#include "base/times.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/metadata.h"

namespace tombolo::azure_blob {
namespace {

void add_present(http::Headers& headers, std::string_view name, const std::string& value) {
  if (!value.empty()) headers.add(name, value);
}

void override_header(http::Headers& headers, std::string_view name, const std::string& value) {
  if (!value.empty()) headers.set(name, value);
}

void add_lease(http::Headers& headers) {
  headers.add("x-ms-lease-status", "unlocked");
  headers.add("x-ms-lease-state", "available");
}

}  // namespace

void add_identity(http::Headers& headers, Stamp etag_stamp) {
  headers.add("ETag", etag_header(etag_stamp));
  headers.add("Last-Modified", http_date(time_of(etag_stamp)));
}

void add_object(http::Headers& headers, const meta::Object& object) {
  add_identity(headers, object.etag_stamp);
  headers.add("Accept-Ranges", "bytes");
  add_present(headers, "Content-Type", object.headers.content_type);
  add_present(headers, "Content-Encoding", object.headers.content_encoding);
  add_present(headers, "Content-Language", object.headers.content_language);
  add_present(headers, "Content-Disposition", object.headers.content_disposition);
  add_present(headers, "Cache-Control", object.headers.cache_control);
  if (object.created == object.etag_stamp) {  // most are never changed
    headers.add("x-ms-creation-time", std::string(*headers.get("Last-Modified")));
  } else {
    headers.add("x-ms-creation-time", http_date(time_of(object.created)));
  }
  headers.add("x-ms-blob-type", "BlockBlob");
  add_lease(headers);
  headers.add("x-ms-server-encrypted", kServerEncrypted);
  headers.add("x-ms-access-tier", "Hot");
  headers.add("x-ms-access-tier-inferred", "true");
  add_metadata(headers, object.metadata);
}

void apply_overrides(http::Headers& headers, const auth::ResponseOverrides& overrides) {
  override_header(headers, "Cache-Control", overrides.cache_control);
  override_header(headers, "Content-Disposition", overrides.content_disposition);
  override_header(headers, "Content-Encoding", overrides.content_encoding);
  override_header(headers, "Content-Language", overrides.content_language);
  override_header(headers, "Content-Type", overrides.content_type);
}

void add_container(http::Headers& headers, const meta::Container& container) {
  add_identity(headers, container.etag_stamp);
  add_lease(headers);
  headers.add("x-ms-has-immutability-policy", "false");
  headers.add("x-ms-has-legal-hold", "false");
  headers.add("x-ms-immutable-storage-with-versioning-enabled", "false");
  headers.add("x-ms-default-encryption-scope", "$account-encryption-key");
  headers.add("x-ms-deny-encryption-scope-override", "false");
  add_metadata(headers, container.metadata);
}

}  // namespace tombolo::azure_blob
