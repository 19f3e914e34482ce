#include <gtest/gtest.h>

#include "base/crc64.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/result.h"
#include "base/times.h"
#include "base/wire.h"

namespace tombolo {
namespace {

TEST(Crc64, GivesTheCheckValue) {
  EXPECT_EQ(crc64(as_bytes("123456789")), 0xAE8B14860A799888ull);
}

TEST(Crc64, FoldingEqualsTablesAtEveryLengthAndAlignment) {
  SeededRandom random(1);
  Bytes bytes(5000);
  random.fill(bytes);
  for (std::size_t length = 0; length < 1500; ++length) {  // tables, from 256 on narrow lanes, from 512 on wide ones
    const BytesView view = BytesView(bytes).subspan(length % 17, length);
    ASSERT_EQ(crc64(view, length * 77), crc64_portable(view, length * 77)) << "length " << length;
  }
}

TEST(Crc64, CombineEqualsTheCrcOfTheWhole) {
  SeededRandom random(2);
  Bytes bytes(70000);
  random.fill(bytes);
  for (const std::size_t cut : {0ul, 1ul, 255ul, 16384ul, 69999ul, 70000ul}) {
    const BytesView a = BytesView(bytes).first(cut), b = BytesView(bytes).subspan(cut);
    EXPECT_EQ(crc64_combine(crc64(a), crc64(b), b.size()), crc64(bytes)) << "cut " << cut;
    EXPECT_EQ(crc64(b, crc64(a)), crc64(bytes));
  }
}

TEST(Encoding, Base64RoundTripsAndRefusesWhatIsNotCanonical) {
  SeededRandom random(3);
  for (std::size_t n = 0; n < 50; ++n) {
    Bytes bytes(n);
    random.fill(bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
  }
  for (const char* bad :
       {"A", "AA", "AAA", "A===", "AB==", "AAB=", "AA=A", "AAA\n", "AA A", "====", "AA==AAAA", "AAA\nAAAA"}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(Encoding, PercentDecodesStrictly) {
  EXPECT_EQ(percent_decode("a%2Fb+c%00"), std::string("a/b+c\0", 6));
  for (const char* bad : {"%", "%2", "%zz", "abc%4"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(percent_encode("a b/ä", "/"), "a%20b/%C3%A4");
}

TEST(Encoding, JudgesUtf8) {
  EXPECT_TRUE(is_utf8("naïve ☃ 🐚"));
  for (const char* bad : {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Encoding, KnowsReferencesToNoCharacter) {
  for (const char* bad : {"&#0;", "a&#000;b", "&#x0;", "&#1114112;", "&#4294967296;", "&#x100000000;", "&#&#0;"}) {
    EXPECT_TRUE(has_bad_reference(bad)) << bad;
  }
  for (const char* good : {"", "&#", "&#;", "&#x;", "&#0", "&#x0", "&#10;", "&#x10FFFF;", "&amp;#0;", "&#-0;", "&0;"}) {
    EXPECT_FALSE(has_bad_reference(good)) << good;
  }
}

TEST(Times, WriteAndReadTheProtocolsDates) {
  const WallTime time{784'111'777'123'456};
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), WallTime{784'111'777'000'000});
  EXPECT_EQ(iso8601_7(time), "1994-11-06T08:49:37.1234560Z");
  EXPECT_EQ(parse_iso8601(iso8601_7(time)), time);
  EXPECT_EQ(parse_iso8601("1994-11-06"), WallTime{784'080'000'000'000});
  EXPECT_EQ(parse_iso8601("1994-11-06T08:49Z"), WallTime{784'111'740'000'000});
  for (const char* bad : {"", "1994", "1994-13-01", "1994-11-06T08:49", "1994-11-06T25:00Z", "1994-11-06T08:49:37.Z"}) {
    EXPECT_FALSE(parse_iso8601(bad)) << bad;
  }
  for (const char* bad :
       {"Xxx, 06 Nov 1994 08:49:37 GMT", "sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
}

TEST(Digest, GivesKnownValues) {
  EXPECT_EQ(hex_encode(md5(as_bytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");
  Md5 streamed;
  streamed.update(as_bytes("a"));
  streamed.update(as_bytes("bc"));
  EXPECT_EQ(streamed.finish(), md5(as_bytes("abc")));
  // RFC 4231 case 2
  EXPECT_EQ(hex_encode(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 4231, case 6: a key longer than a block is hashed first.
  EXPECT_EQ(hex_encode(HmacSha256Key(Bytes(131, std::byte{0xAA}))
                           .sign(as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Wire, RoundTripsAndNeverReadsPastTheEnd) {
  WireWriter writer;
  writer.u8(7);
  writer.u64(1ull << 63);
  writer.text("name");
  const std::string bytes = writer.bytes();
  WireReader reader(bytes);
  EXPECT_EQ(reader.u8(), 7);
  EXPECT_EQ(reader.u64(), 1ull << 63);
  EXPECT_EQ(reader.text(), "name");
  EXPECT_TRUE(reader.finish("test").ok());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    WireReader torn(std::string_view(bytes).substr(0, cut));
    torn.u8();
    torn.u64();
    torn.text();
    EXPECT_EQ(torn.finish("test").error().code, Code::kCorrupt) << "cut " << cut;
  }
  WireReader longer(bytes);
  longer.u8();
  EXPECT_EQ(longer.finish("test").error().code, Code::kCorrupt);
}

Result<int> twice(Result<int> in) {
  TRY_ASSIGN(const int value, std::move(in));
  return value * 2;
}

TEST(Result, PassesErrorsUp) {
  EXPECT_EQ(*twice(21), 42);
  EXPECT_EQ(twice(Error{Code::kBusy, "later"}).error().code, Code::kBusy);
}

}  // namespace
}  // namespace tombolo
