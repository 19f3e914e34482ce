#include "async/retry.h"

#include <algorithm>

namespace tombolo {

Duration retry_delay(const RetryOptions& options, int next_try, Random& random) {
  Duration ceiling = options.delay_first;
  for (int i = 1; i < next_try && ceiling < options.delay_max; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, options.delay_max);
  return Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

}  // namespace tombolo
