#include "server/audit_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "testing/test_folder.h"

namespace tombolo::server {
namespace {

namespace fs = std::filesystem;

class AuditFileTest : public testing::Test {
 protected:
  static std::string text(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }
  static unsigned mode(const fs::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  const TestFolder temporary_;
  const fs::path folder_ = temporary_.path();
  const fs::path path_ = folder_ / "audit.log";
};

TEST_F(AuditFileTest, AppendsAndNobodyElseMayRead) {
  {
    AuditFile file(path_);
    ASSERT_TRUE(file.write("one\n").ok());
  }
  AuditFile again(path_);
  ASSERT_TRUE(again.open().ok());
  ASSERT_TRUE(again.write("two\n").ok());
  EXPECT_EQ(text(path_), "one\ntwo\n");
  EXPECT_EQ(mode(path_), 0600u);
}

TEST_F(AuditFileTest, ARotationLosesNothing) {
  AuditFile file(path_);
  ASSERT_TRUE(file.write("one\n").ok());
  fs::rename(path_, folder_ / "audit.log.1");
  ASSERT_TRUE(file.write("two\n").ok());  // without being told
  EXPECT_EQ(text(folder_ / "audit.log.1"), "one\n");
  EXPECT_EQ(text(path_), "two\n");
  EXPECT_EQ(mode(path_), 0600u);
}

// Files of this process may not grow past so many bytes: a write stops there, in the middle of a line.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit lower{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(AuditFileTest, AWriteThatFailsHalfwayLeavesNothingBehind) {
  AuditFile file(path_);
  ASSERT_TRUE(file.write("one\n").ok());
  {
    const FileSizeLimit limit(6);
    EXPECT_FALSE(file.write("two\n").ok());
  }
  EXPECT_EQ(text(path_), "one\n");
  ASSERT_TRUE(file.write("three\n").ok());
  EXPECT_EQ(text(path_), "one\nthree\n");
}

TEST_F(AuditFileTest, AHalfLineOfACrashSwallowsNothing) {
  std::ofstream(path_) << "one\nha";
  AuditFile file(path_);
  ASSERT_TRUE(file.write("two\n").ok());
  ASSERT_TRUE(file.write("three\n").ok());
  EXPECT_EQ(text(path_), "one\nha\ntwo\nthree\n");
}

TEST_F(AuditFileTest, IsOpenedOnceItCanBe) {
  AuditFile file(folder_ / "later" / "audit.log");
  EXPECT_FALSE(file.open().ok());
  EXPECT_FALSE(file.write("one\n").ok());
  fs::create_directories(folder_ / "later");
  ASSERT_TRUE(file.write("two\n").ok());
  EXPECT_EQ(text(folder_ / "later" / "audit.log"), "two\n");
}

TEST_F(AuditFileTest, SaysWhereItCannotWrite) {
  AuditFile file(folder_ / "absent" / "audit.log");
  const auto opened = file.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find((folder_ / "absent").string()), std::string::npos);
  fs::create_symlink("/dev/full", path_);
  EXPECT_FALSE(AuditFile(path_).open().ok()) << "a link is not followed";
}

}  // namespace
}  // namespace tombolo::server
