#include "auth/http_request.h"

#include <gtest/gtest.h>

#include "auth/keys_for_test.h"
#include "auth/shared_key.h"

namespace tombolo::auth {
namespace {

// The listing that azure-storage-blob 12.31.1 signed (shared_key_test.cc), with "%20" sent as "+" as Go clients may.
TEST(HttpRequest, AParsedRequestVerifies) {
  http::RequestHead head;
  head.method = "GET";
  head.target =
      "/tombolotest/c1?restype=container&comp=list&prefix=a+b%2Fc%C3%BC%2B%26%25&delimiter=%2F&marker="
      "&include=metadata";
  head.headers.add("X-Ms-Date", "Sat, 21 Nov 2026 05:00:00 GMT");
  head.headers.add("x-ms-version", "2026-10-06");
  head.headers.add("Host", "127.0.0.1:10000");
  const auto query = http::parse_query(head.query(), http::Plus::kSpace);
  ASSERT_TRUE(query.ok());
  const auto credential = parse_shared_key("SharedKey tombolotest:90T79m0z6oDH3alPih2o2EAHIRSlMWY+dHcuh+aQ8tI=");
  ASSERT_TRUE(credential);
  EXPECT_TRUE(verify_signature(view_of(head, *query), *credential, test_keys()));
  head.headers.set("x-ms-version", "2026-10-07");
  EXPECT_FALSE(verify_signature(view_of(head, *query), *credential, test_keys()));
}

}  // namespace
}  // namespace tombolo::auth
