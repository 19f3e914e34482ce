// Put and get over memory: every size where the way of the bytes changes, every promise of a body.
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::part;
using testing::Rig;
using testing::SteppedSource;

class Sizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Sizes, EveryByteAndDigestComesBack) {
  Rig rig;
  const Bytes bytes = rig.noise(GetParam());
  const auto put = rig.put("a", bytes);
  ASSERT_TRUE(put.ok()) << to_string(put.error());
  EXPECT_EQ(put->length, bytes.size());
  EXPECT_EQ(put->crc64, crc64(bytes));
  EXPECT_EQ(put->headers.content_md5, md5(bytes));
  const auto got = rig.get("a");
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, bytes);
}

TEST_P(Sizes, EveryRangeAroundItsBoundariesComesBack) {
  Rig rig;
  const Bytes bytes = rig.noise(GetParam());
  ASSERT_TRUE(rig.put("a", bytes).ok());
  std::vector<std::uint64_t> marks = {0,      1,       4'095,   4'096,        16'383,   16'384,
                                      16'385, 262'143, 262'144, 8 * kMiB - 1, 8 * kMiB, 8 * kMiB + 1};
  if (!bytes.empty()) marks.push_back(bytes.size() - 1);
  for (const std::uint64_t offset : marks) {
    if (offset >= bytes.size()) {
      const auto past = rig.get("a", ByteRange{offset, 1});
      ASSERT_FALSE(past.ok());
      EXPECT_EQ(past.error().code, Code::kOutOfRange);
      continue;
    }
    for (const std::uint64_t length : {1ull, 2ull, 16'384ull, 32'768ull, 300'000ull}) {
      const auto got = rig.get("a", ByteRange{offset, length});
      ASSERT_TRUE(got.ok()) << to_string(got.error());
      ASSERT_EQ(*got, part(bytes, offset, length)) << "offset " << offset << " length " << length;
    }
    const auto rest = rig.get("a", ByteRange{offset, std::nullopt});
    ASSERT_TRUE(rest.ok());
    ASSERT_EQ(*rest, part(bytes, offset, bytes.size())) << "from " << offset;
  }
}

INSTANTIATE_TEST_SUITE_P(AroundEveryBoundary, Sizes,
                         ::testing::Values(0, 1, 4'095, 4'096, 4'097, 16'383, 16'384, 16'385, 262'143, 262'144, 262'145,
                                           8 * kMiB - 1, 8 * kMiB, 8 * kMiB + 1, 16 * kMiB + 5));

TEST(PutObject, LongBodiesStageTheirRowsInBatches) {
  Rig rig({.limits = {.batch_runs = 1}});
  const Bytes bytes = rig.noise(24 * kMiB + 3);
  const auto put = rig.put("long", bytes);
  ASSERT_TRUE(put.ok()) << to_string(put.error());
  EXPECT_EQ(put->crc64, crc64(bytes));
  const auto got = rig.get("long");
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, bytes);
}

TEST(PutObject, KeepsTheMd5ThatTheClientGave) {
  Rig rig;
  PutObject request;
  request.headers.content_md5 = md5(as_bytes("something else"));
  const auto put = rig.put("a", rig.noise(10), request);
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(put->headers.content_md5, md5(as_bytes("something else")));
}

struct BadBody {
  const char* name;
  std::size_t given, announced;
  bool wrong_md5, wrong_crc, breaks;
  const char* detail;
};
void PrintTo(const BadBody& bad, std::ostream* out) {
  *out << bad.name;
}

class BadBodies : public ::testing::TestWithParam<BadBody> {};

TEST_P(BadBodies, StoreNothing) {
  const BadBody& bad = GetParam();
  Rig rig({.limits = {.batch_runs = 1}});
  const Bytes before = rig.noise(10'000);
  ASSERT_TRUE(rig.put("there", before).ok());
  for (const char* name : {"there", "new"}) {
    const Bytes bytes = rig.noise(bad.given);
    std::optional<Error> failure;
    if (bad.breaks) failure = Error{Code::kUnavailable, "the client is gone"};
    SteppedSource body(bytes, 70'001, failure);
    PutObject request;
    request.length = bad.announced;
    request.body = &body;
    request.expected.md5 = bad.wrong_md5 ? md5(as_bytes("no")) : md5(bytes);
    request.expected.crc64 = crc64(bytes) ^ (bad.wrong_crc ? 1 : 0);
    const auto put = rig.run(rig.store.put_object(Rig::object(name), request));
    ASSERT_FALSE(put.ok());
    EXPECT_EQ(put.error().code, bad.breaks ? Code::kUnavailable : Code::kInvalid);
    EXPECT_EQ(put.error().detail, bad.detail);
  }
  EXPECT_EQ(rig.names(), std::vector<std::string>{"there"});
  EXPECT_EQ(rig.got("there"), before);
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, BadBodies,
    ::testing::Values(BadBody{"short", 99, 100, false, false, false, "IncompleteBody"},
                      BadBody{"short long", 99'999, 100'000, false, false, false, "IncompleteBody"},
                      BadBody{"one too many", 101, 100, false, false, false, "BodyTooLong"},
                      BadBody{"some too many", 300'000, 270'000, false, false, false, "BodyTooLong"},
                      BadBody{"unannounced", 5, 0, false, false, false, "BodyTooLong"},
                      BadBody{"md5", 3'000, 3'000, true, false, false, "Md5Mismatch"},
                      BadBody{"md5 long", 300'000, 300'000, true, false, false, "Md5Mismatch"},
                      BadBody{"crc", 3'000, 3'000, false, true, false, "Crc64Mismatch"},
                      BadBody{"crc long", 300'000, 300'000, false, true, false, "Crc64Mismatch"},
                      BadBody{"broken", 100'000, 200'000, false, false, true, ""},
                      BadBody{"md5 of a staged one", 17'000'000, 17'000'000, true, false, false, "Md5Mismatch"}));

TEST(PutObject, ConditionsAreHeldEarlyAndLate) {
  Rig rig;
  ASSERT_TRUE(rig.put("a", rig.noise(100)).ok());
  for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}}) {
    PutObject request;
    request.conditions.if_none_match = meta::EtagMatch{.any = true, .stamps = {}};
    const auto refused = rig.put("a", rig.noise(size), request);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().detail, "BlobAlreadyExists");
    EXPECT_TRUE(rig.put("new" + std::to_string(size), rig.noise(size), request).ok());
    PutObject stale;
    stale.conditions.if_match = meta::EtagMatch{.any = false, .stamps = {{1}}};
    const auto failed = rig.put("a", rig.noise(size), stale);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().detail, "ConditionNotMet");
  }
  EXPECT_EQ(rig.head("a")->length, 100u);
}

TEST(PutObject, NeedsItsContainer) {
  Rig rig;
  const Bytes bytes = rig.noise(9'000);
  SteppedSource body(bytes, 1'000);
  PutObject request;
  request.length = bytes.size();
  request.body = &body;
  const auto put = rig.run(rig.store.put_object({{testing::kTenant, "acc", "elsewhere"}, "a"}, request));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().detail, "ContainerNotFound");
}

Task<void> put_one(Rig& rig, std::string name, const Bytes& bytes, std::size_t step) {
  SteppedSource body(bytes, step);
  PutObject request;
  request.length = bytes.size();
  request.body = &body;
  CO_TRY(rig.store.put_object(Rig::object(std::move(name)), request));
  co_return Result<void>{};
}

TEST(PutObject, OfConcurrentPutsOneWinsWhole) {
  Rig rig;
  std::vector<Bytes> bodies;
  for (std::size_t n = 0; n < 8; ++n) bodies.push_back(rig.noise(n % 2 == 0 ? 3'000 + n : 600'000 + n));
  Scope scope("puts");
  for (std::size_t n = 0; n < bodies.size(); ++n) {
    ASSERT_TRUE(scope.spawn(rig.loop.get_executor(), put_one(rig, "one", bodies[n], 50'000 + 1'000 * n)));
  }
  ASSERT_TRUE(rig.run(scope.join()).ok());
  const auto head = rig.head("one");
  ASSERT_TRUE(head.ok());
  const auto got = rig.get("one");
  ASSERT_TRUE(got.ok());
  EXPECT_NE(std::find(bodies.begin(), bodies.end(), *got), bodies.end());
  EXPECT_EQ(head->headers.content_md5, md5(*got));
  EXPECT_EQ(head->crc64, crc64(*got));
  ASSERT_TRUE(rig.run(scope.close()).ok());
}

TEST(PutObject, AFullDiskRefusesWritesAndServesReadsAndDeletes) {
  Rig rig({.limits = {}, .segment_bytes = 1 * kMiB});
  const Bytes kept = rig.noise(600'000);
  ASSERT_TRUE(rig.put("kept", kept).ok());
  ASSERT_TRUE(rig.put("small", rig.noise(1'000)).ok());
  rig.disk.set_limit(2 * kMiB);
  Result<meta::Object> put = rig.put("more", rig.noise(900'000));
  for (int n = 0; n < 4 && put.ok(); ++n) put = rig.put("more", rig.noise(900'000));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().code, Code::kNoSpace);
  EXPECT_EQ(rig.got("kept"), kept);
  EXPECT_TRUE(rig.run(rig.store.delete_object(Rig::object("small"), {})).ok());
  rig.disk.set_limit(std::nullopt);
  const Bytes healed = rig.noise(900'000);
  put = rig.put("more", healed);
  ASSERT_TRUE(put.ok()) << to_string(put.error());
  EXPECT_EQ(rig.got("more"), healed);
}

}  // namespace
}  // namespace tombolo::store
