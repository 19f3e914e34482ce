#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "meta/ops/gens.h"
#include "meta/ops/objects.h"
#include "meta/ops/tier.h"
#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "store/recall_gen.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {
namespace {

bool is_source_evicted(const Error& error) {
  return error.code == Code::kBusy && error.detail == "SourceEvicted";
}

std::vector<meta::BlockChoice> choices(std::vector<BlockChoice> asked) {
  std::vector<meta::BlockChoice> out;
  out.reserve(asked.size());
  for (BlockChoice& choice : asked) {
    meta::BlockSource source = meta::BlockSource::kLatest;
    if (choice.source == BlockSource::kCommitted) source = meta::BlockSource::kCommitted;
    if (choice.source == BlockSource::kUncommitted) source = meta::BlockSource::kUncommitted;
    out.push_back({source, std::move(choice.block_id)});
  }
  return out;
}

/// What was written of a gen that gets no name: until it is collected it holds the blocks that it is made of.
Task<void> give_up(meta::Cell cell, TenantId tenant, GenId gen) {
  const Result<void> done = co_await meta::abandon_gen(cell, tenant, gen);
  if (!done.ok()) {
    log(LogLevel::kWarn, "store", "staged gen {} stays until its writer's process is gone: {}", gen.value,
        to_string(done.error()));
  }
  co_return Result<void>{};
}

/// Behind the seal: what the list names becomes one gen, and the name points at it.
Task<meta::Object> publish(meta::Cell cell, meta::UploadSeal seal, CommitBlockList request) {
  CO_TRY_ASSIGN(meta::ResolvedBlocks blocks, meta::resolve_blocks(cell, seal, choices(std::move(request.blocks))));
  meta::PublishObject flip;
  flip.container = seal.container;
  flip.name = seal.name;
  flip.headers = std::move(request.headers);
  flip.metadata = std::move(request.metadata);
  flip.conditions = std::move(request.conditions);
  CO_TRY_ASSIGN(flip.gen.gen.id, cell.ids.next_id<GenId>());
  flip.gen.gen.length = blocks.length;
  flip.gen.gen.crc64 = blocks.crc64;
  flip.gen.gen.shape = meta::GenShape::kInline;
  if (!blocks.slices.empty()) {
    flip.gen.origin = meta::GenOrigin::kStaged;
    flip.gen.gen.shape = meta::GenShape::kSlices;
    const Result<void> written =
        co_await meta::write_slices(cell, seal.container.tenant, flip.gen.gen.id, std::move(blocks));
    if (!written.ok()) {
      CO_TRY(give_up(cell, seal.container.tenant, flip.gen.gen.id));
      co_return written.error();
    }
  }
  const TenantId tenant = seal.container.tenant;
  const GenId gen = flip.gen.gen.id;
  flip.seal = std::move(seal);
  Result<meta::Object> object = co_await meta::publish_object(cell, std::move(flip));
  if (!object.ok()) {
    CO_TRY(give_up(cell, tenant, gen));
  }
  co_return object;
}

Task<meta::Object> commit(meta::Cell cell, meta::ContainerKey container, std::string name, CommitBlockList request) {
  const auto once = [&](int) { return meta::seal_upload(cell, container, name); };
  CO_TRY_ASSIGN(const meta::UploadSeal seal, while_sealed(cell.random, once));
  Result<meta::Object> object = co_await publish(cell, seal, std::move(request));
  if (!object.ok()) {
    (void)co_await meta::unseal_upload(cell, seal);  // a seal that stays in the row is void once we let go of it
  }
  co_return object;
}

/// Committed blocks that are cold become part of a new gen, which must not depend on the old one's native place: they
/// come back first. That the object changed meanwhile, or somebody evicts or recalls it too, is no failure here: the
/// next commit finds what stands then.
Task<void> recall_blocks(Services& services, meta::ContainerKey container, std::string name) {
  const Result<meta::Object> present = co_await meta::get_object(services.cell, container, std::move(name));
  if (!present.ok() && meta::has_moved(present.error())) co_return Result<void>{};
  if (!present.ok()) co_return present.error();
  const Result<Recalled> recalled = co_await recall_gen(services, container.tenant, present->gen);
  if (!recalled.ok() && !meta::has_moved(recalled.error())) co_return recalled.error();
  co_return Result<void>{};
}

}  // namespace

Task<meta::Object> Store::commit_block_list(ObjectRef ref, CommitBlockList request) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref.container)));
  RetryOptions options;  // an eviction may begin again between a recall and the commit
  options.tries_max = 6;
  options.delay_first = std::chrono::milliseconds(10);
  const auto once = [&](int n) -> Task<meta::Object> {
    if (n > 0) {
      CO_TRY(recall_blocks(services_, container, ref.name));
    }
    // A seal left behind would block the name: while one is held a cancellation waits.
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    Result<meta::Object> object = co_await commit(services_.cell, container, ref.name, request);
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    co_return object;
  };
  co_return co_await retry(options, services_.cell.random, once, is_source_evicted);
}

}  // namespace tombolo::store
