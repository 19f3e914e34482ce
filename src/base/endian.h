// Fixed-width integers in byte strings. Big-endian in keys (so that byte order is number order), little in values.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace tombolo {

static_assert(std::endian::native == std::endian::little,
              "tombolo's formats are read and written on little-endian CPUs");

template <class T>
T load_le(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
void store_le(void* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}
inline std::uint64_t load_be64(const void* from) {
  return __builtin_bswap64(load_le<std::uint64_t>(from));
}
inline void store_be64(void* to, std::uint64_t value) {
  store_le(to, __builtin_bswap64(value));
}

inline void append_be64(std::string& to, std::uint64_t value) {
  char raw[8];
  store_be64(raw, value);
  to.append(raw, 8);
}

}  // namespace tombolo
