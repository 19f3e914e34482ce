// A fuzz target: one function over bytes. The build of the preset `fuzz` hands it to libFuzzer; every other build runs
// it over its seeds, and over small changes of them, as the unit test Fuzz.<target>. How to add one:
// tests/fuzz/README.md.
//
// What it checks it ASSERTs: a fuzzer has found something when the program ends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"

namespace tombolo::fuzz {

/// A copy on the heap that ends exactly where it ends, so that the address sanitizer sees a read behind it.
class Exact {
 public:
  explicit Exact(std::string_view text) : bytes_(text.begin(), text.end()) {}
  std::string_view text() const { return {bytes_.data(), bytes_.size()}; }
  BytesView bytes() const { return as_bytes(text()); }

 private:
  const std::vector<char> bytes_;
};

/// Takes values off the front of an input; zeros and empty texts once it is used up.
class Pieces {
 public:
  explicit Pieces(BytesView input) : rest_(as_text(input)) {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint64_t u64() { return number(8); }
  bool flag() { return (byte() & 1) != 0; }
  /// A number below `bound`. Requires 0 < bound <= 65,536.
  std::size_t below(std::size_t bound) { return u16() % bound; }
  /// A length in one byte, then that many bytes, or what is left.
  std::string text() {
    const std::size_t wanted = byte();
    const std::size_t size = std::min(wanted, rest_.size());
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width && !rest_.empty(); ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_.front())) << (8 * i);
      rest_.remove_prefix(1);
    }
    return value;
  }
  std::string_view rest_;
};

/// A number that depends on all of the input, for choices that need not be steered (FNV-1a).
inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

}  // namespace tombolo::fuzz

// FUZZ(target) { ... input ... }, outside of unnamed namespaces. `target` is the file's name without "_fuzz".
#ifdef TOMBOLO_FUZZ
#define FUZZ(target)                                                                      \
  static void target##_takes(::tombolo::BytesView input);                                 \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);      \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {     \
    target##_takes(::tombolo::BytesView(reinterpret_cast<const std::byte*>(data), size)); \
    return 0;                                                                             \
  }                                                                                       \
  static void target##_takes(::tombolo::BytesView input)
#else
#include "testing/fuzz_replay.h"
#define FUZZ(target)                                                       \
  static void target##_takes(::tombolo::BytesView input);                  \
  TEST(Fuzz, target) {                                                     \
    ::tombolo::fuzz::replay(TOMBOLO_FUZZ_CORPUS, #target, target##_takes); \
  }                                                                        \
  static void target##_takes(::tombolo::BytesView input)
#endif
