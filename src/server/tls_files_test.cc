#include "server/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "http/tls_test_support.h"
#include "testing/test_folder.h"

namespace tombolo::server {
namespace {

using http::TestCertificate;
using testing::HasSubstr;

class TlsFilesTest : public testing::Test {
 protected:
  void write(const http::TlsPair& pair) {
    std::ofstream(paths_.certificate) << pair.chain_pem;
    std::ofstream(paths_.key) << pair.key_pem;
    ::chmod(paths_.key.c_str(), 0600);
  }
  std::string why_not() {
    const auto files = TlsFiles::open(paths_, clock_);
    EXPECT_FALSE(files.ok());
    return files.ok() ? "" : files.error().message;
  }

  const TestFolder test_folder_;
  const std::string folder_ = test_folder_.path();
  const TlsPaths paths_{folder_ + "/cert.pem", folder_ + "/key.pem"};
  SystemClock clock_;
  const TestCertificate first_{{.name = "first"}}, second_{{.name = "second"}};
};

TEST_F(TlsFilesTest, ReloadsWhatTheFilesHoldNow) {
  write(first_.pair());
  auto files = TlsFiles::open(paths_, clock_);
  ASSERT_TRUE(files.ok()) << files.error().message;
  write(second_.pair());
  EXPECT_EQ((*files)->server()->certificate().subject, "CN=first");
  const auto reloaded = (*files)->reload();
  ASSERT_TRUE(reloaded.ok()) << reloaded.error().message;
  EXPECT_EQ(reloaded->subject, "CN=second");
}

TEST_F(TlsFilesTest, KeepsTheOldPairWhenTheNewOneIsBad) {
  write(first_.pair());
  auto files = TlsFiles::open(paths_, clock_);
  ASSERT_TRUE(files.ok()) << files.error().message;
  const TestCertificate expired({.name = "expired", .days = -1});
  for (const http::TlsPair& bad : {http::TlsPair{second_.pem(), first_.key_pem()}, http::TlsPair{"", ""},
                                   http::TlsPair{expired.pem(), expired.key_pem()}}) {
    write(bad);
    const auto reloaded = (*files)->reload();
    ASSERT_FALSE(reloaded.ok());
    EXPECT_THAT(reloaded.error().message, HasSubstr("old certificate stays"));
    EXPECT_THAT(reloaded.error().message, HasSubstr(paths_.certificate));
    EXPECT_EQ((*files)->server()->certificate().subject, "CN=first");
  }
  std::filesystem::remove(paths_.key);
  EXPECT_EQ((*files)->reload().error().code, Code::kNotFound);
}

TEST_F(TlsFilesTest, RefusesAKeyThatOthersCanRead) {
  write(first_.pair());
  ::chmod(paths_.key.c_str(), 0644);
  EXPECT_THAT(why_not(), HasSubstr("chmod 600"));
  ::chmod(paths_.key.c_str(), 0660);
  EXPECT_THAT(why_not(), HasSubstr("chmod 600"));
  // A group may read what root owns (Debian's ssl-cert).
  ::chmod(paths_.key.c_str(), 0640);
  EXPECT_EQ(TlsFiles::open(paths_, clock_).ok(), ::getuid() == 0);
}

TEST_F(TlsFilesTest, NamesTheFileThatIsMissing) {
  EXPECT_THAT(why_not(), HasSubstr(paths_.certificate));
  write(first_.pair());
  std::filesystem::remove(paths_.key);
  EXPECT_THAT(why_not(), HasSubstr(paths_.key));
}

TEST_F(TlsFilesTest, StartsWithACertificateThatIsOutOfDate) {
  const TestCertificate expired({.name = "expired", .days = -1});
  write(expired.pair());
  EXPECT_TRUE(TlsFiles::open(paths_, clock_).ok());
}

TEST_F(TlsFilesTest, TrustsTheSystemAndAFileOfCas) {
  EXPECT_TRUE(trust("").ok());
  write(first_.pair());
  EXPECT_TRUE(trust(paths_.certificate).ok());
  EXPECT_EQ(trust(folder_ + "/none").error().code, Code::kNotFound);
  EXPECT_EQ(trust(paths_.key).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace tombolo::server
