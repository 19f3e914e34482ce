#include "server/own_places.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace tombolo::server {
namespace {

const Endpoint kBlob{.address = "10.1.2.3", .port = 10000};

TEST(OwnPlaces, TheServersOwnListenerIsRefused) {
  for (const auto* url : {"http://127.0.0.1:10000/acc", "http://localhost:10000/acc", "http://[::1]:10000/acc",
                          "http://10.1.2.3:10000", "https://127.9.9.9:10000/acc/"}) {
    EXPECT_FALSE(check_not_own(url, kBlob, "/data").ok()) << url;
  }
  for (const auto* url : {"http://127.0.0.1:10001/acc", "http://10.1.2.4:10000/acc", "http://localhost/acc",
                          "http://acc.blob.core.windows.net", "nonsense", "http://[::1]", ""}) {
    EXPECT_TRUE(check_not_own(url, kBlob, "/data").ok()) << url;
  }
}

TEST(OwnPlaces, TheDataDirectoryAndWhatLiesInItAreRefused) {
  const std::string data = std::filesystem::temp_directory_path() / "tombolo-own";
  EXPECT_FALSE(check_not_own(data, kBlob, data).ok());
  EXPECT_FALSE(check_not_own(data + "/segments", kBlob, data).ok());
  EXPECT_FALSE(check_not_own(data + "/../tombolo-own/x", kBlob, data + "/").ok());
  EXPECT_TRUE(check_not_own(data + "-beside", kBlob, data).ok());
  EXPECT_TRUE(check_not_own(data + "/..", kBlob, data).ok());
}

}  // namespace
}  // namespace tombolo::server
