#include "auth/verifier.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "auth/codes.h"
#include "auth/keys_for_test.h"
#include "auth/sas_make.h"
#include "auth/shared_key.h"
#include "auth/url_for_test.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

constexpr std::int64_t kNow = 1'795'237'200'000'000;  // 2026-11-21T05:00:00Z

// A key ring that cannot answer.
class BrokenKeyRing final : public KeyRing {
 public:
  Task<std::shared_ptr<const PreparedKeys>> find(std::string) override {
    co_return Error{Code::kUnavailable, "no keys today"};
  }
};

class VerifierTest : public testing::Test {
 protected:
  VerifierTest() { ring_.set(test_keys()); }

  Result<VerifiedRequest> verify(const SignedRequest& request) { return run_to_end(verifier_.verify(request)); }
  Result<VerifiedRequest> verify(const UrlForTest& url) { return verify(url.view()); }

  void expect_refused(const UrlForTest& url, Code code, std::string_view detail) { refused(verify(url), code, detail); }
  void expect_failed(const UrlForTest& url) {
    expect_refused(url, Code::kUnauthenticated, codes::kAuthenticationFailed);
  }
  static void refused(const Result<VerifiedRequest>& result, Code code, std::string_view detail) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_EQ(result.error().detail, detail) << result.error().message;
  }

  static UrlForTest shared_key_request(std::int64_t at = kNow, const AccountKeys& keys = test_keys()) {
    UrlForTest url("GET", "/tombolotest/c1/b");
    url.with("x-ms-date", http_date({at})).with("x-ms-version", "2025-07-05");
    url.with("Authorization", sign(url.view(), keys, {}));
    return url;
  }

  ManualClock clock_{WallTime{kNow}};
  MemoryKeyRing ring_;
  AzureVerifier verifier_{ring_, clock_};
};

// Signed by azure-storage-blob (Python); account "tombolotest", key the bytes 0..63; start 2026-11-21T00:00:00Z where
// given, expiry 2026-11-22T00:00:00Z. 12.31.1 signs sv 2026-10-06, 12.9.0 sv 2020-10-02, 1.5.0 sv 2018-03-28.
constexpr char kAccountFull[] =
    "st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=rwdxylacupfti&sip=127.0.0.1-127.0.0.9&spr=https%2Chttp"
    "&sv=2026-10-06&ss=b&srt=sco&sig=g5CU7gyYCjuQk1NUyBZmM2cK0FsXqzB9WC2BRGcHAfk%3D";
constexpr char kAccountMinimal[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&ss=bq&srt=o&sig=6S%2BVS9aVZn8pHA0fFFZd/W1X2yA5e/xz8EImXD9Wams%3D";
constexpr char kAccountScope[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&ss=b&srt=sco&ses=scope1"
    "&sig=PVM/KPkkaNzFPly9SFZgRdtGiyMoF2dL63/2SrCdFSM%3D";
constexpr char kContainer[] =
    "st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=racwdxltf&sv=2026-10-06&sr=c"
    "&sig=zlJClyUtN7XF4vhZyeZxABeI/Uq39EqPUGbKWGUxwgI%3D";
constexpr char kContainerScope[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&sr=c&ses=scope1"
    "&sig=kxwx9BOr6yD77CVCOGlRChIv49YNdZBaeW/vHx12j/U%3D";
constexpr char kContainerPolicy[] = "sv=2026-10-06&si=pol&sr=c&sig=pQYOhZK9cfK/RXxIcy0HVGgzu//FCIRNlp17HrYS6T4%3D";
constexpr char kBlobOverrides[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&sr=b&rscc=no-store&rscd=attachment%3B%20filename%3Dx.bin"
    "&rsce=identity&rscl=en&rsct=text/plain&sig=412Bk/OzeZkdB3jUAyKFpEz4%2BjBFy/dMeGt56XNIOww%3D";  // dir/na me%é.bin
constexpr char kBlobHttps[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=rw&sip=10.0.0.1&spr=https&sv=2026-10-06&sr=b"
    "&sig=bevcnL/39KBy%2BXCBIij3lo/NVXkHo3o/38q/VRHNXXA%3D";  // a.txt
constexpr char kBlobSnapshot[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&sr=bs&sig=J4rsXsWIF7aJyvjzKy/%2BTiamOTHsal9c86ctazwHamQ%3D";
constexpr char kBlobVersion[] =
    "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2026-10-06&sr=bv&sig=TaMrwTrwGbxKqliGshaxEdTk0ou89kf1pdnANgTsOqQ%3D";
constexpr char kSnapshot[] = "&snapshot=2026-11-20T00:00:00.0000000Z";
constexpr char kVersionId[] = "&versionid=2026-11-20T00:00:00.0000001Z";

UrlForTest get(std::string target, UrlStyle style = UrlStyle::kPath) {
  return UrlForTest("GET", std::move(target), style);
}
UrlForTest get_blob(std::string sas) {
  return get("/tombolotest/c1/a.txt?" + sas);
}

TEST_F(VerifierTest, TellsWhoSignedWithASharedKey) {
  const auto verified = verify(shared_key_request());
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->tenant, TenantId{7});
  EXPECT_EQ(verified->account, "tombolotest");
  EXPECT_EQ(verified->proof, Proof::kSharedKey);
  EXPECT_TRUE(verified->may(Permission::kPermanentDelete));
}

TEST_F(VerifierTest, RefusesClockSkewBeyondFifteenMinutes) {
  constexpr std::int64_t kMinute = 60'000'000;
  EXPECT_TRUE(verify(shared_key_request(kNow - 15 * kMinute)).ok());
  EXPECT_TRUE(verify(shared_key_request(kNow + 15 * kMinute)).ok());
  expect_failed(shared_key_request(kNow - 15 * kMinute - 1'000'000));
  expect_failed(shared_key_request(kNow + 15 * kMinute + 1'000'000));
  UrlForTest undated("GET", "/tombolotest/c1/b");
  undated.with("Authorization", sign(undated.view(), test_keys(), {}));
  expect_failed(undated);
}

TEST_F(VerifierTest, UnknownAccountAndWrongSignatureLookTheSame) {
  AccountKeys wrong = test_keys();
  wrong.key1[0] = std::byte{1};
  const auto bad_signature = verify(shared_key_request(kNow, wrong));
  ring_.remove("tombolotest");
  const auto unknown = verify(shared_key_request());
  refused(bad_signature, Code::kUnauthenticated, codes::kAuthenticationFailed);
  refused(unknown, Code::kUnauthenticated, codes::kAuthenticationFailed);
  EXPECT_EQ(unknown.error().message, bad_signature.error().message);
  const auto unknown_sas = verify(get_blob(kContainer));
  refused(unknown_sas, Code::kUnauthenticated, codes::kAuthenticationFailed);
  EXPECT_EQ(unknown_sas.error().message, unknown.error().message);
}

TEST_F(VerifierTest, RefusesAKeyOfAnotherAccount) {
  AccountKeys other{.tenant = TenantId{8}, .account = "other", .key1 = to_bytes("the other account's key")};
  ring_.set(other);
  expect_failed(shared_key_request(kNow, other));  // "SharedKey other:…" on a URL of tombolotest
  AccountKeys posing = other;
  posing.account = "tombolotest";
  expect_failed(shared_key_request(kNow, posing));
}

TEST_F(VerifierTest, ARevokedKeyStopsWorking) {
  ASSERT_TRUE(verify(shared_key_request()).ok());
  ASSERT_TRUE(verify(get_blob(kContainer)).ok());
  AccountKeys rotated = test_keys();
  rotated.key1 = to_bytes("a new first key");
  ring_.set(rotated);
  expect_failed(shared_key_request());
  expect_failed(get_blob(kContainer));
}

TEST_F(VerifierTest, RefusesWhatIsNotSigned) {
  expect_refused(get("/tombolotest/c1/b"), Code::kUnauthenticated, codes::kNoAuthenticationInformation);
  expect_refused(get("/tombolotest/c1/b?sv=2026-10-06&sp=r"), Code::kUnauthenticated,
                 codes::kNoAuthenticationInformation);
}

TEST_F(VerifierTest, RefusesOtherSchemes) {
  const auto with = [](std::string value) { return get("/tombolotest/c1/b").with("authorization", std::move(value)); };
  expect_refused(with("Bearer eyJhbGciOiJub25lIn0.e30."), Code::kUnauthenticated, codes::kInvalidAuthenticationInfo);
  expect_refused(with("Basic dXNlcjpwYXNz"), Code::kInvalid, codes::kInvalidAuthenticationInfo);
  expect_refused(with("SharedKey tombolotest"), Code::kInvalid, codes::kInvalidAuthenticationInfo);
  expect_refused(with(""), Code::kInvalid, codes::kInvalidAuthenticationInfo);
}

TEST_F(VerifierTest, AnAuthorizationHeaderDecidesAloneBesideASas) {
  expect_refused(get_blob(kContainer).with("Authorization", "Basic dXNlcjpwYXNz"), Code::kInvalid,
                 codes::kInvalidAuthenticationInfo);
  expect_failed(get_blob(kContainer).with("Authorization", "SharedKey tombolotest:AAAA"));
  UrlForTest both = get_blob(kContainer).with("x-ms-date", http_date({kNow}));
  both.with("Authorization", sign(both.view(), test_keys(), {}));
  const auto verified = verify(both);
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->proof, Proof::kSharedKey);
}

TEST_F(VerifierTest, PassesOnWhatTheKeyRingCannotAnswer) {
  BrokenKeyRing broken;
  AzureVerifier verifier(broken, clock_);
  EXPECT_EQ(run_to_end(verifier.verify(shared_key_request().view())).error().code, Code::kUnavailable);
  EXPECT_EQ(run_to_end(verifier.verify(get_blob(kContainer).view())).error().code, Code::kUnavailable);
}

TEST_F(VerifierTest, AcceptsAccountSasOfTheSdks) {
  const auto full = verify(get("/tombolotest/?comp=list&" + std::string(kAccountFull)));
  ASSERT_TRUE(full.ok()) << full.error().message;
  EXPECT_EQ(full->proof, Proof::kAccountSas);
  EXPECT_EQ(full->tenant, TenantId{7});
  EXPECT_EQ(full->permissions, every_permission(SasKind::kAccount));
  EXPECT_EQ(full->types, (ResourceTypes{ResourceType::kService, ResourceType::kContainer, ResourceType::kObject}));
  EXPECT_FALSE(full->container);

  const auto minimal = verify(get("/c1/a.txt?" + std::string(kAccountMinimal), UrlStyle::kHost));
  ASSERT_TRUE(minimal.ok()) << minimal.error().message;
  EXPECT_EQ(minimal->permissions, Permissions{Permission::kRead});
  EXPECT_EQ(minimal->services, (Services{Service::kBlob, Service::kQueue}));
  EXPECT_EQ(minimal->types, ResourceTypes{ResourceType::kObject});

  for (const char* older :
       {"st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=rwdlacup&sv=2020-10-02&ss=b&srt=sco"
        "&sig=2uIx0XjF/JQw2cikVrNayAI5%2BrWNzfvzd0m8HLW8hmc%3D",
        "st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=rwdlacup&sv=2018-03-28&ss=b&srt=sco"
        "&sig=Cq%2B1T/oVaZDGtn5xd2s5%2BpdrTLlr41ZalN73y2xSiFo%3D"}) {
    EXPECT_TRUE(verify(get_blob(older)).ok()) << older;
  }
}

TEST_F(VerifierTest, AcceptsServiceSasOfTheSdks) {
  const auto container = verify(get_blob(kContainer));
  ASSERT_TRUE(container.ok()) << container.error().message;
  EXPECT_EQ(container->proof, Proof::kServiceSas);
  EXPECT_EQ(container->container, "c1");
  EXPECT_FALSE(container->blob);
  EXPECT_TRUE(container->may(Permission::kDeleteVersion));
  EXPECT_FALSE(container->may(Permission::kMove));

  for (const char* older : {"st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=racwdl&sv=2020-10-02&sr=c"
                            "&sig=cD1GxQvmYpGj9zTTW6MkvxDQGpOmzpMohOSY2e5lgjE%3D",
                            "se=2026-11-22T00%3A00%3A00Z&sp=r&sv=2020-10-02&sr=b&rsct=text/plain"
                            "&sig=punmKezayyEWJ7bEdGXC9EY5tHG3Vos5Qf8r2mYCcMM%3D",
                            "st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=racwdl&sv=2018-03-28&sr=c"
                            "&sig=0wXIIG%2BNzkEQu8rtp2oDf%2B1yzqWEJHEofZSKZ7uA0Jo%3D",
                            "se=2026-11-22&sp=r&sv=2018-03-28&sr=b&rsct=text/plain"
                            "&sig=5u75ZIvUDHC10IOQU26Is0KZ6YFlR6PlYRM%2BhEqgCB8%3D"}) {
    EXPECT_TRUE(verify(get_blob(older)).ok()) << older;
  }
}

TEST_F(VerifierTest, ServiceSasWorksInBothAddressStylesAndForAnySpelling) {
  for (const char* name : {"dir/na%20me%25%C3%A9.bin", "dir%2Fna%20me%25%c3%a9.bin", "%64ir/na%20me%25%C3%A9.bin"}) {
    EXPECT_TRUE(verify(get("/tombolotest/c1/" + std::string(name) + "?" + kBlobOverrides)).ok()) << name;
    EXPECT_TRUE(verify(get("/c1/" + std::string(name) + "?" + kBlobOverrides, UrlStyle::kHost)).ok()) << name;
  }
}

TEST_F(VerifierTest, BlobSasCarriesItsResponseHeaders) {
  const auto verified = verify(get("/tombolotest/c1/dir/na%20me%25%C3%A9.bin?" + std::string(kBlobOverrides)));
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->blob, "dir/na me%\xC3\xA9.bin");
  EXPECT_EQ(verified->overrides.cache_control, "no-store");
  EXPECT_EQ(verified->overrides.content_disposition, "attachment; filename=x.bin");
  EXPECT_EQ(verified->overrides.content_encoding, "identity");
  EXPECT_EQ(verified->overrides.content_language, "en");
  EXPECT_EQ(verified->overrides.content_type, "text/plain");
  const auto account = verify(get_blob(std::string(kAccountMinimal) + "&rsct=text/html"));  // not signed there
  ASSERT_TRUE(account.ok());
  EXPECT_EQ(account->overrides.content_type, "");
}

TEST_F(VerifierTest, ContainerSasLeavesTheSnapshotUnsigned) {
  EXPECT_TRUE(verify(get_blob(std::string(kContainer) + kSnapshot)).ok());
}

TEST_F(VerifierTest, SnapshotAndVersionSasAreForThatOneOnly) {
  EXPECT_TRUE(verify(get_blob(std::string(kBlobSnapshot) + kSnapshot)).ok());
  EXPECT_TRUE(verify(get_blob(std::string(kBlobVersion) + kVersionId)).ok());
  expect_failed(get_blob(kBlobSnapshot));
  expect_failed(get_blob(std::string(kBlobSnapshot) + "&snapshot=2026-11-20T00:00:00.0000001Z"));
  expect_failed(get_blob(kBlobVersion));
  expect_failed(get_blob(std::string(kBlobVersion) + "&versionid=2026-11-20T00:00:00.0000002Z"));
}

TEST_F(VerifierTest, RefusesASasOutsideItsTimes) {
  const std::int64_t start = parse_iso8601("2026-11-21T00:00:00Z")->micros;
  const std::int64_t expiry = parse_iso8601("2026-11-22T00:00:00Z")->micros;
  for (const char* sas : {kContainer, kAccountFull}) {
    clock_.set_wall({start - 1});
    expect_failed(get_blob(sas));
    clock_.set_wall({start});
    EXPECT_TRUE(verify(get_blob(sas)).ok());
    clock_.set_wall({expiry - 1});
    EXPECT_TRUE(verify(get_blob(sas)).ok());
    clock_.set_wall({expiry});
    expect_failed(get_blob(sas));
  }
}

TEST_F(VerifierTest, ChecksAddressAndProtocol) {
  const UrlForTest url = get_blob(kBlobHttps);
  SignedRequest request = url.view();
  request.client_ip = "10.0.0.1";
  request.https = true;
  EXPECT_TRUE(verify(request).ok());
  request.client_ip = "::ffff:10.0.0.1";
  EXPECT_TRUE(verify(request).ok());
  request.https = false;
  refused(verify(request), Code::kPermissionDenied, codes::kProtocolMismatch);
  request.https = true;
  for (const char* other : {"10.0.0.2", "::1", "", "010.0.0.1"}) {
    request.client_ip = other;
    refused(verify(request), Code::kPermissionDenied, codes::kSourceIpMismatch);
  }
  request.headers.push_back({"X-Forwarded-For", "10.0.0.1"});  // faults-and-threats §3 case 37
  refused(verify(request), Code::kPermissionDenied, codes::kSourceIpMismatch);
}

TEST_F(VerifierTest, AddressRangesAreInclusive) {
  const UrlForTest url = get_blob(kAccountFull);  // 127.0.0.1-127.0.0.9
  SignedRequest request = url.view();
  for (const char* inside : {"127.0.0.1", "127.0.0.5", "127.0.0.9"}) {
    request.client_ip = inside;
    EXPECT_TRUE(verify(request).ok()) << inside;
  }
  for (const char* outside : {"127.0.0.0", "127.0.0.10", "128.0.0.5"}) {
    request.client_ip = outside;
    refused(verify(request), Code::kPermissionDenied, codes::kSourceIpMismatch);
  }
}

// A lie about one field must not verify, whichever field it is.
TEST_F(VerifierTest, RefusesAnEditedSas) {
  const std::pair<const char*, const char*> edits[] = {
      {"sp=racwdxltf", "sp=racwdxyltf"},
      {"2026-11-22T", "2026-12-22T"},
      {"st=2026-11-21", "st=2026-11-20"},
      {"sv=2026-10-06", "sv=2026-06-06"},
      {"sr=c", "sr=b"},
      {"zlJC", "zlJD"},
      {"sr=c", "sr=c&spr=https,http"},
      {"sr=c", "sr=c&sip=127.0.0.1"},
      {"sr=c", "sr=c&rsct=text/html"},
      {"st=2026-11-21T00%3A00%3A00Z&", ""},
  };
  ASSERT_TRUE(verify(get_blob(kContainer)).ok());
  for (const auto& [from, to] : edits) {
    std::string sas = kContainer;
    ASSERT_NE(sas.find(from), std::string::npos) << from;
    expect_failed(get_blob(sas.replace(sas.find(from), std::string_view(from).size(), to)));
  }
  std::string account = kAccountMinimal;
  ASSERT_TRUE(verify(get_blob(account)).ok());
  expect_failed(get_blob(std::string(account).replace(account.find("srt=o"), 5, "srt=co")));
  expect_failed(get_blob(std::string(account).replace(account.find("ss=bq"), 5, "ss=b")));
}

TEST_F(VerifierTest, RefusesASasOnAnotherContainerOrBlob) {
  expect_failed(get("/tombolotest/c2/a.txt?" + std::string(kContainer)));
  expect_failed(get("/tombolotest/?comp=list&" + std::string(kContainer)));
  expect_failed(get("/tombolotest/c1/b.txt?" + std::string(kBlobHttps)));
  expect_failed(get("/tombolotest/c1/a.txt/x?" + std::string(kBlobHttps)));
  expect_failed(get("/tombolotest/c1?restype=container&comp=list&" + std::string(kBlobHttps)));
}

TEST_F(VerifierTest, RefusesParametersGivenTwice) {
  for (const char* again :
       {"&sp=r", "&SP=rwd", "&sig=AAAA", "&se=2026-11-22T00:00:00Z", "&sv=2026-10-06", "&sr=b", "&st=2026-11-21"}) {
    expect_refused(get_blob(std::string(kContainer) + again), Code::kInvalid, codes::kInvalidQueryParameterValue);
  }
  expect_refused(get_blob(std::string(kBlobSnapshot) + kSnapshot + kSnapshot), Code::kInvalid,
                 codes::kInvalidQueryParameterValue);
}

TEST_F(VerifierTest, RefusesWhatIsNotBuilt) {
  expect_failed(get_blob(kContainerPolicy));
  expect_refused(get_blob(kContainerScope), Code::kInvalid, codes::kInvalidQueryParameterValue);
  expect_refused(get_blob(kAccountScope), Code::kInvalid, codes::kInvalidQueryParameterValue);
  for (const char* field : {"&skoid=x", "&sktid=x", "&skt=x", "&ske=x", "&sks=b", "&skv=2020-02-10", "&saoid=x",
                            "&suoid=x", "&scid=x", "&skdutid=x", "&sduoid=x", "&srh=x", "&srq=x", "&sdd=1"}) {
    expect_failed(get_blob(std::string(kContainer) + field));
  }
}

TEST_F(VerifierTest, ErrorsHoldNoSecret) {
  const std::string authorization = sign(shared_key_request().view(), test_keys(), {});
  const std::string signature = authorization.substr(authorization.find(':') + 1);
  UrlForTest tampered = get("/tombolotest/c1/other").with("x-ms-date", http_date({kNow}));
  tampered.with("Authorization", authorization).with("x-ms-encryption-key", "c2VjcmV0");
  const std::string message = verify(tampered).error().message;
  EXPECT_EQ(message.find(signature), std::string::npos);
  EXPECT_EQ(message.find("c2VjcmV0"), std::string::npos);
  EXPECT_EQ(verify(get_blob(std::string(kContainer) + "&rsct=x")).error().message.find("zlJC"), std::string::npos);
}

}  // namespace
}  // namespace tombolo::auth
