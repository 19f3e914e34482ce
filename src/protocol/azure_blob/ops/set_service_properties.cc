#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/service_properties.h"

namespace tombolo::azure_blob {
namespace {

Result<std::string> changed(std::string_view before, std::string_view sent) {
  TRY_ASSIGN(ServiceProperties properties, stored_service_properties(before));
  TRY(apply_service_properties(properties, sent));
  return service_properties_xml(properties);
}

}  // namespace

Task<Reply> set_service_properties(const Call& call) {
  CO_CHECK_ASSIGN(const std::optional<Md5Digest> expected, parse_content_md5(call.head.headers));
  CO_CHECK_ASSIGN(const std::uint64_t length, body_length(call.head, kServicePropertiesBytesMax));
  CO_TRY_ASSIGN(const Bytes xml, read_all(call.body, length));
  if (expected && *expected != md5(xml)) co_return refuse(codes::kMd5Mismatch, "");
  meta::ChangeDocument change = [sent = std::string(as_text(xml))](std::string_view before) {
    return changed(before, sent);
  };
  CO_TRY(call.store.change_service_properties(call.address.account, std::move(change)));
  Reply reply;
  reply.status = 202;
  co_return reply;
}

}  // namespace tombolo::azure_blob
