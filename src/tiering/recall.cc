#include "tiering/recall.h"

#include <fmt/format.h>

#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "store/recall_gen.h"
#include "tiering/evict.h"
#include "tiering/job_spec.h"
#include "tiering/pin_gen.h"
#include "tiering/walk_job.h"

namespace tombolo::tiering {
namespace {

constexpr std::string_view kKind = "recall";
constexpr unsigned kParallel = 8;

Task<WorkDone> recall_one(jobs::JobContext& context, store::Services& services, TenantId tenant, meta::Object object) {
  WorkDone done;
  CO_TRY_ASSIGN(const auto pin, pin_gen(services, tenant, object.gen, Duration(0)));
  if (!pin) co_return done;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, tenant, object.gen));
  if (!gen || !gen->evicted) co_return done;
  if (gen->native) {  // before anything is written for it
    const auto remote = services.remotes.find(gen->native->remote);
    if (!remote.ok()) {
      CO_TRY_ASSIGN(const bool needed, needs_remote(services, tenant, *gen));
      if (needed) co_return remote.error();
    }
  }
  CO_TRY(store::recall_gen(services, tenant, object.gen, [&context] { return context.stop_requested(); }));
  done.changed = true;
  done.bytes = object.length;
  co_return done;
}

Task<void> run_recall(jobs::JobContext& context, store::Services& services) {
  CO_CHECK_ASSIGN(const RecallSpec spec, decode_recall(context.job().spec));
  const store::ContainerRef& ref = spec.container;
  CO_TRY_ASSIGN(const meta::Container container,
                meta::get_container(services.cell, ref.tenant, ref.account, ref.container));
  WalkSpec walk;
  walk.container = meta::key_of(container);
  walk.prefix = spec.prefix;
  walk.parallel = kParallel;
  ObjectWork work = [&context, &services, tenant = ref.tenant](meta::Object object) {
    return recall_one(context, services, tenant, std::move(object));
  };
  co_return co_await walk_objects(context, services, std::move(walk), std::move(work));
}

}  // namespace

void register_recall(jobs::Scheduler& scheduler, store::Services& services) {
  scheduler.register_kind(std::string(kKind),
                          [&services](jobs::JobContext& context) { return run_recall(context, services); });
}

Task<JobId> submit_recall(jobs::Scheduler& scheduler, store::Services& services, RecallSpec spec) {
  const store::ContainerRef& ref = spec.container;
  CO_TRY(meta::get_container(services.cell, ref.tenant, ref.account, ref.container));
  std::string title = fmt::format("recall {}", title_of(ref, spec.prefix));
  std::string encoded = encode(spec);
  co_return co_await scheduler.submit(std::string(kKind), std::move(title), std::move(encoded));
}

}  // namespace tombolo::tiering
