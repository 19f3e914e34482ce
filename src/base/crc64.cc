#include "base/crc64.h"

#include <immintrin.h>

#include <array>

#include "base/endian.h"

namespace tombolo {
namespace {

constexpr std::uint64_t kPolynomial = 0x9A6C9329AC4BC9B5ull;  // reflected

constexpr auto kTables = [] {
  std::array<std::array<std::uint64_t, 256>, 8> tables{};
  for (std::uint64_t i = 0; i < 256; ++i) {
    std::uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
    }
  }
  return tables;
}();

// a * b modulo the polynomial, both reflected (bit 63 is x^0).
constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (int i = 63; i >= 0; --i) {
    if ((a >> i & 1) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

// x^(2^k) for k = 0..63: enough to raise x to any 64-bit power.
constexpr auto kPowers = [] {
  std::array<std::uint64_t, 64> powers{};
  powers[0] = 1ull << 62;  // x^1
  for (std::size_t k = 1; k < 64; ++k) powers[k] = multiply(powers[k - 1], powers[k - 1]);
  return powers;
}();

// x^exponent modulo the polynomial.
constexpr std::uint64_t power_of_x(std::uint64_t exponent) {
  std::uint64_t result = 1ull << 63;  // x^0
  for (std::size_t k = 0; k < 64; ++k) {
    if ((exponent >> k & 1) != 0) result = multiply(result, kPowers[k]);
  }
  return result;
}

std::uint64_t update_tables(std::uint64_t state, BytesView bytes) {
  while (bytes.size() >= 8) {
    const std::uint64_t word = state ^ load_le<std::uint64_t>(bytes.data());
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= kTables[7 - i][word >> (8 * i) & 0xFF];
    bytes = bytes.subspan(8);
  }
  for (const std::byte b : bytes) state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<std::uint64_t>(b)) & 0xFF];
  return state;
}

// Folding by n bits multiplies the low and the high half of a 128-bit lane by x^(n+64) and x^n. A reflected carry-less
// product comes out one place low, hence the exponents are one less (Intel's folding paper, reflected form).
struct FoldBy {
  std::uint64_t low, high;
};
constexpr FoldBy fold_by(std::uint64_t bits) {
  return {power_of_x(bits + 63), power_of_x(bits - 1)};
}

__attribute__((target("pclmul,sse4.1"))) __m128i fold(__m128i lane, __m128i by, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("sse4.1"))) __m128i pair(FoldBy by) {
  return _mm_set_epi64x(static_cast<long long>(by.high), static_cast<long long>(by.low));
}

/// Lanes that follow each other become one; then what follows them. The last 16 bytes are reduced by the tables: the
/// folded lane is an equivalent message with state zero.
__attribute__((target("pclmul,sse4.1"))) std::uint64_t finish(const __m128i* lanes, int count, BytesView rest) {
  constexpr FoldBy k128 = fold_by(128);
  const __m128i by_lane = pair(k128);
  __m128i folded = lanes[0];
  for (int i = 1; i < count; ++i) folded = fold(folded, by_lane, lanes[i]);
  alignas(16) std::byte last[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(last), folded);
  return update_tables(update_tables(0, last), rest);
}

__attribute__((target("pclmul,sse4.1"))) std::uint64_t update_clmul(std::uint64_t state, BytesView bytes) {
  constexpr FoldBy k1024 = fold_by(1024);
  const auto load = [](const std::byte* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  __m128i lanes[8];
  for (int i = 0; i < 8; ++i) lanes[i] = load(bytes.data() + 16 * i);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(state)));
  bytes = bytes.subspan(128);
  const __m128i by_stride = pair(k1024);
  while (bytes.size() >= 128) {
    for (int i = 0; i < 8; ++i) lanes[i] = fold(lanes[i], by_stride, load(bytes.data() + 16 * i));
    bytes = bytes.subspan(128);
  }
  return finish(lanes, 8, bytes);
}

constexpr std::size_t kWideBytesMin = 512;

/// As update_clmul, four lanes an instruction.
__attribute__((target("pclmul,sse4.1,avx512f,vpclmulqdq"))) std::uint64_t update_wide(std::uint64_t state,
                                                                                      BytesView bytes) {
  constexpr FoldBy k2048 = fold_by(2048);
  __m512i lanes[4];
  for (int i = 0; i < 4; ++i) lanes[i] = _mm512_loadu_si512(bytes.data() + 64 * i);
  lanes[0] = _mm512_xor_si512(lanes[0], _mm512_zextsi128_si512(_mm_set_epi64x(0, static_cast<long long>(state))));
  bytes = bytes.subspan(256);
  const __m512i by_stride = _mm512_maskz_broadcast_i32x4(0xFFFF, pair(k2048));
  while (bytes.size() >= 256) {
    for (int i = 0; i < 4; ++i) {
      const __m512i low = _mm512_clmulepi64_epi128(lanes[i], by_stride, 0x00);
      const __m512i high = _mm512_clmulepi64_epi128(lanes[i], by_stride, 0x11);
      constexpr int kXorOfThree = 0x96;
      lanes[i] = _mm512_ternarylogic_epi64(low, high, _mm512_loadu_si512(bytes.data() + 64 * i), kXorOfThree);
    }
    bytes = bytes.subspan(256);
  }
  __m128i narrow[16];
  for (int i = 0; i < 4; ++i) _mm512_storeu_si512(&narrow[4 * i], lanes[i]);
  return finish(narrow, 16, bytes);
}

bool has_clmul() {
  static const bool has = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return has;
}

bool has_wide_clmul() {
  static const bool has = has_clmul() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
  return has;
}

}  // namespace

std::uint64_t crc64(BytesView bytes, std::uint64_t crc_before) {
  const std::uint64_t state = ~crc_before;
  if (bytes.size() >= kWideBytesMin && has_wide_clmul()) return ~update_wide(state, bytes);
  return ~(bytes.size() >= 256 && has_clmul() ? update_clmul(state, bytes) : update_tables(state, bytes));
}

std::uint64_t crc64_combine(std::uint64_t crc_a, std::uint64_t crc_b, std::uint64_t length_b) {
  // crc(a‖b) = crc(a)·x^(8·|b|) + crc(b): init and xorout cancel.
  std::uint64_t shift = 1ull << 63;
  for (std::size_t k = 0; k + 3 < 64; ++k) {
    if ((length_b >> k & 1) != 0) shift = multiply(shift, kPowers[k + 3]);
  }
  return multiply(crc_a, shift) ^ crc_b;
}

std::uint64_t crc64_portable(BytesView bytes, std::uint64_t crc_before) {
  return ~update_tables(~crc_before, bytes);
}

}  // namespace tombolo
