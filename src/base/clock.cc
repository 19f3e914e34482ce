#include "base/clock.h"

namespace tombolo {

WallTime SystemClock::wall() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Duration>(now).count()};
}

SteadyTime SystemClock::steady() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Duration>(now).count()};
}

}  // namespace tombolo
