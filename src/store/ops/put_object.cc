#include "base/planted_bugs.h"
#include "meta/ops/objects.h"
#include "store/ops/resolve.h"
#include "store/ops/write_body.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {
namespace {

bool any(const meta::Conditions& conditions) {
  return conditions.if_match || conditions.if_none_match || conditions.if_modified_since ||
         conditions.if_unmodified_since;
}

/// So that a long body is not taken in for nothing. The publishing transaction judges again: this one only guides.
Task<void> refuse_early(meta::Cell cell, meta::ContainerKey container, std::string name, meta::Conditions conditions) {
  const Result<meta::Object> present = co_await meta::get_object(cell, container, std::move(name));
  std::optional<Stamp> etag;
  if (present.ok()) etag = present->etag_stamp;
  if (!present.ok() && present.error().code != Code::kNotFound) co_return present.error();
  switch (meta::judge(conditions, etag)) {
    case meta::Verdict::kPass:
      co_return Result<void>{};
    case meta::Verdict::kExists:
      co_return Error{Code::kConditionFailed, "the object exists", "BlobAlreadyExists"};
    case meta::Verdict::kFailed:
    case meta::Verdict::kNotModified:
      break;
  }
  co_return Error{Code::kConditionFailed, "the object is not in the state that the request asks for",
                  "ConditionNotMet"};
}

Task<meta::Object> put(Services& services, GenWriter& writer, meta::PublishObject publish, PutObject request) {
  CheckedBodyOptions promised;
  promised.body = request.body;
  promised.length = request.length;
  promised.expected = request.expected;
  promised.md5 = BodyMd5::kAlways;
  CheckedBody body(services.workers, promised);
  CO_TRY_ASSIGN(WrittenBody written, write_body(writer, body));
  publish.gen = std::move(written.gen);
  publish.headers = std::move(request.headers);
  if (!publish.headers.content_md5) publish.headers.content_md5 = written.md5;
  publish.metadata = std::move(request.metadata);
  publish.conditions = std::move(request.conditions);
  const auto once = [&](int) { return meta::publish_object(services.cell, publish); };
  Result<meta::Object> object = co_await while_sealed(services.cell.random, once);
  if (planted(PlantedBug::publish_before_runs)) {
    CO_TRY(writer.sync());
  }
  co_return object;
}

}  // namespace

Task<meta::Object> Store::put_object(ObjectRef ref, PutObject request) {
  meta::PublishObject publish;
  CO_TRY_ASSIGN(publish.container, find_container(services_.cell, std::move(ref.container)));
  publish.name = std::move(ref.name);
  if (request.length > meta::kInlineBytesMax && any(request.conditions)) {
    CO_TRY(refuse_early(services_.cell, publish.container, publish.name, request.conditions));
  }
  GenWriter writer(services_, publish.container.tenant, request.length);
  Result<meta::Object> object = co_await put(services_, writer, std::move(publish), std::move(request));
  if (!object.ok()) {
    CO_TRY(writer.abandon());
  }
  co_return object;
}

}  // namespace tombolo::store
