// measure: how fast a remote is from here, on an object of its own. For `tombolo remote test`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "remote/remote.h"

namespace tombolo::remote {

struct MeasureOptions {
  std::string prefix;                            // as ProbeOptions
  std::uint64_t bytes = 8 * kMiB;                // of the object that goes up and comes back; at least kRangeBytes
  Duration time_max = std::chrono::seconds(20);  // past it, no request more is made
  std::uint32_t samples_max = 200;               // ranged reads
};

struct Percentiles {
  std::uint32_t samples = 0;
  Duration p50{0}, p95{0}, p99{0};
};

struct Measured {
  Percentiles first_byte;                                     // from asking for a range to its first byte
  Percentiles range;                                          // to its last
  double put_bytes_per_second = 0, get_bytes_per_second = 0;  // one stream
  std::uint64_t object_bytes = 0;                             // of the large object; less than asked on a slow line
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  Duration took{0};
};

inline constexpr std::uint64_t kRangeBytes = 32 * kKiB;

/// Percentiles by nearest rank. `samples` in any order; all zero when empty.
Percentiles percentiles_of(std::vector<Duration> samples);

/// Writes an object, reads it whole, then reads ranges of kRangeBytes at random granules of it. Sends at most `bytes`
/// and 256 KiB, receives at most that and samples_max ranges. A request that runs when time_max has passed ends by the
/// remote's own limits. Works below "<prefix>.tombolo-probe-<nonce>" and removes it; an error after which something may
/// be left names the key. Requires a remote that has passed probe().
Task<Measured> measure(Remote& remote, MeasureOptions options, Clock& clock, Random& random);

}  // namespace tombolo::remote
