// Seeds of a fuzz target as a unit test, for compilers without libFuzzer. Included by testing/fuzz.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace tombolo::fuzz {

inline constexpr std::size_t kCutsMax = 64;       // prefixes of a seed
inline constexpr int kChangesOfASeed = 100;       // other changes
inline constexpr std::size_t kWholeMax = 16'384;  // larger seeds are taken as they are: changes of them are slow

/// One small change of `seed`: a bit, a byte, bytes gone, or bytes said twice.
inline Bytes changed(const Bytes& seed, Random& random) {
  Bytes out = seed;
  if (out.empty()) return Bytes(1, static_cast<std::byte>(random.below(256)));
  const auto at = static_cast<std::ptrdiff_t>(random.below(out.size()));
  const auto length = static_cast<std::ptrdiff_t>(1 + random.below(std::min<std::size_t>(16, out.size() - at)));
  switch (random.below(4)) {
    case 0:
      out[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << random.below(8));
      break;
    case 1:
      out[static_cast<std::size_t>(at)] = static_cast<std::byte>(random.below(256));
      break;
    case 2:
      out.erase(out.begin() + at, out.begin() + at + length);
      break;
    default:
      out.insert(out.begin() + at, seed.begin() + at, seed.begin() + at + length);
      break;
  }
  return out;
}

/// Runs `takes` over every seed of `folder`, prefixes of it and changes of it. What it was at is printed, so that the
/// log of a case that ended the program tells which seed it was.
inline void replay(const std::filesystem::path& folder, const char* target, void (*takes)(BytesView)) {
  std::vector<std::filesystem::path> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  ASSERT_FALSE(seeds.empty()) << "a fuzz target without seeds: " << folder;
  for (const auto& path : seeds) {
    std::printf("%s: %s\n", target, path.filename().c_str());
    std::fflush(stdout);
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const Bytes seed = to_bytes(text);
    takes(seed);
    if (seed.size() > kWholeMax) continue;
    for (std::size_t cut = 0; cut < seed.size(); cut += 1 + seed.size() / kCutsMax) {
      takes(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(cut)));
    }
    SeededRandom random(std::hash<std::string>{}(text));
    for (int i = 0; i < kChangesOfASeed; ++i) takes(changed(seed, random));
  }
}

}  // namespace tombolo::fuzz
