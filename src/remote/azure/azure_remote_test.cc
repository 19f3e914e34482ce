#include "remote/azure/azure_remote.h"

#include "base/digest.h"
#include "remote/azure/endpoint.h"
#include "remote/azure/fake_fixture_test.h"
#include "remote/azure/list_xml.h"
#include "remote/contract_test.h"

namespace tombolo::remote::azure {
namespace {

using namespace std::chrono_literals;
using testing::FakeFixture;
using testing::Fault;
using testing::Trouble;

INSTANTIATE_TEST_SUITE_P(FakeAzure, RemoteContract, ::testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           return std::make_unique<FakeFixture>();
                         }));
INSTANTIATE_TEST_SUITE_P(FakeAzureInBlocks, RemoteContract, ::testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           auto fixture = std::make_unique<FakeFixture>();
                           fixture->use({.single_put_bytes_max = 15, .block_bytes = 70'000});
                           return fixture;
                         }));

class AzureRemoteTest : public ::testing::Test {
 protected:
  static std::string text_of(std::size_t size) {
    std::string text(size, ' ');
    SeededRandom random(size);
    random.fill({reinterpret_cast<std::byte*>(text.data()), text.size()});
    return text;
  }
  Result<RemoteObject> put(std::string key, const std::string& text, Condition condition = {}, std::string nonce = {}) {
    PutRequest request;
    request.key = std::move(key);
    request.size = text.size();
    request.crc64 = crc64(as_bytes(text));
    request.condition = std::move(condition);
    if (!nonce.empty()) request.headers.metadata["tombolo_nonce"] = nonce;
    return run_to_end(f_.loop_, f_.remote_->put(std::move(request), body_of(Block(to_bytes(text)))));
  }
  static Task<std::string> read(Remote& remote, GetRequest request) {
    const std::uint64_t length = request.length;
    CO_TRY_ASSIGN(auto source, remote.get(std::move(request)));
    CO_TRY_ASSIGN(const Bytes bytes, read_all(*source, length));
    co_return std::string(as_text(bytes));
  }
  Result<std::string> get(const RemoteObject& object, std::uint64_t offset, std::uint64_t length) {
    GetRequest request{.key = object.key, .if_etag = object.etag, .offset = offset, .length = length};
    return run_to_end(f_.loop_, read(*f_.remote_, std::move(request)));
  }
  void fail(Fault fault) { f_.azure_.faults.push_back(std::move(fault)); }
  const std::string* stored(const std::string& key) {
    const auto it = f_.azure_.blobs.find("/acct/box/" + key);
    return it == f_.azure_.blobs.end() ? nullptr : &it->second.bytes;
  }

  FakeFixture f_;
};

TEST_F(AzureRemoteTest, PassingTroubleIsRetriedForEveryOperation) {
  const std::string text = text_of(5'000);
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    for (const char* method : {"PUT", "GET", "HEAD", "DELETE"}) {
      fail({.method = method, .times = 2, .status = status, .code = "ServerBusy"});
    }
    const auto object = put("k", text);
    ASSERT_TRUE(object.ok()) << status << " " << to_string(object.error());
    EXPECT_EQ(*get(*object, 100, 4'000), text.substr(100, 4'000)) << status;
    EXPECT_TRUE(run_to_end(f_.loop_, f_.remote_->head("k")).ok()) << status;
    EXPECT_TRUE(run_to_end(f_.loop_, f_.remote_->remove("k", {})).ok()) << status;
    EXPECT_TRUE(f_.azure_.faults.empty());
    f_.use({});  // a fresh budget
  }
}

TEST_F(AzureRemoteTest, ADeleteWhoseAnswerIsLostSucceeds) {
  const auto object = put("k", "mine");
  fail({.method = "DELETE", .trouble = Trouble::kStatusAfterDoing, .status = 500});
  fail({.method = "DELETE", .status = 412, .code = "ConditionNotMet"});  // as Azurite says of what is not there
  EXPECT_TRUE(run_to_end(f_.loop_, f_.remote_->remove("k", {.if_etag = object->etag})).ok());
  EXPECT_EQ(f_.azure_.count("DELETE"), 2u);
}

TEST_F(AzureRemoteTest, LastingTroubleEndsWithWhoWhatAndHowOften) {
  fail({.method = "HEAD", .times = 100, .status = 503, .code = "ServerBusy"});
  const auto head = run_to_end(f_.loop_, f_.remote_->head("a/b"));
  EXPECT_EQ(head.error().code, Code::kUnavailable);
  EXPECT_EQ(head.error().message, "remote \"cold\", HEAD \"a/b\", attempt 5 of 5: it answered 503 ServerBusy");
  EXPECT_EQ(f_.azure_.count("HEAD"), 5u);
}

TEST_F(AzureRemoteTest, RetriesStopWhenTheBudgetIsSpent) {
  f_.use({.retry_budget = {.share = 0.1, .per_second = 0, .kept_max = 3}});
  fail({.method = "HEAD", .times = 1'000, .status = 503, .code = "ServerBusy"});
  for (int n = 0; n < 20; ++n) EXPECT_FALSE(run_to_end(f_.loop_, f_.remote_->head("k")).ok());
  EXPECT_LE(f_.azure_.count("HEAD"), 26u);  // 20, 3 kept, 2 earned
  EXPECT_GE(f_.azure_.count("HEAD"), 23u);
}

TEST_F(AzureRemoteTest, RetryAfterIsHonouredAndBounded) {
  fail({.method = "HEAD", .status = 503, .code = "ServerBusy", .retry_after = "1"});
  const SteadyTime before = f_.clock_.steady();
  EXPECT_EQ(run_to_end(f_.loop_, f_.remote_->head("k")).error().code, Code::kNotFound);
  EXPECT_GE(f_.clock_.steady() - before, 900ms);
  fail({.method = "HEAD", .status = 503, .code = "ServerBusy", .retry_after = "3600"});
  EXPECT_EQ(run_to_end(f_.loop_, f_.remote_->head("k")).error().code, Code::kUnavailable);
}

TEST_F(AzureRemoteTest, FinalAnswersAreNotRetried) {
  const struct {
    int status;
    const char* code;
    Code expected;
  } cases[] = {
      {400, "InvalidHeaderValue", Code::kInvalid},
      {401, "InvalidAuthenticationInfo", Code::kPermissionDenied},
      {403, "AuthenticationFailed", Code::kPermissionDenied},
      {404, "BlobNotFound", Code::kNotFound},
      {404, "ContainerNotFound", Code::kUnavailable},
      {404, "", Code::kUnavailable},
      {409, "BlobImmutableDueToPolicy", Code::kPermissionDenied},
      {409, "ContainerBeingDeleted", Code::kUnavailable},
      {412, "LeaseIdMissing", Code::kPermissionDenied},
      {301, "", Code::kUnavailable},
      {307, "", Code::kUnavailable},
      {501, "", Code::kUnavailable},
  };
  for (const auto& each : cases) {
    f_.azure_.log.clear();
    fail({.method = "HEAD", .status = each.status, .code = each.code});
    EXPECT_EQ(run_to_end(f_.loop_, f_.remote_->head("k")).error().code, each.expected) << each.status << each.code;
    EXPECT_EQ(f_.azure_.log.size(), 1u) << each.status;
  }
}

TEST_F(AzureRemoteTest, ABodyThatBreaksOffOrStallsGoesOnFromItsLastByte) {
  const std::string text = text_of(1'000'000);
  const auto object = put("k", text);
  fail({.method = "GET", .trouble = Trouble::kBreakBody, .bytes = 300'000});
  EXPECT_EQ(*get(*object, 0, text.size()), text);
  EXPECT_EQ(f_.azure_.count("GET"), 2u);
  fail({.method = "GET", .trouble = Trouble::kStallBody, .bytes = 10});
  fail({.method = "GET", .trouble = Trouble::kBreakBody, .bytes = 1});
  EXPECT_EQ(*get(*object, 5, 500'000), text.substr(5, 500'000));
  fail({.method = "GET", .trouble = Trouble::kStallAnswer});
  EXPECT_EQ(*get(*object, 5, 10), text.substr(5, 10));
}

TEST_F(AzureRemoteTest, AnObjectThatChangesWhileItIsReadIsNeverMixed) {
  const std::string text = text_of(1'000'000);
  const auto object = put("k", text);
  fail({.method = "GET", .trouble = Trouble::kBreakBody, .bytes = 300'000});
  GetRequest request{.key = "k", .if_etag = object->etag, .offset = 0, .length = text.size()};
  auto source = run_to_end(f_.loop_, f_.remote_->get(request));
  ASSERT_TRUE(source.ok());
  ASSERT_TRUE(put("k", text_of(1'000'001)).ok());
  Result<Bytes> all = run_to_end(f_.loop_, read_all(**source, text.size()));
  EXPECT_EQ(all.error().code, Code::kChangedOutside);
}

TEST_F(AzureRemoteTest, LiesAboutBytesAreNotBelieved) {
  const std::string text = text_of(1'000);
  const auto object = put("k", text);
  fail({.method = "GET", .trouble = Trouble::kOtherEtag});
  EXPECT_EQ(get(*object, 0, 1'000).error().code, Code::kChangedOutside);
  for (const Trouble lie :
       {Trouble::kOtherRange, Trouble::kShortBody, Trouble::kWholeObject, Trouble::kNoEtagAfterDoing}) {
    fail({.method = "GET", .trouble = lie, .times = 1});
    EXPECT_EQ(*get(*object, 10, 900), text.substr(10, 900)) << static_cast<int>(lie);
    fail({.method = "GET", .trouble = lie, .times = 5});
    EXPECT_EQ(get(*object, 10, 900).error().code, Code::kUnavailable) << static_cast<int>(lie);
    f_.use({});
  }
  fail({.method = "GET", .trouble = Trouble::kStatus, .status = 200});
  EXPECT_EQ(*get(*object, 0, 1'000), text);                            // "200" with an error page: no ETag
  EXPECT_EQ(get(*object, 900, 101).error().code, Code::kUnavailable);  // beyond its end: never shortened
  EXPECT_EQ(get(*object, 1'000, 1).error().code, Code::kOutOfRange);
}

TEST_F(AzureRemoteTest, APutThatHappenedBehindAnErrorIsRecognised) {
  for (const Trouble trouble : {Trouble::kStatusAfterDoing, Trouble::kStallAfterDoing, Trouble::kNoEtagAfterDoing}) {
    const std::string key = fmt::format("k{}", static_cast<int>(trouble));
    fail({.method = "PUT", .trouble = trouble, .status = 500});
    const auto object = put(key, "mine", {.if_absent = true}, "0a");
    ASSERT_TRUE(object.ok()) << key << " " << to_string(object.error());
    EXPECT_EQ(*get(*object, 0, 4), "mine");
    // The same with a condition on what was there.
    fail({.method = "PUT", .trouble = trouble, .status = 500});
    const auto second = put(key, "again", {.if_etag = object->etag}, "0b");
    ASSERT_TRUE(second.ok()) << key << " " << to_string(second.error());
    EXPECT_EQ(*stored(key), "again");
  }
  EXPECT_EQ(f_.azure_.count("PUT"), 6u);
}

TEST_F(AzureRemoteTest, APutThatFailedIsDoneAgain) {
  fail({.method = "PUT", .trouble = Trouble::kStallAnswer});
  fail({.method = "PUT", .status = 500});
  ASSERT_TRUE(put("k", "mine", {.if_absent = true}, "0a").ok());
  EXPECT_EQ(*stored("k"), "mine");
  EXPECT_EQ(f_.azure_.count("PUT"), 3u);
}

TEST_F(AzureRemoteTest, AnotherWriterIsNotTakenForOurselves) {
  ASSERT_TRUE(put("k", "theirs", {}, "ff").ok());
  fail({.method = "PUT", .status = 500});
  EXPECT_EQ(put("k", "mine", {.if_absent = true}, "0a").error().code, Code::kConditionFailed);
  fail({.method = "PUT", .status = 500});
  EXPECT_EQ(put("k", "mine", {.if_etag = "old"}, "0a").error().code, Code::kConditionFailed);
  EXPECT_EQ(*stored("k"), "theirs");
}

TEST_F(AzureRemoteTest, WhatCannotBeKnownIsSaid) {
  // It happened, and nothing tells whose it is.
  fail({.method = "PUT", .trouble = Trouble::kStatusAfterDoing, .status = 500});
  EXPECT_EQ(put("k", "mine", {.if_absent = true}).error().code, Code::kUnknownOutcome);
  // The service claims success without an ETag, and has nothing.
  fail({.method = "PUT", .trouble = Trouble::kStatus, .status = 201});
  EXPECT_EQ(put("l", "mine", {.if_absent = true}, "0a").error().code, Code::kUnknownOutcome);
  // Nobody answers any more.
  fail({.method = "PUT", .times = 50, .status = 500});
  fail({.method = "HEAD", .times = 50, .status = 503, .code = "ServerBusy"});
  EXPECT_EQ(put("m", "mine", {}, "0a").error().code, Code::kUnknownOutcome);
}

TEST_F(AzureRemoteTest, ARefusedPutIsKnownNotToHaveHappened) {
  fail({.method = "PUT", .times = 50, .status = 503, .code = "ServerBusy"});
  EXPECT_EQ(put("k", "mine", {.if_absent = true}, "0a").error().code, Code::kUnavailable);
  EXPECT_EQ(f_.azure_.count("HEAD"), 0u);
}

TEST_F(AzureRemoteTest, AServiceWithoutCrcIsAskedForItOnce) {
  fail({.method = "PUT", .status = 500, .code = "FeatureNotSupported"});
  ASSERT_TRUE(put("k", "one", {.if_absent = true}).ok());
  EXPECT_EQ(f_.azure_.count("PUT"), 2u);
  EXPECT_TRUE(f_.azure_.last_crc64.empty());
  ASSERT_TRUE(put("l", "two", {.if_absent = true}).ok());
  EXPECT_TRUE(f_.azure_.last_crc64.empty());
  f_.use({});
  ASSERT_TRUE(put("m", "123456789").ok());
  EXPECT_EQ(f_.azure_.last_crc64, "iJh5CoYUi64=");  // the polynomial's check value, least significant byte first
}

TEST_F(AzureRemoteTest, OneChecksumGoesWithAPutTheMd5WhereThereIsOne) {
  PutRequest request{.key = "k", .size = 4, .crc64 = crc64(as_bytes("mine")), .headers = {}, .condition = {}};
  const auto put_with = [&](std::string digest) {
    request.headers.content_md5 = std::move(digest);
    return run_to_end(f_.loop_, f_.remote_->put(request, body_of(Block(to_bytes("mine")))));
  };
  const Md5Digest right = md5(as_bytes("mine"));
  fail({.method = "PUT", .status = 400, .code = "Md5Mismatch"});  // damaged on the way
  EXPECT_EQ(put_with(std::string(as_text(right))).error().code, Code::kInvalid);
  ASSERT_TRUE(put_with(std::string(as_text(right))).ok());
  EXPECT_TRUE(f_.azure_.last_crc64.empty());
  EXPECT_EQ(f_.azure_.count("PUT"), 2u);
  // One that is not the bytes' own: sent again in blocks, since a block list keeps any MD5.
  const auto wrong = put_with(std::string(16, 'x'));
  ASSERT_TRUE(wrong.ok()) << to_string(wrong.error());
  EXPECT_EQ(f_.azure_.count("PUT"), 5u);
  EXPECT_EQ(*stored("k"), "mine");
  // Behind a try that may have happened, the refusal of the next one proves nothing.
  fail({.method = "PUT", .status = 500});
  request.condition.if_etag = wrong->etag;
  EXPECT_EQ(put_with(std::string(16, 'x')).error().code, Code::kUnknownOutcome);
}

TEST_F(AzureRemoteTest, WrongBytesAreNeverMadeAnObject) {
  for (const std::uint64_t limit : {std::uint64_t{1'000'000}, std::uint64_t{10}}) {
    f_.use({.single_put_bytes_max = limit, .block_bytes = 100'000});
    PutRequest request;
    request.key = "k";
    request.size = 300'000;
    request.crc64 = 1;
    const auto made = run_to_end(f_.loop_, f_.remote_->put(request, body_of(Block(to_bytes(text_of(300'000))))));
    EXPECT_EQ(made.error().code, Code::kCorrupt);
    EXPECT_EQ(stored("k"), nullptr);
  }
  f_.use({});
  fail({.method = "PUT", .trouble = Trouble::kWrongCrc});
  EXPECT_EQ(put("k", "mine").error().code, Code::kCorrupt);
}

class FailingSource final : public ByteSource {
 public:
  explicit FailingSource(Error error) : error_(std::move(error)) {}
  Task<Block> next() override { co_return error_; }

 private:
  const Error error_;
};

TEST_F(AzureRemoteTest, AFailureOfTheBodyIsNotTheServicesFault) {
  for (const bool in_blocks : {false, true}) {
    if (in_blocks) f_.use({.single_put_bytes_max = 15, .block_bytes = 70'000});
    for (const std::string_view detail : {std::string_view("Unreadable"), std::string_view()}) {
      PutRequest request{.key = "a", .size = 100};
      const BodyFactory body = [detail](std::uint64_t, std::uint64_t) -> std::unique_ptr<ByteSource> {
        return std::make_unique<FailingSource>(Error{Code::kCorrupt, "a bad sector", detail});
      };
      const auto made = run_to_end(f_.loop_, f_.remote_->put(std::move(request), body));
      ASSERT_FALSE(made.ok());
      EXPECT_EQ(made.error().code, Code::kCorrupt) << to_string(made.error());
      EXPECT_EQ(made.error().detail, detail.empty() ? kGaveUp : detail) << in_blocks;
      EXPECT_EQ(stored("a"), nullptr);
    }
  }
}

TEST_F(AzureRemoteTest, BlocksAreRetriedByThemselvesAndCommittedInOrder) {
  f_.use({.single_put_bytes_max = 1'000, .block_bytes = 100'000});
  const std::string text = text_of(1'234'567);
  fail({.method = "PUT", .times = 2, .status = 503, .code = "ServerBusy"});
  fail({.method = "PUT", .trouble = Trouble::kStallAnswer});
  ASSERT_TRUE(put("k", text, {.if_absent = true}, "0a").ok());
  EXPECT_EQ(*stored("k"), text);
  EXPECT_EQ(f_.azure_.count("PUT"), 13u + 3u + 1u);
  // The block list itself may be lost.
  fail({.method = "PUT", .times = 13, .status = 503, .code = "ServerBusy"});
  f_.azure_.faults.clear();
  const auto again = put("k", text, {.if_absent = true}, "0b");
  EXPECT_EQ(again.error().code, Code::kConditionFailed);
}

TEST_F(AzureRemoteTest, NothingIsSentToAnAddressThatIsNotAllowed) {
  AzureConfig config;
  config.name = "cold";
  config.endpoint = fmt::format("http://127.0.0.1:{}/acct", f_.server_.port());
  config.container = "box";
  const auto remote = AzureRemote::make(config, {}, f_.client_, f_.clock_, f_.random_);
  ASSERT_TRUE(remote.ok());
  EXPECT_EQ(run_to_end(f_.loop_, (*remote)->head("k")).error().code, Code::kPermissionDenied);
  EXPECT_TRUE(f_.azure_.log.empty());
}

TEST_F(AzureRemoteTest, SignsTheWholeRequestAndKeepsTheSasOutOfWords) {
  std::string seen;
  const Signer signer = [&seen](http::Request& request) {
    seen = request.method + " " + request.target;
    EXPECT_TRUE(request.headers.has("x-ms-date"));
    EXPECT_TRUE(request.headers.has("x-ms-version"));
    request.headers.add("Authorization", "SharedKey acct:c2ln");
  };
  f_.use({.sas = "?sv=1&sig=secret"}, signer);
  fail({.method = "HEAD", .times = 5, .status = 503, .code = "ServerBusy"});
  const auto head = run_to_end(f_.loop_, f_.remote_->head("a b/\xC3\xA4"));
  EXPECT_EQ(seen, "HEAD /acct/box/a%20b/%C3%A4?sv=1&sig=secret");
  EXPECT_EQ(f_.azure_.last_authorization, "SharedKey acct:c2ln");
  EXPECT_EQ(f_.azure_.last_host, fmt::format("127.0.0.1:{}", f_.server_.port()));
  EXPECT_EQ(head.error().message.find("secret"), std::string::npos);
}

TEST(AzureEndpoint, TakesUrlsApartAndRefusesTheRest) {
  const auto path_style = Endpoint::parse("http://127.0.0.1:10000/devstoreaccount1/");
  ASSERT_TRUE(path_style.ok());
  EXPECT_EQ(path_style->host, "127.0.0.1");
  EXPECT_EQ(path_style->port, 10'000);
  EXPECT_EQ(path_of(*path_style, "box", "a/b c"), "/devstoreaccount1/box/a/b%20c");
  const auto host_style = Endpoint::parse("http://acct.blob.core.windows.net");
  ASSERT_TRUE(host_style.ok());
  EXPECT_EQ(host_style->port, 80);
  EXPECT_EQ(path_of(*host_style, "box", ""), "/box");
  EXPECT_EQ(Endpoint::parse("http://[::1]:81/a")->host, "::1");
  const auto tls = Endpoint::parse("https://acct.blob.core.windows.net");
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->port, 443);
  EXPECT_EQ(tls->host, "acct.blob.core.windows.net");
  EXPECT_FALSE(Endpoint::parse("http://localhost")->tls);
  EXPECT_EQ(Endpoint::parse("https://localhost:10443/a")->port, 10443);
  for (const char* bad :
       {"", "ftp://x", "http://", "http://:80", "http://a:0", "http://a:x", "http://a:", "http://a:65536", "http://u@a",
        "http://a/b?c", "http://a/#", "http://[::1", "http://[::1]x", "http://a b"}) {
    EXPECT_FALSE(Endpoint::parse(bad).ok()) << bad;
  }
}

TEST(AzureKeys, WhatAzureWouldBendIsRefused) {
  for (const char* good : {"a", "a/b", "..a", "a.b/c", "/", "a//b", "\xC3\xA4"})
    EXPECT_TRUE(check_new_key(good).ok()) << good;
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/../b"), std::string("a/."),
        std::string("\xff"), std::string("a\0b", 3), std::string("a\\b"), std::string(1'025, 'k')}) {
    EXPECT_FALSE(check_key(bad).ok()) << bad;
    EXPECT_FALSE(check_new_key(bad).ok()) << bad;
  }
  for (const char* cut : {"a.", "a../b", "a/b."}) {
    EXPECT_FALSE(check_new_key(cut).ok()) << cut;
    EXPECT_TRUE(check_key(cut).ok()) << cut << ": an older build may have put an only copy there";
  }
}

TEST(AzureList, RefusesWhatIsNoListing) {
  const std::string good =
      "<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a b</Name><Properties><Etag>0x1</Etag>"
      "<Content-Length>5</Content-Length></Properties></Blob></Blobs><NextMarker/></EnumerationResults>";
  const auto page = parse_list(as_bytes(good));
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  EXPECT_EQ(page->objects.at(0).key, "a b");
  EXPECT_EQ(page->objects.at(0).etag, "0x1");
  EXPECT_EQ(page->next_marker, "");
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string out = good;
    return out.replace(out.find(from), from.size(), to);
  };
  std::string deep = "<EnumerationResults><Blobs/>";
  for (int n = 0; n < 40; ++n) deep += "<a>";
  for (int n = 0; n < 40; ++n) deep += "</a>";
  for (const std::string& bad :
       {std::string(), std::string("no xml"), good.substr(0, good.size() - 5), good + "tail", good + good,
        good + '\0' + good, with("a b", std::string("a\0b", 3)), with("<Enum", "<!DOCTYPE x [<!ENTITY e \"x\">]><Enum"),
        with("<Name>a b</Name>", ""), with("0x1", ""), with(">5<", ">-5<"), with(">5<", ">5x<"), with(">5<", "><"),
        with("<Name>", "<Name Encoded=\"true\">%zz"),
        with("<Blobs>", "<Blobs><BlobPrefix><Name>p/</Name></BlobPrefix>"), deep + "</EnumerationResults>",
        std::string("<Error><Code>x</Code></Error>")}) {
    EXPECT_FALSE(parse_list(as_bytes(bad)).ok()) << bad;
  }
}

}  // namespace
}  // namespace tombolo::remote::azure
