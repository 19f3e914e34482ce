#include "remote/egress.h"

#include <gtest/gtest.h>

#include "async/run.h"

namespace tombolo::remote {
namespace {

using boost::asio::ip::make_address;

bool allowed(const char* address, Reach reach) {
  return vet_address(make_address(address), reach).ok();
}

TEST(Egress, PublicAddressesAreReached) {
  for (const char* address : {"20.60.1.2", "100.128.0.1", "172.32.0.1", "2603:1030::1", "::ffff:20.60.1.2"}) {
    EXPECT_TRUE(allowed(address, Reach::kPublic)) << address;
  }
}

TEST(Egress, PrivateAddressesNeedAnAdministrator) {
  for (const char* address : {"127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                              "100.64.0.1", "::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
                              "64:ff9b::10.0.0.1", "2002:7f00:1::", "2001:0:1:2:3:4:80ff:fffe"}) {
    EXPECT_FALSE(allowed(address, Reach::kPublic)) << address;
    EXPECT_TRUE(allowed(address, Reach::kPrivate)) << address;
  }
}

TEST(Egress, MetadataLinkLocalAndTheRestAreNeverReached) {
  for (const char* address : {"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
                              "240.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::", "fe80::1",
                              "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::169.254.169.254",
                              "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::"}) {
    EXPECT_FALSE(allowed(address, Reach::kPrivate)) << address;
  }
}

struct FakeNames {
  std::vector<std::vector<const char*>> answers;  // the last one is repeated
  std::size_t asked = 0;
};

Task<std::vector<boost::asio::ip::address>> answer(FakeNames& names) {
  const std::size_t n = std::min(names.asked++, names.answers.size() - 1);
  std::vector<boost::asio::ip::address> out;
  for (const char* text : names.answers[n]) out.push_back(make_address(text));
  co_return out;
}

Resolve resolver_of(FakeNames& names) {
  return [&names](std::string) { return answer(names); };
}

TEST(Egress, GivesTheVettedAddressAndNotWhatTheNameSaysLater) {
  ManualClock clock;
  FakeNames names{{{"20.1.1.1", "20.1.1.2"}, {"127.0.0.1"}}};
  Egress egress({.host = "store.example", .reach = Reach::kPublic}, clock, resolver_of(names));
  EXPECT_EQ(*run_to_end(egress.address(0)), "20.1.1.1");
  EXPECT_EQ(*run_to_end(egress.address(1)), "20.1.1.2");
  EXPECT_EQ(*run_to_end(egress.address(2)), "20.1.1.1");
  EXPECT_EQ(names.asked, 1u);
  clock.advance(std::chrono::seconds(31));
  EXPECT_EQ(run_to_end(egress.address(0)).error().code, Code::kPermissionDenied);
}

TEST(Egress, OneRefusedAddressRefusesTheName) {
  ManualClock clock;
  FakeNames names{{{"20.1.1.1", "169.254.169.254"}}};
  Egress egress({.host = "store.example", .reach = Reach::kPrivate}, clock, resolver_of(names));
  EXPECT_EQ(run_to_end(egress.address(0)).error().code, Code::kPermissionDenied);
}

TEST(Egress, NumbersThatMeanAnAddressAreJudgedAsOne) {
  ManualClock clock;
  for (const char* host : {"2130706433", "0x7f000001", "127.1", "localhost"}) {
    Egress egress({.host = host, .reach = Reach::kPublic}, clock);
    EXPECT_FALSE(run_to_end(egress.address(0)).ok()) << host;
  }
  Egress literal({.host = "127.0.0.1", .reach = Reach::kPrivate}, clock);
  EXPECT_EQ(*run_to_end(literal.address(7)), "127.0.0.1");
}

}  // namespace
}  // namespace tombolo::remote
