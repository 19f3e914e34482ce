#include "base/times.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/listing.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

// Snapshots, versions, soft-deleted blobs, copies, tags, policies and holds cannot exist here, so a listing without
// them is complete.
constexpr std::string_view kIncludes[] = {
    "metadata", "uncommittedblobs",   "snapshots", "versions", "deleted", "deletedwithversions", "copy",
    "tags",     "immutabilitypolicy", "legalhold"};

void write_header(XmlWriter& xml, std::string_view element, const std::string& value) {
  // Other dialects may store what XML cannot hold; then the listing leaves it out and Get Blob Properties has it.
  if (value.empty() || !fits_xml(value)) {
    xml.empty(element);
  } else {
    xml.element(element, value);
  }
}

void write_blob(XmlWriter& xml, const meta::Object& object, WithMetadata with_metadata) {
  xml.open("Blob");
  xml.name("Name", object.name);
  xml.open("Properties");
  xml.element("Creation-Time", http_date(time_of(object.created)));
  xml.element("Last-Modified", http_date(time_of(object.etag_stamp)));
  xml.element("Etag", etag_text(object.etag_stamp));
  xml.element("Content-Length", object.length);
  write_header(xml, "Content-Type", object.headers.content_type);
  write_header(xml, "Content-Encoding", object.headers.content_encoding);
  write_header(xml, "Content-Language", object.headers.content_language);
  write_header(xml, "Content-MD5", object.headers.content_md5 ? md5_text(*object.headers.content_md5) : "");
  write_header(xml, "Cache-Control", object.headers.cache_control);
  write_header(xml, "Content-Disposition", object.headers.content_disposition);
  xml.element("BlobType", "BlockBlob");
  xml.element("AccessTier", "Hot");
  xml.element("AccessTierInferred", "true");
  xml.element("LeaseStatus", "unlocked");
  xml.element("LeaseState", "available");
  xml.element("ServerEncrypted", kServerEncrypted);
  xml.close("Properties");
  write_metadata(xml, object.metadata, with_metadata);
  xml.close("Blob");
}

// Only staged blocks exist: no identity, no length yet.
void write_uncommitted(XmlWriter& xml, std::string_view name) {
  xml.open("Blob");
  xml.name("Name", name);
  xml.open("Properties");
  xml.element("Content-Length", 0);
  xml.element("BlobType", "BlockBlob");
  xml.close("Properties");
  xml.close("Blob");
}

void write_entry(XmlWriter& xml, const store::ListEntry& entry, WithMetadata with_metadata) {
  if (entry.object) write_blob(xml, *entry.object, with_metadata);
  if (entry.uncommitted_name) write_uncommitted(xml, *entry.uncommitted_name);
  if (entry.prefix) {
    xml.open("BlobPrefix");
    xml.name("Name", *entry.prefix);
    xml.close("BlobPrefix");
  }
}

}  // namespace

Task<Reply> list_blobs(const Call& call) {
  CO_CHECK_ASSIGN(const ListParams params, parse_list_params(call.query, kIncludes));
  if (params.has("tags") && !call.who.may(auth::Permission::kTags)) {
    co_return refuse(codes::kAuthorizationPermissionMismatch, "include=tags needs the permission t.");
  }
  store::ListObjects query;
  query.prefix = params.prefix;
  query.delimiter = call.query.value("delimiter");
  query.start_after = params.start_after;
  // On every page: a marker out of a listing from here is behind it. It names a blob as a whole, not behind the prefix,
  // and counts before names are folded (Azurite #2688).
  query.start_from = call.query.value("startFrom");
  query.limit = params.limit;
  query.include = params.has("uncommittedblobs") ? store::Include::kUncommitted : store::Include::kNothing;
  CO_TRY_ASSIGN(const store::ListObjectsPage page, call.store.list_objects(call.container(), std::move(query)));

  const auto write = [&](XmlWriter& xml) {
    for (const store::ListEntry& entry : page.entries) write_entry(xml, entry, params.metadata);
  };
  std::string document =
      render_listing(call.query,
                     {.of = {{"ServiceEndpoint", call.address.endpoint}, {"ContainerName", call.address.container}},
                      .entries = "Blobs",
                      .next = page.next},
                     write);
  co_return xml_reply(std::move(document));
}

}  // namespace tombolo::azure_blob
