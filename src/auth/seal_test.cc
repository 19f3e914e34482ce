#include "auth/seal.h"

#include <gtest/gtest.h>

namespace tombolo::auth {
namespace {

TEST(Sealer, OpensOnlyWithTheSameKeyAndPurpose) {
  SeededRandom random(1);
  const Sealer sealer(Bytes(32, std::byte{7}), random), other(Bytes(32, std::byte{8}), random);
  for (const std::string& secret : {std::string(), std::string("s3cr\0t", 6), std::string(10'000, 'x')}) {
    const std::string sealed = sealer.seal("account-key:a", secret);
    EXPECT_EQ(*sealer.open("account-key:a", sealed), secret);
    EXPECT_EQ(sealer.open("account-key:b", sealed).error().code, Code::kCorrupt);
    EXPECT_EQ(other.open("account-key:a", sealed).error().code, Code::kCorrupt);
    EXPECT_NE(sealer.seal("account-key:a", secret), sealed) << "the nonce is fresh";
  }
}

TEST(Sealer, NoticesEveryFlippedBitAndEveryCut) {
  SeededRandom random(2);
  const Sealer sealer(Bytes(32, std::byte{7}), random);
  const std::string sealed = sealer.seal("p", "secret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(sealer.open("p", flipped).ok()) << i;
    EXPECT_FALSE(sealer.open("p", sealed.substr(0, i)).ok()) << i;
  }
}

}  // namespace
}  // namespace tombolo::auth
