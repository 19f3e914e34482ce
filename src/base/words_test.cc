#include <gtest/gtest.h>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/sizes.h"
#include "base/units.h"

namespace tombolo {
namespace {

const std::vector<std::string_view> kCommands = {"serve",  "status", "sas",        "offload",
                                                 "recall", "remote", "cache.bytes"};

TEST(Ascii, LettersAloneHaveTwoCases) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const char x = static_cast<char>(a), y = static_cast<char>(b);
      for (const std::size_t size : {1U, 8U, 13U}) {  // alone, in a step of eight, in the last step
        std::string one(size, '-'), other(size, '-');
        one.back() = x;
        other.back() = y;
        ASSERT_EQ(equal_ignoring_case(one, other), lower(x) == lower(y)) << a << " " << b << " of " << size;
      }
    }
  }
}

TEST(Ascii, EachPlaceCounts) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string small(size, 'q'), large(size, 'Q');
    EXPECT_TRUE(equal_ignoring_case(small, large)) << size;
    EXPECT_FALSE(equal_ignoring_case(small, large + "q")) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = large;
      other[at] = 'r';
      EXPECT_FALSE(equal_ignoring_case(small, other)) << at << " of " << size;
    }
  }
  EXPECT_EQ(lower("Content-MD5 \xC4"), "content-md5 \xC4");
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("stauts", kCommands), "status");
  EXPECT_EQ(nearest("ofload", kCommands), "offload");
  EXPECT_EQ(nearest("Serve", kCommands), "serve");
  EXPECT_EQ(nearest("stat", kCommands), "status");
  EXPECT_EQ(nearest("cache.bites", kCommands), "cache.bytes");
  EXPECT_EQ(did_you_mean("recal", kCommands), "; did you mean \"recall\"?");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("frobnicate", kCommands), std::nullopt);
  EXPECT_EQ(nearest("", kCommands), std::nullopt);
  EXPECT_EQ(nearest("x", {"a", "b"}), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 's'), kCommands), std::nullopt);
  EXPECT_EQ(did_you_mean("zzzz", kCommands), "");
}

TEST(Sizes, TakeBinaryUnits) {
  EXPECT_EQ(*parse_size("0"), 0u);
  EXPECT_EQ(*parse_size("12345"), 12345u);
  EXPECT_EQ(*parse_size("8MiB"), 8 * kMiB);
  EXPECT_EQ(*parse_size("2TiB"), 2 * kTiB);
}

TEST(Sizes, SayWhatToWriteInstead) {
  EXPECT_NE(parse_size("1GB").error().message.find("write 1GiB"), std::string::npos);
  EXPECT_NE(parse_size("64 mb").error().message.find("write 64MiB"), std::string::npos);
  for (const auto* text : {"", "lots", "-1", "1.5GiB", "1XiB", "99999999999TiB", "99999999999999999999"}) {
    EXPECT_EQ(parse_size(text).error().code, Code::kInvalid) << text;
  }
}

}  // namespace
}  // namespace tombolo
