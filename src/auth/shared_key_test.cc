#include "auth/shared_key.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "auth/keys_for_test.h"
#include "auth/url_for_test.h"
#include "base/encoding.h"

namespace tombolo::auth {
namespace {

constexpr char kDate[] = "Sat, 21 Nov 2026 05:00:00 GMT";

UrlForTest dated(std::string method, std::string target, UrlStyle style = UrlStyle::kPath) {
  UrlForTest url(std::move(method), std::move(target), style);
  url.with("x-ms-date", kDate).with("x-ms-version", "2026-10-06");
  return url;
}

bool verifies(const UrlForTest& url, const std::string& authorization, const AccountKeys& keys = test_keys()) {
  const auto credential = parse_shared_key(authorization);
  return credential && verify_signature(url.view(), *credential, keys);
}

// One request that exercises everything: names with blanks, percent, UTF-8 and a line feed, a body, a condition, and
// metadata whose order depends on the collation.
UrlForTest put_request(std::string version) {
  UrlForTest url("PUT", "/tombolotest/c1/dir/na%20me%25%C3%A9%0A.bin");
  url.with("x-ms-date", kDate).with("x-ms-version", std::move(version)).with("Content-Length", "11");
  url.with("Content-Type", "application/octet-stream").with("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww==");
  url.with("X-Ms-Blob-Type", "  BlockBlob ").with("If-None-Match", "*").with("Host", "127.0.0.1:10000");
  url.with("x-ms-meta-a", "1").with("x-ms-meta-ab", "2").with("x-ms-meta-a_b", "3").with("x-ms-meta-a1", "4");
  url.with("x-ms-meta-a-c", "5").with("x-ms-meta-a-b", "6").with("x-ms-client-request-id", "id-1");
  return url;
}

// Signed by azure-storage-blob 12.31.1 (Python, SharedKeyCredentialPolicy), account "tombolotest", key the bytes 0..63.
TEST(SharedKey, VerifiesWhatThePythonSdkSigned) {
  EXPECT_TRUE(verifies(dated("GET", "/tombolotest/c1/a.txt").with("x-ms-range", "bytes=0-9"),
                       "SharedKey tombolotest:uFjjGSmKBcACglM8yUTLFjhjbJ11D56xAXpPqSaht+w="));
  EXPECT_TRUE(verifies(dated("GET", "/c1/a.txt", UrlStyle::kHost).with("x-ms-range", "bytes=0-9"),
                       "SharedKey tombolotest:cUKPVfsS/OEEBaUnv4Kj0vD8B8iQosIbgcE515sO3B8="));
  EXPECT_TRUE(verifies(dated("GET",
                             "/tombolotest/c1?restype=container&comp=list&prefix=a%20b%2Fc%C3%BC%2B%26%25"
                             "&delimiter=%2F&marker=&include=metadata"),
                       "SharedKey tombolotest:90T79m0z6oDH3alPih2o2EAHIRSlMWY+dHcuh+aQ8tI="));
  EXPECT_TRUE(verifies(dated("PUT", "/tombolotest/c1?restype=container").with("Content-Length", "0"),
                       "SharedKey tombolotest:PEDNI9GOQ7VYFoVTzaOnGuhwE6CIwOKJNh0P0ZMZDBQ="));
  EXPECT_TRUE(verifies(dated("GET", "/?comp=list", UrlStyle::kHost),
                       "SharedKey tombolotest:JmCFR/dMXtCw+hTksYZhFULg7z9c2vnXSn5B/eZGcVE="));
  EXPECT_TRUE(
      verifies(UrlForTest("GET", "/c1/b", UrlStyle::kHost).with("Date", kDate).with("x-ms-version", "2026-10-06"),
               "SharedKey tombolotest:+KM+hab+9X9STggT7XHBn3ZBVfPdCA9Rxvi86MkUcYc="));
}

// The same request by SDK 12.31.1, which sorts like .NET's en-US, and by 12.9.0, which sorts by byte value.
TEST(SharedKey, VerifiesBothHeaderOrders) {
  EXPECT_TRUE(
      verifies(put_request("2026-10-06"), "SharedKey tombolotest:IyAeRn1P2F0y0AGyG1N3lPxnUcn3FnOaPoMX8k0Z8x4="));
  EXPECT_TRUE(
      verifies(put_request("2020-10-02"), "SharedKey tombolotest:tXrC6yIkhd7bgVIGJGFXZtRBR6NYeO436NcgqhnSGe4="));
  const UrlForTest url = put_request("2026-10-06");
  const SignedRequest view = url.view();
  EXPECT_NE(string_to_sign(view, "a", {.order = HeaderOrder::kCulture}),
            string_to_sign(view, "a", {.order = HeaderOrder::kOrdinal}));
}

TEST(SharedKey, SortsHeadersAsTheSdksDo) {
  std::vector<std::string> names = {"x-ms-meta-ab", "x-ms-meta-a-b", "x-ms-meta-a_b", "x-ms-meta-a1",
                                    "x-ms-meta-a",  "x-ms-meta-a-c", "x-ms-meta-a-",  "x-ms-date"};
  const auto sorted = [&names](HeaderOrder order) {
    std::sort(names.begin(), names.end(), [order](const auto& a, const auto& b) { return header_before(order, a, b); });
    return names;
  };
  EXPECT_EQ(sorted(HeaderOrder::kCulture),
            (std::vector<std::string>{"x-ms-date", "x-ms-meta-a", "x-ms-meta-a-", "x-ms-meta-a_b", "x-ms-meta-a1",
                                      "x-ms-meta-ab", "x-ms-meta-a-b", "x-ms-meta-a-c"}));
  EXPECT_EQ(sorted(HeaderOrder::kOrdinal),
            (std::vector<std::string>{"x-ms-date", "x-ms-meta-a", "x-ms-meta-a-", "x-ms-meta-a-b", "x-ms-meta-a-c",
                                      "x-ms-meta-a1", "x-ms-meta-a_b", "x-ms-meta-ab"}));
}

// Computed outside this code (Python's hmac) over the string that Learn gives for Shared Key Lite.
TEST(SharedKey, VerifiesLite) {
  EXPECT_TRUE(verifies(dated("GET", "/tombolotest/c1?restype=container&comp=list"),
                       "SharedKeyLite tombolotest:lkYRGRWkKm524/FvufCxlNWPL7092zqyWFh0YwV5duw="));
  UrlForTest put("PUT", "/c1/a.txt", UrlStyle::kHost);
  put.with("Date", kDate).with("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww==").with("Content-Type", "text/plain");
  put.with("x-ms-blob-type", "BlockBlob");
  EXPECT_TRUE(verifies(put, "SharedKeyLite tombolotest:cCPHvvCAAndOJSWU4eFOHGe9s/DPH9dFig8NWu4ta5k="));
  EXPECT_FALSE(verifies(put, "SharedKey tombolotest:cCPHvvCAAndOJSWU4eFOHGe9s/DPH9dFig8NWu4ta5k="));
}

TEST(SharedKey, StringToSignFollowsTheLayout) {
  UrlForTest url("PUT", "/a/c?B=2&comp=block&b=1&e=");
  url.with("Content-Length", "5").with("Date", kDate).with("Range", "bytes=1-2").with("x-ms-date", kDate);
  url.with("X-MS-Twice", "one").with("x-ms-twice", " two\t").with("x-ms-empty", "");
  EXPECT_EQ(string_to_sign(url.view(), "a", {}),
            "PUT\n\n\n5\n\n\n\n\n\n\n\nbytes=1-2\n"
            "x-ms-date:Sat, 21 Nov 2026 05:00:00 GMT\nx-ms-empty:\nx-ms-twice:one,two\n"
            "/a/a/c\nb:1,2\ncomp:block\ne:");
}

TEST(SharedKey, BlanksAZeroLengthFrom20150221On) {
  const auto length_line = [](std::string version) {
    UrlForTest url("PUT", "/a/c");
    url.with("Content-Length", "0").with("Date", kDate);
    if (!version.empty()) url.with("x-ms-version", version);
    const std::string text = string_to_sign(url.view(), "a", {});
    return text.substr(0, text.find("\n\n\nSat"));
  };
  EXPECT_EQ(length_line("2014-02-14"), "PUT\n\n\n0");
  EXPECT_EQ(length_line("2015-02-21"), "PUT\n\n\n");
  EXPECT_EQ(length_line("2026-10-06"), "PUT\n\n\n");
  EXPECT_EQ(length_line(""), "PUT\n\n\n");
}

TEST(SharedKey, SignedRequestsVerifyInBothSchemesAndOrders) {
  for (const auto scheme : {SharedKeyScheme::kFull, SharedKeyScheme::kLite}) {
    for (const auto order : {HeaderOrder::kCulture, HeaderOrder::kOrdinal}) {
      const UrlForTest url = put_request("2025-07-05");
      EXPECT_TRUE(verifies(url, sign(url.view(), test_keys(), {.scheme = scheme, .order = order})));
    }
  }
}

TEST(SharedKey, AnyChangeOfTheRequestBreaksTheSignature) {
  const std::string target = "/tombolotest/c1/b?comp=block&blockid=AAAA";
  const std::string good = sign(dated("PUT", target).view(), test_keys(), {});
  ASSERT_TRUE(verifies(dated("PUT", target), good));
  EXPECT_FALSE(verifies(dated("DELETE", target), good));
  EXPECT_FALSE(verifies(dated("PUT", "/tombolotest/c1/other?comp=block&blockid=AAAA"), good));
  EXPECT_FALSE(verifies(dated("PUT", "/tombolotest/c1/%62?comp=block&blockid=AAAA"), good));  // another spelling
  EXPECT_FALSE(verifies(dated("PUT", "/tombolotest/c1/b?comp=block&blockid=AAAB"), good));
  EXPECT_FALSE(verifies(dated("PUT", "/tombolotest/c1/b?comp=block"), good));
  EXPECT_FALSE(verifies(dated("PUT", target + "&timeout=1"), good));
  EXPECT_FALSE(verifies(dated("PUT", target).with("x-ms-meta-a", "1"), good));
  EXPECT_FALSE(verifies(dated("PUT", target).with("Content-Length", "1"), good));
  EXPECT_FALSE(verifies(dated("PUT", target).with("If-Match", "*"), good));
}

TEST(SharedKey, EitherKeySignsAndAnEmptyKeyNever) {
  const UrlForTest url = dated("GET", "/tombolotest/c1/b");
  AccountKeys swapped = test_keys();
  std::swap(swapped.key1, swapped.key2);
  EXPECT_TRUE(verifies(url, sign(url.view(), swapped, {})));

  AccountKeys none{.account = "tombolotest"};
  EXPECT_FALSE(verifies(url, sign(url.view(), none, {}), none));
  AccountKeys zeros{.account = "tombolotest", .key1 = Bytes(64)};  // the stand-in for absent keys signs nothing
  EXPECT_FALSE(verifies(url, sign(url.view(), zeros, {}), none));
  EXPECT_TRUE(verifies(url, sign(url.view(), zeros, {}), zeros));
}

TEST(SharedKey, ParsesOnlyWellFormedHeaders) {
  for (const char* bad :
       {"", "SharedKey", "SharedKey ", "SharedKey a", "SharedKey :AAAA", "SharedKey a:A", "SharedKey a:AA=A",
        "sharedkey a:AAAA", "Basic a:AAAA", "SharedKeyLite a", "SharedKeyX a:AAAA", "Bearer a:AAAA"}) {
    EXPECT_FALSE(parse_shared_key(bad)) << bad;
  }
  const auto good = parse_shared_key("SharedKeyLite acct:AAAA");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->scheme, SharedKeyScheme::kLite);
  EXPECT_EQ(good->account, "acct");
  EXPECT_EQ(good->signature, Bytes(3));
}

TEST(SharedKey, OwnDateHeaderWins) {
  UrlForTest url("GET", "/a/c");
  EXPECT_FALSE(signed_at(url.view()));
  url.with("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(signed_at(url.view())->micros, 784'111'777'000'000);
  url.with("x-ms-date", kDate);
  EXPECT_EQ(signed_at(url.view())->micros, 1'795'237'200'000'000);
  EXPECT_FALSE(signed_at(UrlForTest("GET", "/a/c").with("x-ms-date", "2026-11-21T05:00:00Z").view()));
}

}  // namespace
}  // namespace tombolo::auth
