#include "base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/encoding.h"

namespace tombolo {

std::uint64_t Random::next64() {
  std::uint64_t value = 0;
  fill({reinterpret_cast<std::byte*>(&value), sizeof(value)});
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ASSERT(bound > 0);
  // Rejection keeps it uniform: drop the incomplete last cycle of the 64-bit range.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next64();
  while (value >= limit) value = next64();
  return value % bound;
}

std::string Random::hex(std::size_t bytes) {
  Bytes raw(bytes);
  fill(raw);
  return hex_encode(raw);
}

void SystemRandom::fill(MutableBytes out) {
  const int ok = RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  ASSERT(ok == 1);
}

void SeededRandom::fill(MutableBytes out) {
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    const std::size_t n = std::min(out.size(), sizeof(z));
    std::memcpy(out.data(), &z, n);
    out = out.subspan(n);
  }
}

}  // namespace tombolo
