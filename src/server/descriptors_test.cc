#include "server/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace tombolo::server {
namespace {

TEST(Descriptors, AreRaisedToTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto raised = raise_descriptor_limit();
  ASSERT_TRUE(raised.ok());
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(*raised, now.rlim_cur);
  EXPECT_GT(now.rlim_cur, 64u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(Descriptors, AreSharedBetweenConnectionsAndFiles) {
  EXPECT_EQ(connections_that_fit(16'000, 20'000), 16'000u);
  EXPECT_EQ(connections_that_fit(100'000, 20'000), 20'000u - kDescriptorsKept);
  EXPECT_EQ(connections_that_fit(16'000, 1'024), 512u);
  EXPECT_EQ(connections_that_fit(100, 1'024), 100u);
  EXPECT_EQ(idle_files_that_fit(16'000, 262'144), kIdleFilesMax);
  EXPECT_EQ(idle_files_that_fit(100'000, 20'000), kDescriptorsKept / 4);
  EXPECT_EQ(idle_files_that_fit(16'000, 1'024), 128u);
}

}  // namespace
}  // namespace tombolo::server
