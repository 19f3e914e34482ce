// Who may do what, and what every answer has.
#include "auth/sas.h"
#include "base/encoding.h"
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

using auth::Permission;
using auth::Permissions;

class Handler : public ::testing::Test, public BlobRig {
 protected:
  Handler() {
    EXPECT_EQ(ask({"PUT", "/box/b", kBlock, "hello"}).status, 201);
    before = inventory();
  }

  auth::SasTerms terms(Permissions permissions) {
    auth::SasTerms out;
    out.permissions = permissions;
    out.expiry = later(std::chrono::hours(1));
    return out;
  }
  Result<std::string> container_sas(Permissions permissions) {
    return auth::make_service_sas(keys, {.terms = terms(permissions), .container = "box"});
  }
  Result<std::string> blob_sas(Permissions permissions, std::string blob) {
    return auth::make_service_sas(keys, {.terms = terms(permissions), .container = "box", .blob = std::move(blob)});
  }
  void expect_nothing_stored() { EXPECT_EQ(inventory(), before); }

  std::string before;
};

TEST_F(Handler, EveryAnswerNamesItsRequest) {
  const Answered good = ask({"GET", "/box/b", {{"x-ms-client-request-id", "client-7"}}});
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.header("x-ms-version"), "2025-07-05");
  EXPECT_EQ(good.header("x-ms-client-request-id"), "client-7");
  EXPECT_EQ(good.header("x-ms-request-id").size(), 36U);
  EXPECT_EQ(good.code(), "");

  const Answered bad = ask({"GET", "/box/nothing", {{"x-ms-client-request-id", "client-8"}}});
  EXPECT_EQ(bad.status, 404);
  EXPECT_EQ(bad.code(), "BlobNotFound");
  EXPECT_EQ(bad.header("x-ms-client-request-id"), "client-8");
  EXPECT_EQ(bad.header("Content-Type"), "application/xml");
  EXPECT_TRUE(
      bad.body.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobNotFound</Code><Message>"
                           "The specified blob does not exist."));
  EXPECT_TRUE(bad.holds("\nRequestId:" + bad.header("x-ms-request-id") + "\nTime:2023-11-14T22:13:20.0000000Z"));
  EXPECT_NE(bad.header("x-ms-request-id"), good.header("x-ms-request-id"));

  const Answered head = ask({"HEAD", "/box/nothing"});
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.code(), "BlobNotFound");
  EXPECT_EQ(head.body, "");
}

TEST_F(Handler, AnyWellFormedVersionIsEchoed) {
  for (const std::string version : {"2019-02-02", "2026-06-06", "2031-12-31"}) {
    EXPECT_EQ(send({"GET", "/box/b", {{"x-ms-version", version}}}).header("x-ms-version"), version);
  }
  EXPECT_EQ(send({"GET", "/box/b"}).header("x-ms-version"), "2021-12-02");
  EXPECT_EQ(send({"GET", "/box/b", {{"x-ms-version", "latest"}}}).code(), "InvalidHeaderValue");
}

TEST_F(Handler, RequestsWithoutValidCredentialsLearnAndStoreNothing) {
  auth::AccountKeys wrong = keys;
  wrong.key1 = to_bytes("another key");
  auth::AccountKeys stranger = wrong;
  stranger.account = "stranger";

  for (const std::string target : {"/box/b", "/box/nothing", "/absent/b", "/box?restype=container", "/?comp=list"}) {
    const Answered anonymous = send({"GET", target});
    EXPECT_EQ(anonymous.status, 401) << target;
    EXPECT_EQ(anonymous.code(), "NoAuthenticationInformation") << target;
    EXPECT_NE(anonymous.header("WWW-Authenticate"), "") << target;

    const Answered forged = exchange(signed_with({"GET", "/acc" + target}, wrong));
    EXPECT_EQ(forged.status, 403) << target;
    EXPECT_EQ(forged.code(), "AuthenticationFailed") << target;

    const Answered foreign = exchange(signed_with({"GET", "/stranger" + target}, stranger));
    EXPECT_EQ(foreign.status, 403) << target;
    EXPECT_EQ(foreign.code(), "AuthenticationFailed") << target;

    const Answered token = send({"GET", target, {{"Authorization", "Bearer abc"}}});
    EXPECT_EQ(token.status, 401) << target;
    EXPECT_EQ(token.code(), "InvalidAuthenticationInfo") << target;
  }
  EXPECT_EQ(exchange(signed_with({"PUT", "/acc/box/new", kBlock, "x"}, wrong)).code(), "AuthenticationFailed");
  EXPECT_EQ(exchange(signed_with({"DELETE", "/acc/box/b"}, wrong)).code(), "AuthenticationFailed");
  expect_nothing_stored();
}

TEST_F(Handler, ASignedRequestIsGoodForItselfOnly) {
  const Asked good = signed_with({"PUT", "/acc/box/new", kBlock, "x"}, keys);
  Asked other = good;
  other.target = "/acc/box/other";
  EXPECT_EQ(exchange(other).code(), "AuthenticationFailed");
  other = good;
  other.method = "DELETE";
  EXPECT_EQ(exchange(other).code(), "AuthenticationFailed");
  other = good;
  other.headers.emplace_back("x-ms-meta-added", "1");
  EXPECT_EQ(exchange(other).code(), "AuthenticationFailed");
  expect_nothing_stored();
  rig.clock.advance(std::chrono::minutes(14));
  EXPECT_EQ(exchange(good).status, 201);
  rig.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(exchange(good).code(), "AuthenticationFailed");
}

TEST_F(Handler, NoBodyByteIsTakenBeforeTheRequestIsVerified) {
  EXPECT_EQ(send({"PUT", "/box/new", kBlock, "0123456789"}).status, 401);
  EXPECT_EQ(last_received, 0U);
  EXPECT_EQ(ask({"PUT", "/box/new", kBlock, "0123456789"}).status, 201);
  EXPECT_EQ(last_received, 10U);
}

TEST_F(Handler, ASasGrantsWhatItSaysAndNoMore) {
  const auto read = container_sas({Permission::kRead});
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, read).body, "hello");
  EXPECT_EQ(ask_with_sas({"HEAD", "/box/b"}, read).status, 200);
  const struct {
    Asked asked;
    std::string_view code;
  } refused[] = {
      {{"PUT", "/box/new", kBlock, "x"}, "AuthorizationPermissionMismatch"},
      {{"DELETE", "/box/b"}, "AuthorizationPermissionMismatch"},
      {{"PUT", "/box/b?comp=metadata", {{"x-ms-meta-a", "1"}}}, "AuthorizationPermissionMismatch"},
      {{"PUT", "/box/b?comp=block&blockid=YQ==", {}, "x"}, "AuthorizationPermissionMismatch"},
      {{"GET", "/box?restype=container&comp=list"}, "AuthorizationPermissionMismatch"},
      {{"GET", "/box?restype=container"}, "AuthorizationFailure"},
      {{"HEAD", "/box?restype=container"}, "AuthorizationFailure"},
      {{"PUT", "/box?restype=container"}, "AuthorizationFailure"},
      {{"PUT", "/box?restype=container&comp=metadata"}, "AuthorizationFailure"},
      {{"DELETE", "/box?restype=container"}, "AuthorizationFailure"},
      {{"GET", "/?comp=list"}, "AuthenticationFailed"},  // what it was signed for is another container
      {{"GET", "/other/b"}, "AuthenticationFailed"},
  };
  for (const auto& row : refused) {
    const Answered answer = ask_with_sas(row.asked, read);
    EXPECT_EQ(answer.status, 403) << row.asked.method << row.asked.target;
    EXPECT_EQ(answer.code(), row.code) << row.asked.method << row.asked.target;
  }
  EXPECT_EQ(ask_with_sas({"GET", "/box/other"}, blob_sas({Permission::kRead}, "b")).code(), "AuthenticationFailed");
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, blob_sas({Permission::kRead}, "b")).status, 200);
  expect_nothing_stored();
}

TEST_F(Handler, ASasEditedOrOutOfTimeIsRefused) {
  const auto sas = container_sas({Permission::kRead});
  ASSERT_TRUE(sas.ok());
  std::string edited = *sas;
  edited.replace(edited.find("sp=r"), 4, "sp=rwd");
  EXPECT_EQ(ask_with_sas({"DELETE", "/box/b"}, edited).code(), "AuthenticationFailed");
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, *sas + "&sp=rwd").code(), "InvalidQueryParameterValue");
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, *sas + "&si=policy").code(), "AuthenticationFailed");
  rig.clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, sas).status, 200);
  rig.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, sas).code(), "AuthenticationFailed");
  expect_nothing_stored();
}

TEST_F(Handler, AnAccountSasIsHeldToServicesAndTypes) {
  auth::AccountSasRequest everything;
  everything.terms = terms({Permission::kRead, Permission::kWrite, Permission::kList, Permission::kDelete});
  EXPECT_EQ(ask_with_sas({"GET", "/?comp=list"}, auth::make_account_sas(keys, everything)).status, 200);
  EXPECT_EQ(ask_with_sas({"PUT", "/made?restype=container"}, auth::make_account_sas(keys, everything)).status, 201);
  EXPECT_EQ(ask_with_sas({"DELETE", "/made?restype=container"}, auth::make_account_sas(keys, everything)).status, 202);

  auth::AccountSasRequest objects = everything;
  objects.types = {auth::ResourceType::kObject};
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, auth::make_account_sas(keys, objects)).status, 200);
  EXPECT_EQ(ask_with_sas({"GET", "/box?restype=container&comp=list"}, auth::make_account_sas(keys, objects)).code(),
            "AuthorizationResourceTypeMismatch");
  auth::AccountSasRequest queues = everything;
  queues.services = {auth::Service::kQueue};
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, auth::make_account_sas(keys, queues)).code(),
            "AuthorizationServiceMismatch");
  auth::AccountSasRequest elsewhere = everything;
  elsewhere.terms.ip = "10.1.2.3";
  EXPECT_EQ(ask_with_sas({"GET", "/box/b", {{"X-Forwarded-For", "10.1.2.3"}}}, auth::make_account_sas(keys, elsewhere))
                .code(),
            "AuthorizationSourceIPMismatch");
  auth::AccountSasRequest tls = everything;
  tls.terms.protocol = auth::SasProtocol::kHttpsOnly;
  EXPECT_EQ(ask_with_sas({"GET", "/box/b"}, auth::make_account_sas(keys, tls)).code(), "AuthorizationProtocolMismatch");
  expect_nothing_stored();
}

TEST_F(Handler, CreateWithoutWriteMayNotReplace) {
  const auto create = container_sas({Permission::kCreate});
  const Answered over = ask_with_sas({"PUT", "/box/b", kBlock, "overwritten"}, create);
  EXPECT_EQ(over.status, 403);
  EXPECT_EQ(over.code(), "UnauthorizedBlobOverwrite");
  EXPECT_EQ(ask_with_sas({"PUT", "/box/b", plus(kBlock, {{"If-None-Match", "*"}}), "x"}, create).code(),
            "BlobAlreadyExists");
  expect_nothing_stored();
  EXPECT_EQ(ask_with_sas({"PUT", "/box/new", kBlock, "new"}, create).status, 201);
}

TEST_F(Handler, ASasReplacesHeadersOfTheAnswer) {
  // The admin API makes no such SAS, SDKs do: signed here by hand.
  const std::string expiry = iso8601(later(std::chrono::hours(1)));
  auth::SasFields fields;
  fields.sv = "2025-07-05";
  fields.sr = "b";
  fields.sp = "r";
  fields.se = expiry;
  fields.rsct = "text/html";
  fields.rscd = "attachment; filename=x";
  const std::string text = auth::sas_string_to_sign(auth::SasKind::kService, fields, {"acc", "box", "b"});
  const std::string sas =
      "sv=2025-07-05&sr=b&sp=r&se=" + percent_encode(expiry) +
      "&rsct=text%2Fhtml&rscd=attachment%3B%20filename%3Dx&sig=" + percent_encode(auth::sign_text(keys.key1, text));
  EXPECT_EQ(ask_with_sas({"GET", "/box/b", {{"Range", "bytes=0-1"}}}, sas).status, 206);
  for (const char* method : {"GET", "HEAD"}) {
    const Answered answer = ask_with_sas({method, "/box/b"}, sas);
    EXPECT_EQ(answer.status, 200) << method;
    EXPECT_EQ(answer.header("Content-Type"), "text/html") << method;
    EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=x") << method;
    EXPECT_EQ(answer.headers.count("Content-Type"), 1U) << method;
  }
  // One that is not signed is an edit.
  EXPECT_EQ(ask_with_sas({"GET", "/box/b?rsct=text/html"}, blob_sas({Permission::kRead}, "b")).code(),
            "AuthenticationFailed");
}

TEST_F(Handler, HostStyleReachesTheSameBlob) {
  Asked asked{"GET", "/box/b"};
  asked.host = "acc.blob.example.net:10000";
  const Answered answer = exchange(signed_with(asked, keys));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  asked.host = "acc.dfs.example.net:10000";
  EXPECT_EQ(exchange(signed_with(asked, keys)).code(), "EndpointUnsupportedAccountFeatures");
}

TEST_F(Handler, WordsWhatHttpRefuses) {
  const struct {
    http::Failure failure;
    int status;
    std::string_view code;
  } cases[] = {
      {http::Failure::kLengthRequired, 411, "MissingContentLengthHeader"},
      {http::Failure::kMethodRefused, 405, "UnsupportedHttpVerb"},
      {http::Failure::kBadTarget, 400, "InvalidUri"},
      {http::Failure::kLengthAndChunked, 400, "InvalidInput"},
      {http::Failure::kHeadTooLarge, 431, "InvalidInput"},
      {http::Failure::kOverloaded, 503, "ServerBusy"},
      {http::Failure::kHandlerFailed, 500, "InternalError"},
  };
  for (const auto& row : cases) {
    const http::Refusal refusal = handler.refuse(row.failure);
    EXPECT_EQ(refusal.head.status, row.status);
    EXPECT_EQ(refusal.head.headers.get("x-ms-error-code"), row.code);
    EXPECT_EQ(refusal.head.headers.get("x-ms-request-id")->size(), 36U);
    EXPECT_NE(as_text(refusal.body.view()).find("<Code>" + std::string(row.code) + "</Code>"), std::string_view::npos);
  }
}

TEST_F(Handler, TellsTheObserverWhatHappened) {
  seen.clear();
  ask({"GET", "/box/b"});
  EXPECT_EQ(last_sent, 5U);
  ask({"HEAD", "/box/b"});
  EXPECT_EQ(last_sent, 0U);
  send({"GET", "/box/b"});
  ask({"GET", "/box/nothing"});
  EXPECT_EQ(seen, (std::vector<std::string>{"GetBlob 200", "GetBlobProperties 200", "GetBlob 401", "GetBlob 404"}));
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
