#include "base/ascii.h"

#include <cstdint>
#include <cstring>

namespace tombolo {

namespace {

constexpr std::uint64_t kEach = 0x0101010101010101;

std::uint64_t load(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof(word));
  return word;
}

/// Eight letters at a time: a request's headers are compared with some hundred names.
std::uint64_t lower8(std::uint64_t word) {
  const std::uint64_t low = word & (0x7F * kEach);  // so that no sum below carries into the next byte
  const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
  const std::uint64_t behind_z = low + (0x7F - 'Z') * kEach;
  const std::uint64_t letters = from_a & ~behind_z & ~word & (0x80 * kEach);
  return word | letters >> 2;  // 0x80 >> 2 is what a small letter has more
}

bool equal8(const char* a, const char* b) {
  const std::uint64_t x = load(a), y = load(b);
  return x == y || lower8(x) == lower8(y);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool equal_letters_ignoring_case(std::string_view a, std::string_view b) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  if (a.size() < kStep) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
  }
  for (std::size_t at = 0; at + kStep <= a.size(); at += kStep) {
    if (!equal8(a.data() + at, b.data() + at)) return false;
  }
  const std::size_t last = a.size() - kStep;  // once more together with what lies before it
  return equal8(a.data() + last, b.data() + last);
}

}  // namespace tombolo
