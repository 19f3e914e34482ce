#include "server/settings_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/units.h"

namespace tombolo::server {
namespace {

struct Bounds {
  std::string_view key;
  std::uint64_t min, max;
};

constexpr std::uint64_t kDay = 86'400, kYear = 365 * kDay;
constexpr std::uint64_t kPiB = 1024 * kTiB;

// Every setting that is a number; a minimum of 0 where the table of settings gives 0 a meaning, or it has its plain
// one.
constexpr std::array kBounds = {
    Bounds{"server.threads", 0, 1'024},
    Bounds{"server.workers", 0, 4'096},
    Bounds{"server.stop_seconds", 0, kDay},
    Bounds{"limits.connections_max", 1, 10'000'000},
    Bounds{"limits.head_seconds", 1, kDay},
    Bounds{"limits.keep_alive_seconds", 1, kDay},
    Bounds{"limits.stall_seconds", 1, kDay},
    Bounds{"limits.client_rate_min", 0, kGiB},
    Bounds{"limits.requests_max", 0, 10'000'000},
    Bounds{"limits.account_requests_max", 0, 10'000'000},
    Bounds{"limits.account_requests_per_second", 0, 1'000'000'000},
    Bounds{"limits.account_upload_bytes_max", 0, kPiB},
    Bounds{"cache.bytes", 0, kPiB},
    Bounds{"data.segment_bytes", kMiB, 4 * kGiB},
    Bounds{"data.reserve_bytes", 0, kPiB},
    Bounds{"log.file_bytes", 64 * kKiB, 4 * kGiB},
    Bounds{"log.flush_bytes", 64 * kKiB, 64 * kGiB},
    Bounds{"tiering.gc_interval_seconds", 0, kDay},
    Bounds{"tiering.gc_grace_seconds", 0, 100 * kYear},
    Bounds{"tiering.remote_grace_seconds", 0, 100 * kYear},
    Bounds{"tiering.compact_dead_percent", 1, 99},
    Bounds{"tiering.offload_parallel", 1, 1'000},
    Bounds{"tiering.jobs_max", 1, 1'000},
    Bounds{"observe.census_seconds", 0, kYear},
    // A try as a whole has 90 s besides the time for its bytes (AzureConfig::try_base).
    Bounds{"remote.first_byte_seconds", 1, 60},
    Bounds{"remote.stall_seconds", 1, kDay},
    Bounds{"remote.operation_seconds", 0, kDay},
    Bounds{"remote.tries", 1, 100},
};

Result<void> check(std::string_view key, std::uint64_t value) {
  const auto bounds = std::find_if(kBounds.begin(), kBounds.end(), [key](const Bounds& b) { return b.key == key; });
  ASSERT(bounds != kBounds.end());  // a number without a line in kBounds: no server with it ever starts
  if (value >= bounds->min && value <= bounds->max) return {};
  return Error{Code::kInvalid, fmt::format("{} = {} is out of bounds: it must be between {} and {}", key, value,
                                           bounds->min, bounds->max)};
}
Result<void> check(std::string_view, const std::string&) {
  return {};
}
Result<void> check(std::string_view, bool) {
  return {};
}

}  // namespace

Result<void> check_bounds(const Settings& settings) {
#define X(member, type, key, ...) \
  if (auto checked = check(key, settings.member); !checked.ok()) return checked;
  TOMBOLO_SETTINGS(X)
#undef X
  return {};
}

}  // namespace tombolo::server
