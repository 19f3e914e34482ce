#include "tiering/pin_gen.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/sleep.h"
#include "meta/ops/gens.h"

namespace tombolo::tiering {
namespace {

constexpr Duration kPauseFirst = std::chrono::milliseconds(1), kPauseMax = std::chrono::milliseconds(200);
constexpr Duration kWaitMin = std::chrono::seconds(2);

}  // namespace

Task<std::optional<store::GenPins::Handle>> pin_gen(store::Services& services, TenantId tenant, GenId gen,
                                                    Duration wait_max) {
  const Duration limit = std::max(wait_max, kWaitMin);
  Duration pause = kPauseFirst;
  for (Duration waited{0};; waited += pause, pause = std::min(pause * 2, kPauseMax)) {
    auto pin = services.pins.pin(tenant, gen);
    CO_TRY_ASSIGN(const auto row, meta::get_gen(services.cell, tenant, gen));
    if (!row || row->state == meta::GenState::kCondemned) co_return std::optional<store::GenPins::Handle>{};
    if (pin) co_return std::move(pin);
    if (waited >= limit) {
      co_return Error{Code::kBusy, fmt::format("garbage collection is at gen {}; try again later", gen.value)};
    }
    CO_TRY(sleep_for(pause));
  }
}

}  // namespace tombolo::tiering
