// Random: the only source of randomness below server/.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/bytes.h"

namespace tombolo {

/// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint64_t next64();
  /// Uniform in [0, bound). Requires bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// `bytes` random bytes in lower-case hex.
  std::string hex(std::size_t bytes);
};

/// The operating system's generator (through OpenSSL); fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override;
};

/// Deterministic (SplitMix64); for tests and simulation only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace tombolo
