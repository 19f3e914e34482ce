#include "base/planted_bugs.h"
#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "store/ops/write_body.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {
namespace {

Task<StagedBlock> stage(Services& services, GenWriter& writer, meta::PublishBlock publish, StageBlock request) {
  CheckedBodyOptions promised;
  promised.body = request.body;
  promised.length = request.length;
  promised.expected = request.expected;
  promised.md5 = BodyMd5::kWhenExpected;
  CheckedBody body(services.workers, promised);
  CO_TRY_ASSIGN(WrittenBody written, write_body(writer, body));
  StagedBlock staged;
  staged.crc64 = written.gen.gen.crc64;
  staged.md5 = written.md5;
  publish.gen = std::move(written.gen);
  const auto once = [&](int) { return meta::publish_block(services.cell, publish); };
  CO_TRY(while_sealed(services.cell.random, once));
  if (planted(PlantedBug::publish_before_runs)) {
    CO_TRY(writer.sync());
  }
  co_return staged;
}

}  // namespace

Task<StagedBlock> Store::stage_block(ObjectRef ref, StageBlock request) {
  meta::PublishBlock publish;
  CO_TRY_ASSIGN(publish.container, find_container(services_.cell, std::move(ref.container)));
  publish.name = std::move(ref.name);
  publish.block_id = request.block_id;
  GenWriter writer(services_, publish.container.tenant, request.length);
  Result<StagedBlock> staged = co_await stage(services_, writer, std::move(publish), std::move(request));
  if (!staged.ok()) {
    CO_TRY(writer.abandon());
  }
  co_return staged;
}

}  // namespace tombolo::store
