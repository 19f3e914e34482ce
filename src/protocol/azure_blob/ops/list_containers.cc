#include "base/times.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/listing.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

// `deleted` and `system` name containers that do not exist here.
constexpr std::string_view kIncludes[] = {"metadata", "deleted", "system"};

void write_container(XmlWriter& xml, const meta::Container& container, WithMetadata with_metadata) {
  xml.open("Container");
  xml.element("Name", container.name);
  xml.open("Properties");
  xml.element("Last-Modified", http_date(time_of(container.etag_stamp)));
  xml.element("Etag", etag_header(container.etag_stamp));  // of containers in quotes, unlike blobs
  xml.element("LeaseStatus", "unlocked");
  xml.element("LeaseState", "available");
  xml.element("DefaultEncryptionScope", "$account-encryption-key");
  xml.element("DenyEncryptionScopeOverride", "false");
  xml.element("HasImmutabilityPolicy", "false");
  xml.element("HasLegalHold", "false");
  xml.element("ImmutableStorageWithVersioningEnabled", "false");
  xml.close("Properties");
  write_metadata(xml, container.metadata, with_metadata);
  xml.close("Container");
}

}  // namespace

Task<Reply> list_containers(const Call& call) {
  CO_CHECK_ASSIGN(const ListParams params, parse_list_params(call.query, kIncludes));
  store::ListContainers query;
  query.prefix = params.prefix;
  query.start_after = params.start_after;
  query.limit = params.limit;
  CO_TRY_ASSIGN(const store::ListContainersPage page,
                call.store.list_containers(call.who.tenant, call.address.account, std::move(query)));

  const auto write = [&](XmlWriter& xml) {
    for (const meta::Container& container : page.containers) write_container(xml, container, params.metadata);
  };
  std::string document = render_listing(
      call.query, {.of = {{"ServiceEndpoint", call.address.endpoint}}, .entries = "Containers", .next = page.next},
      write);
  co_return xml_reply(std::move(document));
}

}  // namespace tombolo::azure_blob
