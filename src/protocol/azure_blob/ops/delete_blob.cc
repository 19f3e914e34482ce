#include "base/ascii.h"
#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {
namespace {

enum class Snapshots { kInclude, kOnly };

Result<Snapshots> parse_snapshots(const http::Headers& headers) {
  TRY_ASSIGN(const std::optional<std::string_view> value, only(headers, "x-ms-delete-snapshots"));
  if (!value || equal_ignoring_case(*value, "include")) return Snapshots::kInclude;
  if (equal_ignoring_case(*value, "only")) return Snapshots::kOnly;
  return refuse(codes::kInvalidHeaderValue, "x-ms-delete-snapshots is include or only.");
}

}  // namespace

Task<Reply> delete_blob(const Call& call) {
  CO_CHECK_ASSIGN(const Snapshots snapshots, parse_snapshots(call.head.headers));
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(call.head.headers));
  Reply reply;
  reply.status = 202;
  if (snapshots == Snapshots::kOnly) {
    // No blob has snapshots: deleting all of them, and not the blob, is done.
    CO_TRY(call.store.head_object(call.object(), std::move(conditions)));
    co_return reply;
  }
  CO_TRY(call.store.delete_object(call.object(), std::move(conditions)));
  reply.headers.add("x-ms-delete-type-permanent", "true");
  co_return reply;
}

}  // namespace tombolo::azure_blob
