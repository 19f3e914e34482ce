#include "server/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace tombolo::server {
namespace {

using testing::HasSubstr;

TEST(Settings, TomlEnvironmentAndTextSetTheSameThings) {
  Settings s;
  ASSERT_TRUE(
      apply_toml(s, "[server]\ndata = \"/d\"\nlisten = \"127.0.0.1:1\"\n[cache]\nbytes = \"1GiB\"\n", "t").ok());
  EXPECT_EQ(s.data, "/d");
  EXPECT_EQ(s.cache_bytes, 1ull << 30);
  ASSERT_TRUE(apply_environment(s, {{"TOMBOLO_SERVER_LISTEN", "127.0.0.1:2"}, {"TOMBOLO_CACHE_BYTES", "5"}}).ok());
  EXPECT_EQ(s.listen, "127.0.0.1:2");
  EXPECT_EQ(s.cache_bytes, 5u);
  ASSERT_TRUE(set(s, "server.dev", "true").ok());
  EXPECT_TRUE(s.dev);
  EXPECT_TRUE(validate(s).ok());
}

TEST(Settings, RefuseWhatIsMisspeltOrMeaningless) {
  Settings s;
  EXPECT_THAT(apply_toml(s, "[cache]\nbites = 5\n", "my.toml").error().message, HasSubstr("cache.bites"));
  EXPECT_THAT(apply_toml(s, "[cache\n", "my.toml").error().message, HasSubstr("my.toml:1"));
  EXPECT_THAT(set(s, "cache.bytes", "5 apples").error().message, HasSubstr("KiB"));
  EXPECT_THAT(set(s, "server.dev", "yes").error().message, HasSubstr("true or false"));
  EXPECT_THAT(validate(s).error().message, HasSubstr("--data"));
}

TEST(Settings, NumbersThatWouldNotDoWhatTheySayAreRefused) {
  const std::map<std::string_view, std::vector<const char*>> bad = {
      {"tiering.jobs_max", {"0", "1001", "4294967296"}},  // the last is 0 in 32 bits
      {"server.threads", {"4294967296", "1025"}},
      {"server.stop_seconds", {"18446744073709551615"}},  // negative in microseconds
      {"remote.first_byte_seconds", {"0", "61"}}};
  for (const auto& [key, texts] : bad) {
    for (const char* text : texts) {
      Settings s;
      s.data = "/d";
      ASSERT_TRUE(set(s, key, text).ok());
      EXPECT_THAT(validate(s).error().message, HasSubstr(key)) << text;
      ASSERT_TRUE(set(s, key, "1").ok());
      EXPECT_TRUE(validate(s).ok());
    }
  }
}

TEST(Settings, AnEmptyLogFileIsRefused) {
  Settings s;
  s.data = "/d";
  s.log_file_bytes = 0;
  EXPECT_THAT(validate(s).error().message, HasSubstr("log.file_bytes = 0 is out of bounds: it must be between 65536"));
}

TEST(Settings, OfAVariableThatNamesNoSettingOneIsWarned) {
  Settings s;
  const std::map<std::string, std::string> environment = {{"TOMBOLO_CACHE_BITES", "secret"},
                                                          {"TOMBOLO_SERVER_LISTEN", "127.0.0.1:2"}};
  const auto warnings = apply_environment(s, environment);
  ASSERT_TRUE(warnings.ok());
  ASSERT_EQ(warnings->size(), 1u);
  EXPECT_THAT(warnings->front(),
              HasSubstr("TOMBOLO_CACHE_BITES is passed over: there is no setting \"cache.bites\"; did you mean "
                        "\"cache.bytes\"?"));
  EXPECT_EQ(warnings->front().find("secret"), std::string::npos);
  EXPECT_EQ(s.listen, "127.0.0.1:2") << "the others are taken";
  EXPECT_FALSE(apply_environment(s, {{"TOMBOLO_CACHE_BYTES", "5 apples"}}).ok());
}

TEST(Settings, VariablesOfOthersArePassedOver) {
  Settings s;
  const std::map<std::string, std::string> others = {{"TOMBOLO_DATA", "/d"},
                                                     {"TOMBOLO_REMOTE_KEY", "k"},
                                                     {"TOMBOLO_TOOLS_AT", "t"},
                                                     {"TOMBOLO_BIN", "b"},
                                                     {"TOMBOLO_SERVER_SERVICE_HOST", "10.0.0.1"},
                                                     {"TOMBOLO_SERVER_SERVICE_PORT", "80"},
                                                     {"TOMBOLO_SERVER_SERVICE_PORT_HTTP", "80"},
                                                     {"TOMBOLO_SERVER_PORT", "tcp://10.0.0.1:80"},
                                                     {"TOMBOLO_DATA_PORT", "tcp://10.0.0.1:80"},
                                                     {"TOMBOLO_DATA_PORT_80_TCP", "tcp://10.0.0.1:80"},
                                                     {"TOMBOLO_DATA_PORT_80_TCP_ADDR", "10.0.0.1"}};
  const auto warnings = apply_environment(s, others);
  ASSERT_TRUE(warnings.ok());
  EXPECT_TRUE(warnings->empty()) << warnings->front();
  EXPECT_TRUE(changed_settings(s).empty());
}

TEST(Settings, AnAdminApiInClearBeyondLoopbackIsTakenAndWarnedOf) {
  Settings s;
  s.data = "/d";
  EXPECT_TRUE(unwise(s).empty());
  s.admin_listen = "0.0.0.0:10080";
  EXPECT_TRUE(validate(s).ok()) << "whoever wrote it down wants it";
  ASSERT_EQ(unwise(s).size(), 1u);
  EXPECT_THAT(unwise(s)[0], HasSubstr("tls.admin_listen"));
  s.admin_listen = "[::1]:10080";
  EXPECT_TRUE(validate(s).ok());
  EXPECT_TRUE(unwise(s).empty());
}

TEST(Settings, DevRefusesToLeaveLoopback) {
  Settings s;
  s.data = "/d";
  s.dev = true;
  s.listen = "0.0.0.0:10000";
  EXPECT_THAT(validate(s).error().message, HasSubstr("loopback"));
  s.dev = false;
  EXPECT_TRUE(validate(s).ok());
  s.listen = "10000";
  EXPECT_FALSE(validate(s).ok());
}

TEST(Settings, TlsIsWholeOrAbsent) {
  const auto why = [](std::vector<std::pair<std::string_view, std::string_view>> pairs) {
    Settings s;
    s.data = "/d";
    for (const auto& [key, text] : pairs) EXPECT_TRUE(set(s, key, text).ok());
    const auto valid = validate(s);
    return valid.ok() ? std::string() : valid.error().message;
  };
  EXPECT_EQ(why({{"tls.cert_file", "c"}, {"tls.key_file", "k"}, {"tls.listen", "0.0.0.0:0"}}), "");
  EXPECT_EQ(why({{"tls.cert_file", "c"}, {"tls.key_file", "k"}, {"tls.admin_listen", "0.0.0.0:0"}}), "");
  EXPECT_THAT(why({{"tls.cert_file", "c"}, {"tls.listen", "0.0.0.0:0"}}), HasSubstr("set both"));
  EXPECT_THAT(why({{"tls.listen", "0.0.0.0:0"}}), HasSubstr("tls.cert_file"));
  EXPECT_THAT(why({{"tls.cert_file", "c"}, {"tls.key_file", "k"}}), HasSubstr("tls.listen"));
  EXPECT_THAT(why({{"tls.cert_file", "c"}, {"tls.key_file", "k"}, {"tls.listen", "443"}}), HasSubstr("443"));
  EXPECT_THAT(why({{"tls.cert_file", "c"}, {"tls.key_file", "k"}, {"tls.listen", "0.0.0.0:0"}, {"server.dev", "true"}}),
              HasSubstr("loopback"));
}

TEST(Settings, APublicUrlIsPathStyleOrNamesTheAccount) {
  Settings s;
  s.data = "/d";
  EXPECT_EQ(account_url(s, "http://127.0.0.1:1", "mystore"), "http://127.0.0.1:1/mystore");
  s.public_url = "https://blob.example.com";
  EXPECT_TRUE(validate(s).ok());
  EXPECT_EQ(account_url(s, "", "mystore"), "https://blob.example.com/mystore");
  s.public_url = "https://ACCOUNT.blob.example.com:10443";
  EXPECT_TRUE(validate(s).ok());
  EXPECT_EQ(account_url(s, "", "mystore"), "https://mystore.blob.example.com:10443");
  for (const char* bad : {"blob.example.com", "https://", "https://a/", "https://a?b", "ftp://a"}) {
    s.public_url = bad;
    EXPECT_FALSE(validate(s).ok()) << bad;
  }
}

TEST(Settings, TheTableDocumentsEveryKeyOnce) {
  std::vector<std::string_view> keys;
  for (const SettingInfo& info : setting_table()) {
    keys.push_back(info.key);
    EXPECT_FALSE(info.effect.empty());
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
}

TEST(Settings, ThePageInDocsIsTheTable) {
  std::ifstream file("docs/configuration.md");
  ASSERT_TRUE(file) << "run from the root of the tree";
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), settings_page()) << "write it anew: tombolo serve --help-settings > docs/configuration.md";
}

}  // namespace
}  // namespace tombolo::server
