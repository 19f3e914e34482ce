// Clock: the only source of time below server/.
#pragma once

#include <chrono>
#include <cstdint>

namespace tombolo {

using Duration = std::chrono::microseconds;

/// Wall time in microseconds since the Unix epoch. May jump; stamps (meta) are made from it, never leases or timeouts.
struct WallTime {
  std::int64_t micros = 0;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

/// Monotonic time in microseconds since an arbitrary start; for deadlines, leases and latencies.
struct SteadyTime {
  std::int64_t micros = 0;
  friend auto operator<=>(const SteadyTime&, const SteadyTime&) = default;
};

inline SteadyTime operator+(SteadyTime t, Duration d) {
  return {t.micros + d.count()};
}
inline Duration operator-(SteadyTime a, SteadyTime b) {
  return Duration(a.micros - b.micros);
}

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() = 0;
  virtual SteadyTime steady() = 0;
};

/// The machine's clocks. Made once by server/ (and by tests that want real time).
class SystemClock final : public Clock {
 public:
  WallTime wall() override;
  SteadyTime steady() override;
};

/// A clock that moves only when told. Thread-safe. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = {1'700'000'000'000'000}) : wall_(start) {}
  WallTime wall() override { return {__atomic_load_n(&wall_.micros, __ATOMIC_SEQ_CST)}; }
  SteadyTime steady() override { return {__atomic_load_n(&steady_.micros, __ATOMIC_SEQ_CST)}; }
  void advance(Duration by) {
    __atomic_add_fetch(&wall_.micros, by.count(), __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&steady_.micros, by.count(), __ATOMIC_SEQ_CST);
  }
  void set_wall(WallTime to) { __atomic_store_n(&wall_.micros, to.micros, __ATOMIC_SEQ_CST); }

 private:
  WallTime wall_;
  SteadyTime steady_{1'000'000};
};

}  // namespace tombolo
