#include <gtest/gtest.h>

#include "http/message.h"

namespace tombolo::http {
namespace {

TEST(Headers, FindNamesInAnyCaseAndKeepTheirOwn) {
  Headers headers;
  headers.add("x-ms-meta-CamelKey", "One");
  headers.add("Range", "bytes=0-1");
  headers.add("range", "bytes=2-3");
  EXPECT_EQ(headers.get("X-MS-META-CAMELKEY"), "One");
  EXPECT_EQ(headers[0].name, "x-ms-meta-CamelKey");
  EXPECT_EQ(headers.count("RANGE"), 2u);
  EXPECT_EQ(headers.get("absent"), std::nullopt);
  headers.set("RANGE", *headers.get("range"));
  EXPECT_EQ(headers.count("range"), 1u);
  EXPECT_EQ(headers[1].name, "RANGE");
  EXPECT_EQ(headers[1].value, "bytes=0-1");
}

TEST(RequestHead, SplitsTheTargetAtTheFirstQuestionMark) {
  const RequestHead head{.method = "GET", .target = "/a%2Fb?x=1?2"};
  EXPECT_EQ(head.path(), "/a%2Fb");
  EXPECT_EQ(head.query(), "x=1?2");
  const RequestHead plain{.method = "GET", .target = "/a"};
  EXPECT_EQ(plain.path(), "/a");
  EXPECT_EQ(plain.query(), "");
}

TEST(ParseQuery, KeepsOrderDuplicatesAndEmptyValues) {
  const auto params = parse_query("comp=list&&restype=container&flag&prefix=a%2Fb+c&prefix=&=x");
  ASSERT_TRUE(params.ok());
  const std::vector<QueryParam> expected = {{"comp", "list"},    {"restype", "container"}, {"flag", ""},
                                            {"prefix", "a/b+c"}, {"prefix", ""},           {"", "x"}};
  EXPECT_EQ(*params, expected);
  EXPECT_EQ((*parse_query("a=b+c%2B", Plus::kSpace))[0].value, "b c+");
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(ParseQuery, RefusesBadEscapesAndTooMany) {
  for (const char* raw : {"a=%", "a=%2", "a=%zz", "%=1", "a=%%20"}) {
    const auto params = parse_query(raw);
    ASSERT_FALSE(params.ok()) << raw;
    EXPECT_EQ(params.error().code, Code::kInvalid) << raw;
  }
  std::string many;
  for (std::size_t i = 0; i < kQueryParamsMax; ++i) many += "a=1&";
  EXPECT_TRUE(parse_query(many).ok());
  EXPECT_EQ(parse_query(many + "b").error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace tombolo::http
