#include "tiering/census.h"

#include "async/sleep.h"
#include "meta/ops/gens.h"
#include "meta/ops/list_objects.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kPageObjects = 200;
constexpr int kRestFactor = 50;  // times what the page took

void count(PlaceCount& place, const meta::Object& object) {
  ++place.objects;
  place.bytes += object.length;
}

Task<void> count_object(store::Services& services, TenantId tenant, const meta::Object& object, Census& census) {
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, tenant, object.gen));
  if (!gen) co_return Result<void>{};  // replaced meanwhile
  if (!gen->native) {
    count(census.local, object);
    if (!census.oldest_exposed || object.content_stamp < *census.oldest_exposed) {
      census.oldest_exposed = object.content_stamp;
    }
  } else {
    count(gen->evicted ? census.remote : census.both, object);
  }
  co_return Result<void>{};
}

Task<void> count_container(store::Services& services, meta::ContainerKey container, Census& census) {
  meta::ObjectQuery query;
  query.limit = kPageObjects;
  for (bool more = true; more;) {
    const SteadyTime start = services.cell.clock.steady();
    CO_TRY_ASSIGN(const auto page, meta::list_objects(services.cell, container, query));
    for (const meta::ObjectEntry& entry : page.entries) {
      if (!entry.object) continue;
      CO_TRY(count_object(services, container.tenant, *entry.object, census));
    }
    more = page.next.has_value();
    if (more) query.start_after = *page.next;
    const Duration took = services.cell.clock.steady() - start;
    CO_TRY(sleep_for(kRestFactor * took));
  }
  co_return Result<void>{};
}

}  // namespace

Task<Census> take_census(store::Services& services, std::vector<meta::ContainerKey> containers) {
  Census census;
  for (const meta::ContainerKey& container : containers) {
    CO_TRY(count_container(services, container, census));
  }
  census.finished = services.cell.clock.wall();
  co_return census;
}

}  // namespace tombolo::tiering
