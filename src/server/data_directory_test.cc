#include "server/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/test_folder.h"

namespace tombolo::server {
namespace {

using testing::HasSubstr;

class DataDirectoryTest : public testing::Test {
 protected:
  const TestFolder folder_;
  const std::string path_ = folder_.path() + "/new/data";
  SystemRandom random_;
};

TEST_F(DataDirectoryTest, MakesPrivateSecretsOnceAndKeepsThem) {
  std::string token;
  Bytes key;
  {
    auto first = DataDirectory::open(path_, random_);
    ASSERT_TRUE(first.ok()) << to_string(first.error());
    token = first->admin_token();
    key = first->root_key();
    struct stat info{};
    for (const char* name : {"/root.key", "/admin.token"}) {
      ASSERT_EQ(::stat((path_ + name).c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600u);
    }
  }
  auto second = DataDirectory::open(path_, random_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->admin_token(), token);
  EXPECT_EQ(second->root_key(), key);
}

TEST_F(DataDirectoryTest, ANewCellIsToldOf) {
  const auto told = [this] {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(DataDirectory::open(path_, random_).ok());
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(told(), HasSubstr("made a new, empty cell in " + path_));
  EXPECT_EQ(told(), "");
}

TEST_F(DataDirectoryTest, AFailedSyncLeavesItsTimeUntilTheMarkIsRemoved) {
  ASSERT_TRUE(DataDirectory::open(path_, random_).ok());
  EXPECT_EQ(DataDirectory::failed_sync_seconds(path_), 0);
  ASSERT_TRUE(DataDirectory::mark_failed_sync(path_, "the disk said no").ok());
  EXPECT_NEAR(DataDirectory::failed_sync_seconds(path_), static_cast<double>(::time(nullptr)), 10);
  std::filesystem::remove(path_ + "/failed-sync");
  EXPECT_EQ(DataDirectory::failed_sync_seconds(path_), 0);
  EXPECT_FALSE(DataDirectory::mark_failed_sync(path_ + "/absent", "").ok());
}

TEST_F(DataDirectoryTest, IsHeldByOneAtATime) {
  auto first = DataDirectory::open(path_, random_);
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(DataDirectory::open(path_, random_).error().message, HasSubstr("in use by another tombolo"));
}

TEST_F(DataDirectoryTest, RefusesSecretsThatOthersCanReadOrThatAreDamaged) {
  ASSERT_TRUE(DataDirectory::open(path_, random_).ok());
  std::filesystem::permissions(path_ + "/root.key", std::filesystem::perms(0644));
  EXPECT_THAT(DataDirectory::open(path_, random_).error().message, HasSubstr("chmod 600"));
  std::filesystem::permissions(path_ + "/root.key", std::filesystem::perms(0600));
  std::ofstream(path_ + "/root.key") << "short\n";
  EXPECT_EQ(DataDirectory::open(path_, random_).error().code, Code::kCorrupt);
}

TEST_F(DataDirectoryTest, KeepsTheIndexFromOthers) {
  struct stat info{};
  for (const bool old : {false, true}) {
    if (old) std::filesystem::permissions(path_ + "/index", std::filesystem::perms(0755));
    ASSERT_TRUE(DataDirectory::open(path_, random_).ok());
    ASSERT_EQ(::stat((path_ + "/index").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07, 0u);
  }
}

TEST_F(DataDirectoryTest, RefusesTheDirectoryOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_TRUE(DataDirectory::open(path_, random_).ok());
  ASSERT_EQ(::chown((path_ + "/root.key").c_str(), 65'534, 65'534), 0);
  const auto opened = DataDirectory::open(path_, random_);
  EXPECT_EQ(opened.error().code, Code::kPermissionDenied);
  EXPECT_THAT(opened.error().message, HasSubstr("sudo -u"));
}

TEST_F(DataDirectoryTest, RefusesToMakeANewRootKeyOverOldData) {
  ASSERT_TRUE(DataDirectory::open(path_, random_).ok());
  std::filesystem::create_directory(path_ + "/log");
  std::filesystem::remove(path_ + "/root.key");
  EXPECT_THAT(DataDirectory::open(path_, random_).error().message, HasSubstr("restore it"));
}

}  // namespace
}  // namespace tombolo::server
