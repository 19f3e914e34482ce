// The parsers and renderers, one by one.
#include <gtest/gtest.h>

#include "base/crc64.h"
#include "base/encoding.h"
#include "base/random.h"
#include "protocol/azure_blob/address.h"
#include "protocol/azure_blob/block_list_xml.h"
#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/marker.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_headers.h"
#include "protocol/azure_blob/query.h"
#include "protocol/azure_blob/range.h"
#include "protocol/azure_blob/refusal_test.h"
#include "protocol/azure_blob/router.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

http::Headers headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  http::Headers out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

struct AddressCase {
  std::string_view host, path;
  LoneSegment lone;
  std::string expected;  // "account|container|blob|endpoint", or the code
};

TEST(Address, IsReadInBothStyles) {
  constexpr auto kRoot = LoneSegment::kBlobInRoot, kContainer = LoneSegment::kContainer;
  const std::string a1024(1'024, 'a'), e_acute_1025 = [] {
    std::string out;
    for (int i = 0; i < 1'025; ++i) out += "\xC3\xA9";
    return out;
  }();
  const AddressCase cases[] = {
      {"127.0.0.1:10000", "/acc/box/a/b", kRoot, "acc|box|a/b|http://127.0.0.1:10000/acc/"},
      {"localhost:10000", "/acc/box/b", kRoot, "acc|box|b|http://localhost:10000/acc/"},
      {"[::1]:10000", "/acc", kRoot, "acc|||http://[::1]:10000/acc/"},
      {"tombolo", "/acc/", kRoot, "acc|||http://tombolo/acc/"},
      {"acc.blob.core.windows.net", "/box/b", kRoot, "acc|box|b|http://acc.blob.core.windows.net/"},
      {"ACC.Blob.localhost:443", "/", kRoot, "acc|||http://ACC.Blob.localhost:443/"},
      {"acc.blob", "/acc/box/b", kRoot, "acc|box|b|http://acc.blob/acc/"},
      {"h", "/acc/box", kContainer, "acc|box||http://h/acc/"},
      {"h", "/acc/box/", kRoot, "acc|box||http://h/acc/"},
      {"h", "/acc/name", kRoot, "acc|$root|name|http://h/acc/"},
      {"h", "/acc/$root", kContainer, "acc|$root||http://h/acc/"},
      {"h", "/acc/$root/x", kRoot, "acc|$root|x|http://h/acc/"},
      {"h", "/acc/box/a%2Fb", kRoot, "acc|box|a/b|http://h/acc/"},
      {"h", "/acc/box/a%252Fb", kRoot, "acc|box|a%2Fb|http://h/acc/"},
      {"h", "/acc/box/../x/./y//z", kRoot, "acc|box|../x/./y//z|http://h/acc/"},
      {"h", "/acc/box/%2e%2e%2fx%5c+y", kRoot, "acc|box|../x\\+y|http://h/acc/"},
      {"h", "/acc/box/dir/", kRoot, "acc|box|dir/|http://h/acc/"},
      {"h", "/acc/box/%00", kRoot, "InvalidUri"},
      {"h", "/acc/box/%ff", kRoot, "InvalidUri"},
      {"h", "/acc/box/%C0%AF", kRoot, "InvalidUri"},
      {"h", "/acc/box/%4", kRoot, "InvalidUri"},
      {"h", "/acc/box/%zz", kRoot, "InvalidUri"},
      {"h", "/", kRoot, "InvalidUri"},
      {"h", "/UPPER/box", kRoot, "InvalidUri"},
      {"h", "/acc/Box/x", kRoot, "InvalidResourceName"},
      {"h", "/acc/a--b/x", kRoot, "InvalidResourceName"},
      {"h", "/acc/-ab/x", kRoot, "InvalidResourceName"},
      {"h", "/acc/ab-/x", kRoot, "InvalidResourceName"},
      {"h", "/acc/ab/x", kRoot, "OutOfRangeInput"},
      {"h", "/acc//x", kRoot, "OutOfRangeInput"},
      {"acc.dfs.core.windows.net", "/box/b", kRoot, "EndpointUnsupportedAccountFeatures"},
      {"acc.queue.core.windows.net", "/q", kRoot, "EndpointUnsupportedAccountFeatures"},
  };
  for (const AddressCase& row : cases) {
    const auto address = parse_address({row.host, row.path, row.lone});
    const std::string got =
        address.ok() ? address->account + "|" + address->container + "|" + address->blob + "|" + address->endpoint
                     : std::string(address.error().detail);
    EXPECT_EQ(got, row.expected) << row.host << row.path;
  }
  const std::string at_limit = "/acc/box/" + a1024, over = at_limit + "a", over_in_bytes = "/acc/box/" + e_acute_1025;
  EXPECT_EQ(code(parse_address({"h", at_limit, kRoot})), "ok");
  EXPECT_EQ(code(parse_address({"h", over, kRoot})), "OutOfRangeInput");
  EXPECT_EQ(code(parse_address({"h", percent_encode(over_in_bytes, "/"), kRoot})), "OutOfRangeInput");
}

TEST(ContainerName, FollowsAzuresRules) {
  EXPECT_EQ(code(check_container_name("a1b")), "ok");
  EXPECT_EQ(code(check_container_name(std::string(63, 'a'))), "ok");
  EXPECT_EQ(code(check_container_name(std::string(64, 'a'))), "OutOfRangeInput");
  for (const std::string_view special : {"$root", "$logs", "$web"})
    EXPECT_EQ(code(check_container_name(special)), "ok");
  EXPECT_EQ(code(check_container_name("$other")), "InvalidResourceName");
  EXPECT_EQ(code(check_container_name("a_b_c")), "InvalidResourceName");
}

TEST(Query, RefusesWhatIsAmbiguous) {
  EXPECT_EQ(code(Query::parse("a=1&b=%2B+x&comp=list")), "ok");
  EXPECT_EQ(Query::parse("prefix=a+b%2B")->value("PREFIX"), "a b+");
  for (const std::string_view bad : {"a=1&a=2", "comp=list&COMP=block", "a=%", "a=%ff", "a=%00"}) {
    EXPECT_EQ(code(Query::parse(bad)), "InvalidQueryParameterValue") << bad;
  }
}

std::string range_of(std::string_view name, std::string_view value) {
  const auto range = parse_range(headers({{name, value}}));
  if (!range.ok()) return std::string(range.error().detail);
  if (!*range) return "none";
  return std::to_string((*range)->offset) + "+" +
         ((*range)->length ? std::to_string(*(*range)->length) : std::string("rest"));
}

TEST(Range, IsReadAsAzureReadsIt) {
  EXPECT_EQ(range_of("Range", "bytes=0-0"), "0+1");
  EXPECT_EQ(range_of("Range", "bytes=5-"), "5+rest");
  EXPECT_EQ(range_of("Range", "BYTES=5-9"), "5+5");
  EXPECT_EQ(range_of("Range", "bytes=0-18446744073709551615"), "0+rest");
  for (const std::string_view ignored : {"bytes=0-1,4-5", "bytes=-5", "bytes=5-4", "items=0-1", "bytes=a-b",
                                         "bytes=", "bytes=0--1", "bytes=0-18446744073709551616", "bytes=+1-2"}) {
    EXPECT_EQ(range_of("Range", ignored), "none") << ignored;
    EXPECT_EQ(range_of("x-ms-range", ignored), "none") << ignored;
  }
  EXPECT_EQ(code(parse_range(headers({{"x-ms-range", "bytes=0-1"}, {"x-ms-range", "bytes=0-1"}}))),
            "InvalidHeaderValue");
  const auto both = parse_range(headers({{"Range", "bytes=0-9"}, {"x-ms-range", "bytes=3-4"}}));
  EXPECT_EQ((*both)->offset, 3U);
}

TEST(Etag, ComesBackInEitherForm) {
  const Stamp stamp{0x0006441F8A3B2C10};
  EXPECT_EQ(etag_header(stamp), "\"0x0006441F8A3B2C10\"");
  for (const std::string_view form : {"\"0x0006441F8A3B2C10\"", "0x0006441F8A3B2C10", "0x0006441f8a3b2c10"}) {
    EXPECT_EQ(parse_etag(form), stamp) << form;
  }
  for (const std::string_view foreign : {"", "0x8D4BCC2E4835CD0", "\"abc\"", "0x0006441F8A3B2C1G", "W/\"0x0\""}) {
    EXPECT_EQ(parse_etag(foreign), std::nullopt) << foreign;
  }
}

TEST(Conditions, AreReadAndRefused) {
  const auto given = parse_conditions(headers({{"If-Match", "\"0x0000000000000001\", 0x0000000000000002,\"foreign\""},
                                               {"If-None-Match", "*"},
                                               {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->if_match->stamps.size(), 2U);
  EXPECT_TRUE(given->if_none_match->any);
  EXPECT_EQ(given->if_modified_since->micros, 784'111'777'000'000);
  EXPECT_FALSE(given->if_unmodified_since);
  EXPECT_EQ(code(parse_conditions(headers({{"If-Modified-Since", "yesterday"}}))), "InvalidHeaderValue");
  EXPECT_EQ(code(parse_conditions(headers({{"If-Match", "a,,b"}}))), "InvalidHeaderValue");
  EXPECT_EQ(code(parse_conditions(headers({{"If-Match", "a"}, {"if-match", "b"}}))), "InvalidHeaderValue");
}

TEST(Metadata, KeepsCaseAndRefusesWhatAzureRefuses) {
  const auto given = parse_metadata(headers(
      {{"X-Ms-Meta-Hdi_IsFolder", "true"}, {"x-ms-meta-b", "1"}, {"x-ms-meta-B", "2"}, {"x-ms-metaphor", "no"}}));
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(*given, (meta::Metadata{{"Hdi_IsFolder", "true"}, {"b", "1,2"}}));
  EXPECT_EQ(code(parse_metadata(headers({{"x-ms-meta-", "v"}}))), "EmptyMetadataKey");
  for (const std::string_view name : {"x-ms-meta-a-b", "x-ms-meta-1a", "x-ms-meta-a.b"}) {
    EXPECT_EQ(code(parse_metadata(headers({{name, "v"}}))), "InvalidMetadata") << name;
  }
  for (const std::string_view value : {"a\r\nb", "caf\xC3\xA9", "a\x01"}) {
    EXPECT_EQ(code(parse_metadata(headers({{"x-ms-meta-a", value}}))), "InvalidMetadata") << value;
  }
  const std::string at_limit(kMetadataBytes - 1, 'v'), over(kMetadataBytes, 'v');
  EXPECT_EQ(code(parse_metadata(headers({{"x-ms-meta-a", at_limit}}))), "ok");
  EXPECT_EQ(code(parse_metadata(headers({{"x-ms-meta-a", over}}))), "MetadataTooLarge");
}

TEST(Digests, AreReadAndRefused) {
  const auto crc = parse_expected_digests(headers({{"x-ms-content-crc64", "YeJLfssylmU="}}));  // of "Hello World"
  ASSERT_TRUE(crc.ok());
  // What Azure answered to a Put Blob of these bytes (a recording of Microsoft's JavaScript SDK, 2022-07-28).
  EXPECT_EQ(*crc->crc64, crc64(as_bytes("Hello World")));
  EXPECT_EQ(crc64_text(*crc->crc64), "YeJLfssylmU=");
  for (const std::string_view bad : {"", "abc", "AAAA", "YeJLfssylmU="}) {
    EXPECT_EQ(code(parse_expected_digests(headers({{"Content-MD5", bad}}))), "InvalidMd5") << bad;
  }
  EXPECT_EQ(code(parse_expected_digests(headers({{"x-ms-content-crc64", "AAAA"}}))), "InvalidHeaderValue");
  EXPECT_EQ(code(parse_expected_digests(
                headers({{"Content-MD5", "sQqNsWTgdUEFt6mb5y4/5Q=="}, {"x-ms-content-crc64", "YeJLfssylmU="}}))),
            "BothCrc64AndMd5HeaderPresent");
}

TEST(ObjectHeaders, FallBackOnlyWhereTheBodyIsTheBlob) {
  const auto given =
      headers({{"Content-Type", "text/plain"}, {"Content-Language", "en"}, {"x-ms-blob-content-language", "de"}});
  EXPECT_EQ(parse_object_headers(given, PlainHeaders::kFallBack)->content_type, "text/plain");
  EXPECT_EQ(parse_object_headers(given, PlainHeaders::kFallBack)->content_language, "de");
  EXPECT_EQ(parse_object_headers(given, PlainHeaders::kIgnore)->content_type, "");
  EXPECT_EQ(parse_new_object_headers(given, PlainHeaders::kIgnore)->content_type, "application/octet-stream");
  EXPECT_EQ(code(parse_object_headers(headers({{"x-ms-blob-content-type", "\xFF"}}), PlainHeaders::kIgnore)),
            "InvalidHeaderValue");
}

TEST(Marker, ComesBackAndRefusesForeignOnes) {
  for (const std::string& name : {std::string("a"), std::string("dir/\xFF"), std::string("\xF0\x9F\x8F\x9D a+b/c=")}) {
    const std::string marker = make_marker(name);
    EXPECT_EQ(marker.find_first_of("+/= &%"), std::string::npos);
    EXPECT_EQ(*parse_marker(marker), name);
    std::string edited = marker;
    edited[5] = edited[5] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code(parse_marker(edited)), "InvalidQueryParameterValue");
  }
  for (const std::string_view foreign : {"x", "AAAA", "2!108!MDAwMDI1", "\xFF"}) {
    EXPECT_EQ(code(parse_marker(foreign)), "InvalidQueryParameterValue") << foreign;
  }
}

TEST(Xml, EscapesAndEncodes) {
  XmlWriter xml;
  xml.name("Name", "a<b>&\"c\" \xC3\xA9\r\n");
  xml.name("Name", "bell\x07+ \xEF\xBF\xBE/x");
  EXPECT_EQ(std::move(xml).finish(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Name>a&lt;b&gt;&amp;&quot;c&quot; \xC3\xA9&#xD;\n</Name>"
            "<Name Encoded=\"true\">bell%07%2B%20%EF%BF%BE/x</Name>");
}

// A smoke run of every parser that reads a stranger's bytes: mutations of good input are parsed or refused with a code
// of the table, and what is parsed keeps its promises.
TEST(Parsers, StandMutatedInput) {
  const std::string lists =
      "<?xml version=\"1.0\"?><BlockList><!-- c --><Latest>YQ==</Latest><Committed>Yg==</Committed>"
      "<![CDATA[x]]><!DOCTYPE a [<!ENTITY b 'c'>]></BlockList>";
  const std::string paths = "/acc/box/a%2Fb%00%ff/../c?d#e+\\\xC3\xA9";
  const std::string queries = "restype=container&comp=list&prefix=%2B+a&marker=AQ--&include=metadata,tags&maxresults=5";
  constexpr std::string_view kSpice = "<>/&;!?-[]='\"%+0Aa=\xFF\xC3\x01 \r\n";
  SeededRandom random(20'261'121);
  const auto mutate = [&](std::string text) {
    for (std::uint64_t n = random.below(6); n > 0; --n) {
      const std::size_t at = random.below(text.size());
      switch (random.below(3)) {
        case 0:
          text[at] = kSpice[random.below(kSpice.size())];
          break;
        case 1:
          text.erase(at, 1 + random.below(3));
          break;
        default:
          text.insert(at, 1, kSpice[random.below(kSpice.size())]);
      }
      if (text.empty()) text = "x";
    }
    return text;
  };
  for (int n = 0; n < 20'000; ++n) {
    const std::string list = mutate(lists), path = mutate(paths), raw = mutate(queries);
    const auto blocks = parse_block_list(list);
    if (!blocks.ok()) {
      EXPECT_EQ(to_wire(blocks.error(), Level::kBlob, Access::kWrite).status, 400) << list;
    }
    const auto address = parse_address({"h", path, LoneSegment::kBlobInRoot});
    if (address.ok()) {
      EXPECT_TRUE(is_utf8(address->blob) && address->blob.find('\0') == std::string::npos) << path;
    }
    const auto query = Query::parse(raw);
    if (query.ok()) {
      const auto marker = parse_marker(query->value("marker"));
      EXPECT_FALSE(marker.ok()) << raw;
    }
    const auto ranges = parse_range(headers({{"Range", mutate("bytes=10-20")}, {"If-Match", mutate("\"0x1\"")}}));
    if (ranges.ok() && *ranges) {
      EXPECT_GT((*ranges)->length.value_or(1), 0U);
    }
  }
}

TEST(Router, EveryOperationIsReachedByItsOwnRow) {
  for (const Operation& row : operations()) {
    const auto query = Query::parse("restype=" + std::string(row.restype) + "&comp=" + std::string(row.comp));
    const auto found = route(row.level, row.method, *query);
    ASSERT_TRUE(found.ok()) << row.name;
    EXPECT_EQ(*found, &row) << row.name;
  }
}

TEST(Errors, OfLowerFloorsBecomeCodesThatClientsKnow) {
  const struct {
    Error error;
    Level level;
    int status;
    std::string_view code;
  } cases[] = {
      {{Code::kNotFound, ""}, Level::kBlob, 404, "BlobNotFound"},
      {{Code::kNotFound, "", "ContainerNotFound"}, Level::kBlob, 404, "ContainerNotFound"},
      {{Code::kAlreadyExists, ""}, Level::kContainer, 409, "ContainerAlreadyExists"},
      {{Code::kConditionFailed, "", "NotModified"}, Level::kBlob, 304, "ConditionNotMet"},
      {{Code::kConditionFailed, "", "ConditionNotMet"}, Level::kBlob, 412, "ConditionNotMet"},
      {{Code::kConditionFailed, "", "BlobAlreadyExists"}, Level::kBlob, 409, "BlobAlreadyExists"},
      {{Code::kOutOfRange, ""}, Level::kBlob, 416, "InvalidRange"},
      {{Code::kInvalid, "", "Md5Mismatch"}, Level::kBlob, 400, "Md5Mismatch"},
      {{Code::kBusy, "", "UploadSealed"}, Level::kBlob, 503, "ServerBusy"},
      {{Code::kNoSpace, ""}, Level::kBlob, 503, "ServerBusy"},
      {{Code::kUnavailable, ""}, Level::kBlob, 503, "ServerBusy"},
      {{Code::kDeadline, ""}, Level::kBlob, 500, "OperationTimedOut"},
      {{Code::kUnknownOutcome, ""}, Level::kBlob, 500, "OperationTimedOut"},
      {{Code::kChangedOutside, ""}, Level::kBlob, 409, "BlobModifiedWhileReading"},
      {{Code::kCorrupt, ""}, Level::kBlob, 500, "InternalError"},
      {{Code::kUnauthenticated, "", "NoAuthenticationInformation"}, Level::kBlob, 401, "NoAuthenticationInformation"},
      {{Code::kUnauthenticated, "", "InvalidAuthenticationInfo"}, Level::kBlob, 401, "InvalidAuthenticationInfo"},
      {{Code::kInvalid, "", "InvalidAuthenticationInfo"}, Level::kBlob, 400, "InvalidAuthenticationInfo"},
  };
  for (const auto& row : cases) {
    const WireError wire = to_wire(row.error, row.level, Access::kRead);
    EXPECT_EQ(wire.status, row.status) << to_string(row.error);
    EXPECT_EQ(wire.code, row.code) << to_string(row.error);
  }
  const Error unchanged{Code::kConditionFailed, "", "NotModified"};
  EXPECT_EQ(to_wire(unchanged, Level::kBlob, Access::kWrite).status, 412);
  const WireError ours =
      to_wire({Code::kUnavailable, "remote secret-bucket, key k, try 5"}, Level::kBlob, Access::kRead);
  EXPECT_EQ(ours.message.find("secret-bucket"), std::string::npos);
  EXPECT_TRUE(ours.is_ours);
}

}  // namespace
}  // namespace tombolo::azure_blob
