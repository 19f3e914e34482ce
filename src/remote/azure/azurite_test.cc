// AzureRemote against Azurite, a real process: what a fake of ours cannot tell. Skipped where AZURITE (tools/env) names
// no program.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "auth/http_request.h"
#include "auth/shared_key.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/times.h"
#include "remote/azure/azure_remote.h"
#include "remote/contract_test.h"
#include "testing/test_folder.h"

namespace tombolo::remote::azure {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kAccount = "devstoreaccount1";
// Published by Microsoft for every emulator; no secret.
constexpr const char* kKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// One process for all cases of this binary.
class Azurite {
 public:
  static Azurite* get() {
    static const std::unique_ptr<Azurite> instance = start();
    return instance.get();
  }
  ~Azurite() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string endpoint() const { return fmt::format("http://127.0.0.1:{}/{}", port_, kAccount); }

 private:
  static std::unique_ptr<Azurite> start() {
    const char* program = std::getenv("AZURITE");
    if (program == nullptr || !fs::exists(program)) return nullptr;
    std::unique_ptr<Azurite> azurite(new Azurite);
    const std::string log = azurite->folder_.path() + "/log";
    std::vector<std::string> words = {
        program,      "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1",
        "--blobPort", "0",        "--location",         azurite->folder_.path()};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int failed = ::posix_spawn(&azurite->pid_, program, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(failed, 0);
    constexpr std::string_view kListens = "listens on http://127.0.0.1:";
    for (int n = 0; n < 600 && azurite->port_ == 0; ++n) {
      std::this_thread::sleep_for(100ms);
      std::ifstream in(log);
      const std::string said{std::istreambuf_iterator<char>(in), {}};
      const std::size_t at = said.find(kListens);
      if (at != std::string::npos) azurite->port_ = std::atoi(said.c_str() + at + kListens.size());
    }
    EXPECT_NE(azurite->port_, 0) << "Azurite did not start";
    return azurite;
  }

  pid_t pid_ = -1;
  int port_ = 0;
  const TestFolder folder_;
};

void sign_request(http::Request& request) {
  auth::AccountKeys keys;
  keys.account = kAccount;
  keys.key1 = *base64_decode(kKey);
  http::RequestHead head;
  head.method = request.method;
  head.target = request.target;
  head.headers = request.headers;
  head.headers.add("Content-Length", std::to_string(request.body_size));
  const auto query = *http::parse_query(head.query(), http::Plus::kSpace);
  auth::SignedRequest view = auth::view_of(head, query);
  view.account = kAccount;
  request.headers.add("Authorization", auth::sign(view, keys, {}));
}

struct AzuriteFixture final : RemoteFixture {
  explicit AzuriteFixture(AzureConfig config = {}) {
    config.name = "azurite";
    config.endpoint = Azurite::get()->endpoint();
    config.container = "box" + random_.hex(8);
    config.reach = Reach::kPrivate;
    http::Request create;
    create.host = "127.0.0.1";
    create.port = static_cast<std::uint16_t>(std::stoi(config.endpoint.substr(17)));
    create.method = "PUT";
    create.target = fmt::format("/{}/{}?restype=container", kAccount, config.container);
    create.headers.add("x-ms-version", "2021-12-02");
    create.headers.add("x-ms-date", http_date(clock_.wall()));
    sign_request(create);
    const auto created = run_to_end(loop_, status_of(client_, std::move(create)));
    EXPECT_TRUE(created.ok() && *created == 201);
    auto made = AzureRemote::make(std::move(config), sign_request, client_, clock_, random_);
    EXPECT_TRUE(made.ok()) << to_string(made.error());
    remote_ = *std::move(made);
  }
  static Task<int> status_of(http::Client& client, http::Request request) {
    CO_TRY_ASSIGN(const http::Response response, client.send(std::move(request)));
    co_return response.head.status;
  }
  Remote& remote() override { return *remote_; }
  boost::asio::io_context& loop() override { return loop_; }

  boost::asio::io_context loop_{1};
  SystemClock clock_;
  SystemRandom random_;
  http::Client client_;
  std::unique_ptr<AzureRemote> remote_;
};

std::unique_ptr<RemoteFixture> make_whole() {
  if (Azurite::get() == nullptr) return nullptr;
  return std::make_unique<AzuriteFixture>();
}
std::unique_ptr<RemoteFixture> make_in_blocks() {
  if (Azurite::get() == nullptr) return nullptr;
  return std::make_unique<AzuriteFixture>(AzureConfig{.single_put_bytes_max = 8, .block_bytes = 100'000});
}
INSTANTIATE_TEST_SUITE_P(Azurite, RemoteContract, ::testing::Values(make_whole));
INSTANTIATE_TEST_SUITE_P(AzuriteInBlocks, RemoteContract, ::testing::Values(make_in_blocks));

class AzuriteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Azurite::get() == nullptr) GTEST_SKIP() << "AZURITE names no program";
  }
  static Result<RemoteObject> put(AzuriteFixture& f, PutRequest request, const std::string& text) {
    request.size = text.size();
    request.crc64 = crc64(as_bytes(text));
    return run_to_end(f.loop_, f.remote_->put(std::move(request), body_of(Block(to_bytes(text)))));
  }
};

TEST_F(AzuriteTest, KeepsTheMd5AndEmptyObjects) {
  for (const std::uint64_t limit : {std::uint64_t{1'000'000}, std::uint64_t{2}}) {
    AzuriteFixture f({.single_put_bytes_max = limit, .block_bytes = 4});
    PutRequest request{.key = "k", .headers = {}, .condition = {}};
    const auto digest = md5(as_bytes("hello world"));
    request.headers.content_md5 = std::string(as_text(digest));
    ASSERT_TRUE(put(f, request, "hello world").ok());
    EXPECT_EQ(run_to_end(f.loop_, f.remote_->head("k"))->headers.content_md5, request.headers.content_md5);
    ASSERT_TRUE(put(f, {.key = "empty", .headers = {}, .condition = {.if_absent = true}}, "").ok());
    EXPECT_EQ(run_to_end(f.loop_, f.remote_->head("empty"))->object.size, 0u);
  }
}

TEST_F(AzuriteTest, RefusesWrongKeysAndMissingContainers) {
  AzuriteFixture f;
  AzureConfig config;
  config.name = "azurite";
  config.endpoint = Azurite::get()->endpoint();
  config.container = "nosuchbox";
  config.reach = Reach::kPrivate;
  const auto lost = AzureRemote::make(config, sign_request, f.client_, f.clock_, f.random_);
  EXPECT_EQ(run_to_end(f.loop_, (*lost)->head("k")).error().code, Code::kUnavailable);
  EXPECT_EQ(run_to_end(f.loop_, (*lost)->remove("k", {})).error().code, Code::kUnavailable);
  const Signer forged = [](http::Request& request) {
    request.headers.add("Authorization", std::string("SharedKey devstoreaccount1:") + kKey);
  };
  const auto stranger = AzureRemote::make(config, forged, f.client_, f.clock_, f.random_);
  EXPECT_EQ(run_to_end(f.loop_, (*stranger)->head("k")).error().code, Code::kPermissionDenied);
}

TEST_F(AzuriteTest, KeysComeBackAsTheyWentIn) {
  AzuriteFixture f;
  std::vector<std::string> keys = {
      "a?b#c",     "a&b=c",  "100%", "%2F", "q'\"<>", "a//b", "trailing/", "d.o.t", "\xF0\x9F\x8F\x96",
      "tab\there", "sp ace "};
  for (const auto& key : keys) {
    const auto stored = put(f, {.key = key, .headers = {}, .condition = {.if_absent = true}}, key);
    EXPECT_TRUE(stored.ok()) << key << ": " << to_string(stored.error());
  }
  const auto page = run_to_end(f.loop_, f.remote_->list({.prefix = {}, .marker = {}}));
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  std::vector<std::string> listed;
  for (const auto& object : page->objects) listed.push_back(object.key);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(listed, keys);
}

}  // namespace
}  // namespace tombolo::remote::azure
