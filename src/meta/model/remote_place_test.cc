#include "meta/model/remote_place.h"

#include <gtest/gtest.h>

namespace tombolo::meta {
namespace {

TEST(RemotePlace, OneDirectoryMayBeSpelledInManyWays) {
  for (const char* same : {"/mnt/a", "/mnt/a/", "/mnt//a", "/mnt/b/../a/.", "/../mnt/a"}) {
    EXPECT_TRUE(same_endpoint("file", "/mnt/a", same)) << same;
  }
  for (const char* other : {"/mnt", "/mnt/a/b", "/mnt/A"})
    EXPECT_FALSE(same_endpoint("file", "/mnt/a", other)) << other;
}

TEST(RemotePlace, SoMayOneUrl) {
  for (const char* same : {"http://host/Acc", "HTTP://Host/Acc/", "http://host:80/Acc"}) {
    EXPECT_TRUE(same_endpoint("azure", "http://host/Acc", same)) << same;
  }
  for (const char* other : {"https://host/Acc", "http://host/acc", "http://host:81/Acc", "http://host"}) {
    EXPECT_FALSE(same_endpoint("azure", "http://host/Acc", other)) << other;
  }
  EXPECT_TRUE(same_endpoint("azure", "https://a.net", "https://A.net:443/"));
}

TEST(RemotePlace, BucketsOfOneServiceAreTwoPlaces) {
  const RemoteConfig one{.kind = "azure", .endpoint = "http://h", .bucket = "b", .prefix = "p/"};
  RemoteConfig other{.kind = "azure", .endpoint = "http://h/", .bucket = "b", .prefix = "q/"};
  EXPECT_TRUE(same_place(one, other));
  other.bucket = "c";
  EXPECT_FALSE(same_place(one, other));
}

TEST(RemotePlace, DotsAtTheEndOfSegmentsAreCutOff) {
  EXPECT_EQ(without_end_dots("a."), "a");
  EXPECT_EQ(without_end_dots("a.../b.c./d."), "a/b.c/d");
  EXPECT_EQ(without_end_dots("a/b.c/.d"), "") << "stays as it is";
}

}  // namespace
}  // namespace tombolo::meta
