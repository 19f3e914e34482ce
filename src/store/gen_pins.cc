#include "store/gen_pins.h"

#include "base/assert.h"

namespace tombolo::store {
namespace {
constexpr std::int64_t kClaimed = -1;
}

std::optional<GenPins::Handle> GenPins::pin(TenantId tenant, GenId gen) {
  const std::lock_guard lock(mutex_);
  auto& readers = held_[{tenant, gen}];
  if (readers == kClaimed) return std::nullopt;
  ++readers;
  return Handle(this, tenant, gen);
}

std::optional<GenPins::Handle> GenPins::claim(TenantId tenant, GenId gen) {
  const std::lock_guard lock(mutex_);
  const auto [place, fresh] = held_.emplace(Key{tenant, gen}, kClaimed);
  if (!fresh) return std::nullopt;
  return Handle(this, tenant, gen);
}

void GenPins::release(TenantId tenant, GenId gen) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find({tenant, gen});
  ASSERT(found != held_.end());
  if (found->second == kClaimed || --found->second == 0) held_.erase(found);
}

}  // namespace tombolo::store
