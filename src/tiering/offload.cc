#include "tiering/offload.h"

#include <fmt/format.h>

#include "meta/ops/admin_rows.h"
#include "meta/ops/containers.h"
#include "remote/remote.h"
#include "tiering/job_spec.h"
#include "tiering/native_key.h"
#include "tiering/offload_object.h"
#include "tiering/walk_job.h"

namespace tombolo::tiering {
namespace {

constexpr std::string_view kKind = "offload";

Result<void> check(const meta::Container& container, const OffloadSpec& spec, const remote::Remote& remote) {
  if (!container.native_remote.empty() && container.native_remote != spec.remote) {
    return Error{Code::kInvalid, fmt::format("container \"{}\" is bound to the remote \"{}\"", container.name,
                                             container.native_remote)};
  }
  if (!remote.capabilities().conditional_put) {
    return Error{Code::kInvalid, fmt::format("remote \"{}\" cannot write under a condition, so nothing there would be "
                                             "safe from being overwritten",
                                             spec.remote)};
  }
  return {};
}

struct OffloadPlan {
  OffloadSpec spec;
  meta::Container container;
};

// Of each object anew: `remote update` gives the remote another key, directory or bucket while the job runs.
Task<WorkDone> offload_one(store::Services& services, OffloadPlan plan, OffloadTarget target, meta::Object object) {
  CO_CHECK_ASSIGN(target.remote, services.remotes.find(plan.spec.remote));
  CO_CHECK(check(plan.container, plan.spec, *target.remote));
  CO_TRY_ASSIGN(const auto config, meta::get_remote(services.cell, plan.spec.remote));
  target.key_prefix = native_prefix(config ? config->prefix : std::string{}, plan.container, plan.spec.remote);
  CO_TRY_ASSIGN(const Offloaded offloaded, offload_object(services, std::move(target), std::move(object)));
  WorkDone done;
  done.changed = offloaded.changed;
  done.bytes = offloaded.bytes;
  co_return done;
}

Task<void> run_offload(jobs::JobContext& context, store::Services& services, OffloadOptions options) {
  OffloadPlan plan;
  CO_CHECK_ASSIGN(plan.spec, decode_offload(context.job().spec));
  const auto remote = services.remotes.find(plan.spec.remote);
  const bool opening = !remote.ok() && remote.error().detail == store::kRemoteOpening;  // the objects wait for it
  if (!remote.ok() && !opening) co_return remote.error();
  const store::ContainerRef& ref = plan.spec.container;
  CO_TRY_ASSIGN(plan.container, meta::get_container(services.cell, ref.tenant, ref.account, ref.container));
  if (remote.ok()) {
    CO_CHECK(check(plan.container, plan.spec, **remote));
  }
  OffloadTarget target;
  target.container = meta::key_of(plan.container);
  target.evict = plan.spec.evict;
  target.wait_for_gc = options.wait_for_gc;
  target.stop_asked = [&context] { return context.stop_requested(); };
  WalkSpec walk;
  walk.container = target.container;
  walk.prefix = plan.spec.prefix;
  walk.parallel = options.parallel;
  ObjectWork work = [&services, plan, target](meta::Object object) {
    return offload_one(services, plan, target, std::move(object));
  };
  co_return co_await walk_objects(context, services, std::move(walk), std::move(work));
}

}  // namespace

void register_offload(jobs::Scheduler& scheduler, store::Services& services, OffloadOptions options) {
  scheduler.register_kind(std::string(kKind), [&services, options](jobs::JobContext& context) {
    return run_offload(context, services, options);
  });
}

Task<JobId> submit_offload(jobs::Scheduler& scheduler, store::Services& services, OffloadSpec spec) {
  const store::ContainerRef& ref = spec.container;
  CO_TRY_ASSIGN(const meta::Container container,
                meta::get_container(services.cell, ref.tenant, ref.account, ref.container));
  const auto remote = services.remotes.find(spec.remote);
  if (!remote.ok()) co_return Error{Code::kInvalid, remote.error().message};
  CO_CHECK(check(container, spec, **remote));
  std::string title = fmt::format("offload {} to {}{}", title_of(ref, spec.prefix), spec.remote,
                                  spec.evict == Evict::kYes ? ", then evict" : "");
  std::string encoded = encode(spec);
  co_return co_await scheduler.submit(std::string(kKind), std::move(title), std::move(encoded));
}

}  // namespace tombolo::tiering
