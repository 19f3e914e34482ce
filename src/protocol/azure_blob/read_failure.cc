#include "protocol/azure_blob/read_failure.h"

#include <fmt/format.h>

#include "meta/model/read_conditions.h"
#include "protocol/azure_blob/object_reply.h"

namespace tombolo::azure_blob {

Task<Reply> fail_read(const Call& call, Error error, meta::Conditions conditions) {
  const bool unchanged = error.detail == "NotModified";
  const bool outside = error.code == Code::kOutOfRange;
  if (!unchanged && !outside) co_return error;
  meta::Conditions none;
  const Result<meta::Object> present = co_await call.store.head_object(call.object(), std::move(none));
  if (!present.ok()) co_return error;
  if (outside) {
    call.on_failure.add("Content-Range", fmt::format("bytes */{}", present->length));
    co_return error;
  }
  const meta::Verdict verdict = meta::judge_read(conditions, present->etag_stamp);
  if (verdict == meta::Verdict::kNotModified || verdict == meta::Verdict::kExists) {
    add_identity(call.on_failure, present->etag_stamp);
  }
  co_return error;
}

}  // namespace tombolo::azure_blob
