// Copies in remotes that are not what their rows say: adopted where the bytes verify, else written anew from flash.
#include <fmt/format.h>

#include "async/byte_stream.h"
#include "base/crc64.h"
#include "meta/ops/gens.h"
#include "meta/ops/list_objects.h"
#include "meta/ops/repair.h"
#include "meta/ops/tier.h"
#include "meta/ops/walk_rows.h"
#include "remote/remote.h"
#include "store/gen_source.h"
#include "tiering/fsck_check.h"
#include "tiering/native_copy.h"
#include "tiering/native_key.h"
#include "tiering/offload_object.h"
#include "tiering/pin_gen.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kNamesPerPage = 500;

struct NamedObject {
  meta::ContainerKey container;
  meta::Object object;
};

/// Whose bytes the gen is. A walk over all names: only for what is to be repaired.
Task<std::optional<NamedObject>> find_object_of(meta::Cell cell, TenantId tenant, GenId gen) {
  CO_TRY_ASSIGN(const auto containers, meta::list_data_containers(cell, tenant));
  for (const meta::ContainerKey& container : containers) {
    meta::ObjectQuery query;
    query.limit = kNamesPerPage;
    while (true) {
      CO_TRY_ASSIGN(auto page, meta::list_objects(cell, container, query));
      for (meta::ObjectEntry& entry : page.entries) {
        if (!entry.object || entry.object->gen != gen) continue;
        co_return std::optional<NamedObject>({container, *std::move(entry.object)});
      }
      if (!page.next) break;
      query.start_after = *page.next;
    }
  }
  co_return std::optional<NamedObject>();
}

/// Reads every byte of the gen from flash.
Task<bool> is_whole_on_flash(Checking& checking, TenantId tenant, meta::Gen gen) {
  if (gen.evicted) co_return false;
  store::OpenGen what;
  what.tenant = tenant;
  what.gen = gen.id;
  what.length = gen.length;
  what.places = store::Places::kLocalOnly;
  what.caching = store::Caching::kNone;
  auto source = co_await store::GenSource::open(checking.services, std::move(what));
  if (!source.ok()) co_return false;
  std::uint64_t crc = 0;
  while (true) {
    const auto block = co_await (*source)->next();
    if (!block.ok() && block.error().code == Code::kCancelled) co_return block.error();
    if (!block.ok()) co_return false;
    if (block->empty()) break;
    crc = crc64(block->view(), crc);
  }
  co_return crc == gen.crc64;
}

/// The object has another ETag, and tombolo wrote it, and its bytes are the gen's: a bucket that was restored or moved.
Task<bool> adopt(Checking& checking, TenantId tenant, const meta::Gen& gen, std::shared_ptr<remote::Remote> remote) {
  store::Services& services = checking.services;
  const meta::NativePlace& place = *gen.native;
  const auto head = co_await remote->head(place.key);
  if (!head.ok() && head.error().code == Code::kNotFound) co_return false;
  if (!head.ok()) co_return head.error();
  CO_TRY_ASSIGN(const auto row, meta::get_native_key(services.cell, tenant, place.remote, place.key));
  if (!row || head->object.etag == place.etag || !same_origin(nonce_of(head->headers), row->nonce)) co_return false;
  const auto verified =
      co_await verify_copy(remote, place.key, head->object.etag, gen, services.limits.cold_get_bytes_max);
  if (!verified.ok() && verified.error().code != Code::kCorrupt) co_return verified.error();
  if (!verified.ok()) co_return false;
  co_return co_await meta::adopt_native(services.cell, tenant, gen, verified->etag, verified->version_id);
}

Task<std::string> offload_again(Checking& checking, TenantId tenant, meta::Gen gen,
                                std::shared_ptr<remote::Remote> remote) {
  const std::string forgotten = "its row no longer names the copy: flash is its one place";
  CO_TRY_ASSIGN(auto named, find_object_of(checking.services.cell, tenant, gen.id));
  const std::string& key = gen.native->key;
  if (!named || !key.ends_with(named->object.name)) co_return forgotten + "; offload it again";
  OffloadTarget target;
  target.container = named->container;
  target.remote = std::move(remote);
  target.key_prefix = key.substr(0, key.size() - named->object.name.size());
  target.wait_for_gc = Duration(0);
  const auto offloaded = co_await offload_object(checking.services, std::move(target), std::move(named->object));
  if (!offloaded.ok() && offloaded.error().code == Code::kCancelled) co_return offloaded.error();
  if (!offloaded.ok())
    co_return fmt::format("{}; offloading it again failed: {}", forgotten, offloaded.error().message);
  if (!offloaded->changed) co_return forgotten + "; offload it again";
  co_return "written anew to the remote from flash, read back and verified";
}

}  // namespace

Task<Mended> mend_native_copy(Checking& checking, TenantId tenant, GenId id) {
  store::Services& services = checking.services;
  CO_TRY_ASSIGN(const auto pin, pin_gen(services, tenant, id, Duration(0)));
  if (!pin) co_return Mended();
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, tenant, id));
  if (!gen || !gen->native) co_return Mended();
  CO_CHECK_ASSIGN(const std::shared_ptr<remote::Remote> remote, services.remotes.find(gen->native->remote));
  {
    const auto turn =
        services.keys_at_work->enter(gen->native->remote, gen->native->key, store::KeysAtWork::Work::kOffload);
    if (!turn) co_return Mended();
    CO_TRY_ASSIGN(const bool adopted, adopt(checking, tenant, *gen, remote));
    if (adopted) co_return Mended("its ETag has changed and every byte of it verifies: the rows have the new one");
    CO_TRY_ASSIGN(const bool whole, is_whole_on_flash(checking, tenant, *gen));
    if (!whole) co_return Mended();
    CO_TRY_ASSIGN(const bool forgotten, meta::forget_native(services.cell, tenant, *gen));
    if (!forgotten) co_return Mended();
  }
  CO_TRY_ASSIGN(std::string done, offload_again(checking, tenant, *gen, remote));
  co_return Mended(std::move(done));
}

Task<Mended> mend_native_key(Checking& checking, TenantId tenant, GenId id) {
  store::Services& services = checking.services;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, tenant, id));
  if (!gen || !gen->native) co_return Mended();
  CO_CHECK_ASSIGN(const std::shared_ptr<remote::Remote> remote, services.remotes.find(gen->native->remote));
  CO_TRY_ASSIGN(const remote::HeadResult head, remote->head(gen->native->key));
  const std::string nonce = nonce_of(head.headers);
  if (head.object.etag != gen->native->etag || nonce.empty()) co_return Mended();
  CO_TRY_ASSIGN(const bool done, meta::restore_native_key(services.cell, tenant, *gen, nonce));
  co_return done ? Mended("recorded as taken again") : Mended();
}

}  // namespace tombolo::tiering
