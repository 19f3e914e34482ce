#include "base/call_site.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tombolo {
namespace {

struct Device {
  virtual ~Device() = default;
  virtual CallSite sync(CallSite site = CallSite::here()) { return site; }
};

CallSite pass_on(Device& device, CallSite site = CallSite::here()) {
  return device.sync(site);
}

bool listed(const CallSite& site) {
  const auto all = CallSite::all();
  return std::find(all.begin(), all.end(), site) != all.end();
}

TEST(CallSite, NamesThePlaceOfTheCall) {
  Device device;
  const int line = __LINE__ + 1;
  const CallSite site = device.sync();
  EXPECT_EQ(site.file(), "base/call_site_test.cc");
  EXPECT_EQ(site.name().find("base/call_site_test.cc:" + std::to_string(line) + ":"), 0u) << site.name();
  EXPECT_NE(site.function().find("NamesThePlaceOfTheCall"), std::string::npos) << site.function();
  EXPECT_FALSE(site.nowhere());
  EXPECT_TRUE(CallSite().nowhere());
  EXPECT_NE(device.sync(), site);
}

TEST(CallSite, StaysThatOfTheCallerWhoeverPassesItOn) {
  Device device;
  const int line = __LINE__ + 1;
  const CallSite site = pass_on(device);
  EXPECT_EQ(site.name().find("base/call_site_test.cc:" + std::to_string(line) + ":"), 0u) << site.name();
}

#ifdef TOMBOLO_LISTS_CALL_SITES
CallSite never_called(Device& device) {
  return device.sync();
}

TEST(CallSite, IsListedOnceThoughNobodyCallsIt) {
  Device device;
  std::vector<CallSite> sites;
  for (int i = 0; i < 3; ++i) sites.push_back(device.sync());
  EXPECT_EQ(sites[0], sites[2]);
  EXPECT_TRUE(listed(sites[0]));
  EXPECT_FALSE(listed(CallSite()));
  const volatile bool never = false;
  if (never) never_called(device);
  int uncalled = 0;
  const auto all = CallSite::all();
  for (const CallSite& site : all) uncalled += site.function().find("never_called") != std::string::npos;
  EXPECT_EQ(uncalled, 1);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}
#else
TEST(CallSite, IsNotListedWhereTheCompilerCannot) {
  Device device;
  EXPECT_FALSE(listed(device.sync()));
}
#endif

}  // namespace
}  // namespace tombolo
