// What is refused: status, code, and that nothing was stored. One line a case.
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

struct Case {
  Asked asked;
  int status;
  std::string_view code;
};

class Refusals : public ::testing::Test, public BlobRig {
 protected:
  Refusals() {
    EXPECT_EQ(ask({"PUT", "/box/b", kBlock, "hello world"}).status, 201);
    EXPECT_EQ(ask({"PUT", "/box/empty", kBlock}).status, 201);
    EXPECT_EQ(ask({"PUT", "/box/staged?comp=block&blockid=MDE=", {}, "one"}).status, 201);
    EXPECT_EQ(ask({"PUT", "/box/staged?comp=block&blockid=MDI=", {}, "two"}).status, 201);
  }

  void expect_all(const std::vector<Case>& cases) {
    const std::string before = inventory();
    for (const Case& row : cases) {
      const Answered answer = ask(row.asked);
      std::string what = row.asked.method + " " + row.asked.target;
      for (const auto& [name, value] : row.asked.headers) what += " " + name + ": " + value;
      EXPECT_EQ(answer.status, row.status) << what << "\n" << answer.body;
      EXPECT_EQ(answer.code(), row.code) << what << "\n" << answer.body;
      EXPECT_EQ(inventory(), before) << what;
    }
  }
};

Fields block_with(std::string name, std::string value) {
  return plus(kBlock, {{std::move(name), std::move(value)}});
}

TEST_F(Refusals, OfPutBlob) {
  expect_all({
      {{"PUT", "/box/new", {}, "x"}, 400, "MissingRequiredHeader"},
      {{"PUT", "/box/new", {{"x-ms-blob-type", "BlobBlob"}}, "x"}, 400, "InvalidHeaderValue"},
      {{"PUT", "/box/new", {{"x-ms-blob-type", "AppendBlob"}}}, 400, "BlobTypeNotSupported"},
      {{"PUT", "/box/new", {{"x-ms-blob-type", "PageBlob"}}}, 400, "BlobTypeNotSupported"},
      {{"PUT", "/absent/new", kBlock, "x"}, 404, "ContainerNotFound"},
      {{"PUT", "/box/b", block_with("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="), "hello World"}, 400, "Md5Mismatch"},
      {{"PUT", "/box/b", block_with("Content-MD5", "XrY7u"), "hello world"}, 400, "InvalidMd5"},
      {{"PUT", "/box/b", block_with("x-ms-content-crc64", "AAAAAAAAAAA="), "hello"}, 400, "Crc64Mismatch"},
      {{"PUT", "/box/b", block_with("x-ms-content-crc64", "AAAA"), "hello"}, 400, "InvalidHeaderValue"},
      {{"PUT", "/box/b", block_with("x-ms-blob-content-md5", "xyz"), "hello"}, 400, "InvalidMd5"},
      {{"PUT", "/box/b", block_with("x-ms-blob-content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="), "hello World"},
       400,
       "Md5Mismatch"},
      {{"PUT", "/box/b",
        plus(kBlock,
             {{"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="}, {"x-ms-blob-content-md5", "sQqNsWTgdUEFt6mb5y4/5Q=="}}),
        "hello world"},
       400,
       "Md5Mismatch"},
      {{"PUT", "/box/b",
        plus(kBlock, {{"x-ms-content-crc64", "YeJLfssylmU="}, {"x-ms-blob-content-md5", "sQqNsWTgdUEFt6mb5y4/5Q=="}}),
        "Hello World"},
       400,
       "BothCrc64AndMsMd5HeaderPresent"},
      {{"PUT", "/box/b", block_with("x-ms-meta-1", "v"), "x"}, 400, "InvalidMetadata"},
      {{"PUT", "/box/b", block_with("x-ms-meta-a", std::string(8192, 'v')), "x"}, 400, "MetadataTooLarge"},
      {{"PUT", "/box/b", block_with("If-None-Match", "*"), "x"}, 409, "BlobAlreadyExists"},
      {{"PUT", "/box/b", block_with("If-Match", "\"0x0000000000000001\""), "x"}, 412, "ConditionNotMet"},
      {{"PUT", "/box/new", block_with("If-Match", "*"), "x"}, 412, "ConditionNotMet"},
      {{"PUT", "/box/b", block_with("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), "x"},
       412,
       "ConditionNotMet"},
      {{"PUT", "/box/b", block_with("If-Modified-Since", "now"), "x"}, 400, "InvalidHeaderValue"},
      {{"PUT", "/box/%FF", kBlock, "x"}, 400, "InvalidUri"},
      {{"PUT", "/box/a%00b", kBlock, "x"}, 400, "InvalidUri"},
      {{"PUT", "/box/" + std::string(1'025, 'n'), kBlock, "x"}, 400, "OutOfRangeInput"},
      {{"PUT", "/Box/b", kBlock, "x"}, 400, "InvalidResourceName"},
  });
}

TEST_F(Refusals, OfBodiesThatAreTooLongOrOfUnknownLength) {
  const std::string before = inventory();
  Asked asked = signed_with({"PUT", "/acc/box/new", plus(kBlock, {{"Content-Length", "5242880001"}})}, keys);
  http::RequestHead head = head_of(asked);
  ForwardingExchange announced(head);
  announced.seen.content_length = 5'242'880'001;
  ASSERT_TRUE(rig.run(handler.handle(announced)).ok());
  EXPECT_EQ(announced.inner.answer().head.status, 413);
  EXPECT_EQ(announced.inner.answer().head.headers.get("x-ms-error-code"), "RequestBodyTooLarge");

  Asked chunked = signed_with({"PUT", "/acc/box/new", kBlock}, keys);
  ForwardingExchange unknown(head_of(chunked));
  unknown.seen.content_length.reset();
  unknown.seen.chunked = true;
  ASSERT_TRUE(rig.run(handler.handle(unknown)).ok());
  EXPECT_EQ(unknown.inner.answer().head.status, 411);
  EXPECT_EQ(unknown.inner.answer().head.headers.get("x-ms-error-code"), "MissingContentLengthHeader");

  Asked truncated = signed_with({"PUT", "/acc/box/new", plus(kBlock, {{"Content-Length", "9"}})}, keys);
  ForwardingExchange ended(head_of(truncated));
  ended.seen.content_length = 9;  // and none comes
  ASSERT_TRUE(rig.run(handler.handle(ended)).ok());
  EXPECT_EQ(ended.inner.answer().head.status, 400);
  EXPECT_EQ(ended.inner.answer().head.headers.get("x-ms-error-code"), "InvalidInput");
  EXPECT_EQ(inventory(), before);
}

TEST_F(Refusals, OfBlocksAndBlockLists) {
  const std::string both = "<BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>";
  expect_all({
      {{"PUT", "/box/staged?comp=block", {}, "x"}, 400, "MissingRequiredQueryParameter"},
      {{"PUT", "/box/staged?comp=block&blockid=!!", {}, "x"}, 400, "InvalidQueryParameterValue"},
      {{"PUT", "/box/staged?comp=block&blockid=AAAA-A==", {}, "x"}, 400, "InvalidQueryParameterValue"},
      {{"PUT", "/box/staged?comp=block&blockid=", {}, "x"}, 400, "InvalidBlockId"},
      {{"PUT", "/box/staged?comp=block&blockid=MDE=", {}, ""}, 400, "InvalidHeaderValue"},
      {{"PUT", "/box/staged?comp=block&blockid=MDEy", {}, "x"}, 400, "InvalidBlobOrBlock"},
      {{"PUT", "/box/staged?comp=block&blockid=MDM=", {{"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="}}, "x"},
       400,
       "Md5Mismatch"},
      {{"PUT", "/box/staged?comp=block&blockid=MDM=", {{"x-ms-content-crc64", "AAAAAAAAAAA="}}, "x"},
       400,
       "Crc64Mismatch"},
      {{"PUT", "/absent/b?comp=block&blockid=MDM=", {}, "x"}, 404, "ContainerNotFound"},
      {{"PUT", "/box/staged?comp=blocklist", {}, "<BlockList><Latest>MDk=</Latest></BlockList>"},
       400,
       "InvalidBlockList"},
      {{"PUT", "/box/staged?comp=blocklist", {}, "<BlockList><Committed>MDE=</Committed></BlockList>"},
       400,
       "InvalidBlockList"},
      {{"PUT", "/box/staged?comp=blocklist", {}, "<BlockList><Latest>"}, 400, "InvalidXmlDocument"},
      {{"PUT", "/box/staged?comp=blocklist", {}, "<!DOCTYPE x>" + both}, 400, "InvalidXmlDocument"},
      {{"PUT", "/box/staged?comp=blocklist", {}, ""}, 400, "InvalidXmlDocument"},
      {{"PUT", "/box/staged?comp=blocklist", {}, "<BlockList><Latest>!</Latest></BlockList>"}, 400, "InvalidBlockId"},
      {{"PUT", "/box/staged?comp=blocklist", {{"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="}}, both}, 400, "Md5Mismatch"},
      {{"PUT", "/box/staged?comp=blocklist", {{"x-ms-content-crc64", "AAAAAAAAAAA="}}, both}, 400, "Crc64Mismatch"},
      {{"PUT", "/box/staged?comp=blocklist", {{"If-Match", "*"}}, both}, 412, "ConditionNotMet"},
      {{"PUT", "/box/staged?comp=blocklist", {}, std::string(8 * 1024 * 1024 + 1, ' ')}, 413, "RequestBodyTooLarge"},
      {{"PUT", "/absent/b?comp=blocklist", {}, both}, 404, "ContainerNotFound"},
      {{"GET", "/box/nothing?comp=blocklist"}, 404, "BlobNotFound"},
      {{"GET", "/box/b?comp=blocklist&blocklisttype=some"}, 400, "InvalidQueryParameterValue"},
  });
}

TEST_F(Refusals, OfReads) {
  expect_all({
      {{"GET", "/box/b", {{"x-ms-range", "bytes=11-"}}}, 416, "InvalidRange"},
      {{"GET", "/box/b", {{"Range", "bytes=99-100"}}}, 416, "InvalidRange"},
      {{"GET", "/box/empty", {{"Range", "bytes=0-0"}}}, 416, "InvalidRange"},
      {{"GET", "/box/b", {{"x-ms-range-get-content-md5", "true"}}}, 400, "InvalidHeaderValue"},
      {{"GET", "/box/b", {{"x-ms-range-get-content-md5", "maybe"}, {"Range", "bytes=0-1"}}}, 400, "InvalidHeaderValue"},
      {{"GET",
        "/box/b",
        {{"x-ms-range-get-content-md5", "true"}, {"x-ms-range-get-content-crc64", "true"}, {"Range", "bytes=0-1"}}},
       400,
       "BothCrc64AndMd5RangeHeaderPresent"},
      {{"GET", "/box/b", {{"If-Match", "\"0x0000000000000001\""}}}, 412, "ConditionNotMet"},
      {{"GET", "/box/b", {{"If-None-Match", "*"}}}, 400, "UnsatisfiableCondition"},
      {{"HEAD", "/box/b", {{"If-None-Match", "*"}}}, 400, "UnsatisfiableCondition"},
      {{"GET", "/box/b?comp=metadata", {{"If-None-Match", "*"}}}, 400, "UnsatisfiableCondition"},
      {{"GET", "/box/absent", {{"If-None-Match", "*"}}}, 400, "UnsatisfiableCondition"},
      {{"GET", "/box/b", {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}}, 412, "ConditionNotMet"},
      {{"HEAD", "/box/b", {{"If-Match", "\"0x0000000000000001\""}}}, 412, "ConditionNotMet"},
      {{"HEAD", "/box/staged"}, 404, "BlobNotFound"},
      {{"GET", "/absent/b"}, 404, "ContainerNotFound"},
      {{"GET", "/absent?restype=container"}, 404, "ContainerNotFound"},
      {{"GET", "/absent?restype=container&comp=list"}, 404, "ContainerNotFound"},
      {{"GET", "/box?restype=container&comp=list&maxresults=0"}, 400, "OutOfRangeQueryParameterValue"},
      {{"GET", "/box?restype=container&comp=list&maxresults=-1"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/box?restype=container&comp=list&marker=foreign"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/box?restype=container&comp=list&include=permissions"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/?comp=list&include=snapshots"}, 400, "InvalidQueryParameterValue"},
  });
}

TEST_F(Refusals, OfChanges) {
  expect_all({
      {{"PUT", "/box?restype=container"}, 409, "ContainerAlreadyExists"},
      {{"PUT", "/ab?restype=container"}, 400, "OutOfRangeInput"},
      {{"PUT", "/a_bc?restype=container"}, 400, "InvalidResourceName"},
      {{"PUT", "/new?restype=container", {{"x-ms-blob-public-access", "blob"}}}, 409, "PublicAccessNotPermitted"},
      {{"PUT", "/absent?restype=container&comp=metadata"}, 404, "ContainerNotFound"},
      {{"PUT", "/box?restype=container&comp=metadata", {{"x-ms-meta-", "v"}}}, 400, "EmptyMetadataKey"},
      {{"DELETE", "/absent?restype=container"}, 404, "ContainerNotFound"},
      {{"DELETE", "/box?restype=container", {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}},
       412,
       "ConditionNotMet"},
      {{"PUT", "/box/nothing?comp=metadata"}, 404, "BlobNotFound"},
      {{"PUT", "/box/nothing?comp=properties"}, 404, "BlobNotFound"},
      {{"PUT", "/box/b?comp=properties", {{"x-ms-blob-content-length", "512"}}}, 409, "InvalidBlobType"},
      {{"PUT", "/box/b?comp=properties", {{"x-ms-blob-content-md5", "short"}}}, 400, "InvalidMd5"},
      {{"DELETE", "/box/nothing"}, 404, "BlobNotFound"},
      {{"DELETE", "/box/b", {{"If-Match", "\"0x0000000000000001\""}}}, 412, "ConditionNotMet"},
      {{"DELETE", "/box/b", {{"x-ms-delete-snapshots", "all"}}}, 400, "InvalidHeaderValue"},
  });
}

TEST_F(Refusals, OfWhatIsNotBuilt) {
  std::vector<Case> cases = {
      {{"PUT", "/box/b?comp=block&blockid=YQ==", {{"x-ms-copy-source", "http://x/y"}}, "x"}, 400, "UnsupportedHeader"},
      {{"PUT", "/box/b", block_with("x-ms-lease-id", "7"), "x"}, 412, "LeaseNotPresentWithBlobOperation"},
      {{"DELETE", "/box?restype=container", {{"x-ms-lease-id", "7"}}}, 412, "LeaseNotPresentWithContainerOperation"},
      {{"GET", "/box/b?snapshot=2026-11-21T04:54:52.1234560Z"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?versionid=2026-11-21T04:54:52.1234560Z"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?versionId=2026-11-21T04:54:52.1234560Z"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?deletetype=permanent"}, 400, "UnsupportedQueryParameter"},
      {{"GET", "/box?restype=container&comp=list&endBefore=b"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?recursive=true"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?recursive=false&paginated=true"}, 400, "UnsupportedQueryParameter"},
      {{"DELETE", "/box/b?continuation=x"}, 400, "UnsupportedQueryParameter"},
      {{"PUT", "/box/dir?resource=directory", kBlock}, 400, "UnsupportedQueryParameter"},
      {{"HEAD", "/box/b?action=getAccessControl"}, 400, "UnsupportedQueryParameter"},
      {{"POST", "/?comp=batch", {}, "x"}, 400, "UnsupportedQueryParameter"},
      {{"PUT", "/?restype=service&comp=properties", {}, "<x/>"}, 400, "InvalidXmlDocument"},
      {{"GET", "/?restype=service&comp=stats"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/box?restype=container&comp=acl"}, 400, "UnsupportedQueryParameter"},
      {{"GET", "/box/b?comp=nonsense"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/box/b?comp=block"}, 405, "UnsupportedHttpVerb"},
      {{"POST", "/box/b"}, 405, "UnsupportedHttpVerb"},
      {{"PATCH", "/box/b"}, 405, "UnsupportedHttpVerb"},
      {{"BREW", "/box/b"}, 405, "UnsupportedHttpVerb"},
      {{"GET", "/"}, 400, "MissingRequiredQueryParameter"},
      {{"DELETE", "/box/"}, 400, "MissingRequiredQueryParameter"},
      {{"GET", "/box?restype=directory"}, 400, "InvalidQueryParameterValue"},
      {{"GET", "/box"}, 404, "ContainerNotFound"},  // a blob of $root, which does not exist
      {{"OPTIONS", "/box/b", {{"Origin", "http://x"}}}, 403, "CorsPreflightFailure"},
  };
  for (const std::string comp : {"lease", "snapshot", "tags", "tier", "copy", "appendblock", "page", "seal", "undelete",
                                 "expiry", "immutabilityPolicies", "legalhold", "incrementalcopy"}) {
    cases.push_back({{"PUT", "/box/b?comp=" + comp}, 400, "UnsupportedQueryParameter"});
  }
  const Fields headers = {
      {"x-ms-encryption-key", "k"},
      {"x-ms-encryption-key-sha256", "k"},
      {"x-ms-encryption-algorithm", "AES128"},
      {"x-ms-encryption-context", "c"},
      {"x-ms-encryption-scope", "s"},
      {"x-ms-tags", "a=b"},
      {"x-ms-if-tags", "\"a\"='b'"},
      {"x-ms-access-tier", "Cool"},
      {"x-ms-access-tier", "Archive"},
      {"x-ms-access-tier", "Hotter"},
      {"x-ms-copy-source", "http://x/y"},
      {"x-ms-source-if-match", "*"},
      {"x-ms-legal-hold", "true"},
      {"x-ms-immutability-policy-mode", "Locked"},
      {"x-ms-expiry-time", "1"},
  };
  for (const auto& header : headers)
    cases.push_back({{"PUT", "/box/b", plus(kBlock, {header}), "x"}, 400, "UnsupportedHeader"});
  cases.push_back({{"PUT", "/box/b?comp=metadata", {{"x-ms-access-tier", "Hot"}}}, 400, "UnsupportedHeader"});
  expect_all(cases);
}

TEST_F(Refusals, OfConditionsWhereThereAreNone) {
  std::vector<Case> cases;
  const Fields conditions = {{"If-Match", "*"},
                             {"If-None-Match", "\"0x0000000000000001\""},
                             {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
                             {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  const Asked asked[] = {{"GET", "/?comp=list"},
                         {"GET", "/?restype=service&comp=properties"},
                         {"GET", "/box?restype=account&comp=properties"},
                         {"PUT", "/new?restype=container"},
                         {"GET", "/box?restype=container"},
                         {"HEAD", "/box?restype=container"},
                         {"GET", "/box?restype=container&comp=metadata"},
                         {"GET", "/box?restype=container&comp=list"},
                         {"PUT", "/box/b?comp=block&blockid=MDM=", {}, "x"},
                         {"GET", "/box/b?comp=blocklist"}};
  for (const Asked& each : asked) {
    for (const auto& condition : conditions) {
      Asked with = each;
      with.headers.push_back(condition);
      cases.push_back({with, 400, "ConditionHeadersNotSupported"});
    }
  }
  expect_all(cases);
}

TEST_F(Refusals, OfTagsUnderASasWithoutTheirPermissionComeFirst) {
  auth::ServiceSasRequest request;
  request.terms.permissions = {auth::Permission::kRead, auth::Permission::kWrite, auth::Permission::kList};
  request.terms.expiry = later(std::chrono::hours(1));
  request.container = "box";
  const auto sas = auth::make_service_sas(keys, request);
  EXPECT_EQ(ask_with_sas({"PUT", "/box/b", block_with("x-ms-tags", "a=b"), "x"}, sas).code(),
            "AuthorizationPermissionMismatch");
  EXPECT_EQ(ask_with_sas({"GET", "/box?restype=container&comp=list&include=tags"}, sas).code(),
            "AuthorizationPermissionMismatch");
}

// Older SDKs send it with every request (azure-sdk-for-js #16673).
TEST_F(Refusals, TheAlgorithmOfAKeyThatIsNotThereAsksForNothing) {
  const Fields::value_type algorithm = {"x-ms-encryption-algorithm", "AES256"};
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {algorithm}), "x"}).status, 201);
  EXPECT_EQ(ask({"GET", "/box/b", {algorithm}}).status, 200);
  EXPECT_EQ(ask({"HEAD", "/box/b", {algorithm}}).status, 200);
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {algorithm, {"x-ms-encryption-key", "k"}}), "x"}).code(),
            "UnsupportedHeader");
}

TEST_F(Refusals, TheTierThatEveryBlobIsInMayBeAskedFor) {
  EXPECT_EQ(ask({"PUT", "/box/b", block_with("x-ms-access-tier", "hot"), "x"}).status, 201);
  const std::string list = "<BlockList><Latest>MDE=</Latest></BlockList>";
  EXPECT_EQ(ask({"PUT", "/box/staged?comp=blocklist", {{"x-ms-access-tier", "Hot"}}, list}).status, 201);
  EXPECT_EQ(ask({"HEAD", "/box/staged"}).header("x-ms-access-tier"), "Hot");
}

TEST_F(Refusals, AHeaderWithoutAValueAsksForNothing) {
  for (const char* name : {"x-ms-tags", "x-ms-blob-content-md5", "x-ms-content-crc64"}) {
    EXPECT_EQ(ask({"PUT", "/box/b", block_with(name, ""), "x"}).status, 201) << name;
  }
  const std::string list = "<BlockList><Latest>MDE=</Latest></BlockList>";
  EXPECT_EQ(ask({"PUT", "/box/staged?comp=blocklist", {{"x-ms-blob-content-md5", ""}}, list}).status, 201);
  for (const char* name : {"x-ms-blob-content-md5", "x-ms-blob-content-length"}) {
    EXPECT_EQ(ask({"PUT", "/box/b?comp=properties", {{name, ""}}}).status, 200) << name;
  }
  // Of a body it would be a promise that says nothing.
  EXPECT_EQ(ask({"PUT", "/box/b", block_with("Content-MD5", ""), "x"}).code(), "InvalidMd5");
  EXPECT_EQ(ask({"GET", "/box/b?timeout=30&snapshot="}).status, 200);
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
