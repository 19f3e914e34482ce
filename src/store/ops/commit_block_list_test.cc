// Blocks: staged, listed, committed, mixed, refused.
#include "meta/ops/walk_rows.h"
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::part;
using testing::Rig;

BlockChoice latest(std::string id) {
  return {BlockSource::kLatest, std::move(id)};
}

Bytes joined(std::initializer_list<const Bytes*> parts) {
  Bytes all;
  for (const Bytes* one : parts) all.insert(all.end(), one->begin(), one->end());
  return all;
}

TEST(CommitBlockList, JoinsBlocksOfEveryShapeInTheOrderOfTheList) {
  Rig rig;
  const Bytes tiny = rig.noise(10), odd = rig.noise(20'001), large = rig.noise(8 * kMiB + 7);
  ASSERT_TRUE(rig.stage("a", "b3", large).ok());
  ASSERT_TRUE(rig.stage("a", "b1", tiny).ok());
  ASSERT_TRUE(rig.stage("a", "b2", odd).ok());
  EXPECT_EQ(rig.head("a").error().detail, "BlobNotFound");
  EXPECT_TRUE(rig.names().empty());
  EXPECT_EQ(rig.names(Include::kUncommitted), std::vector<std::string>{"a"});

  const auto object = rig.commit("a", {latest("b2"), latest("b1"), latest("b3"), latest("b1")});
  ASSERT_TRUE(object.ok()) << to_string(object.error());
  const Bytes all = joined({&odd, &tiny, &large, &tiny});
  EXPECT_EQ(object->length, all.size());
  EXPECT_EQ(object->crc64, crc64(all));
  EXPECT_FALSE(object->headers.content_md5);
  const auto got = rig.get("a");
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, all);
  for (const std::uint64_t at : {0ull, 20'000ull, 20'001ull, 20'010ull, 20'011ull, 8'400'000ull}) {
    const auto range = rig.get("a", ByteRange{at, 30'000});
    ASSERT_TRUE(range.ok()) << to_string(range.error());
    EXPECT_EQ(*range, part(all, at, 30'000)) << "at " << at;
  }
  const auto list = rig.run(rig.store.get_block_list(Rig::object("a")));
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->committed.size(), 4u);
  EXPECT_EQ(list->committed[0].block_id, "b2");
  EXPECT_EQ(list->committed[2].length, large.size());
  EXPECT_TRUE(list->uncommitted.empty());
}

TEST(CommitBlockList, TakesCommittedAndUncommittedBlocksAsAsked) {
  Rig rig;
  const Bytes first = rig.noise(30'000), second = rig.noise(40'000), anew = rig.noise(50'000);
  ASSERT_TRUE(rig.stage("a", "x", first).ok());
  ASSERT_TRUE(rig.stage("a", "y", second).ok());
  ASSERT_TRUE(rig.commit("a", {latest("x"), latest("y")}).ok());
  ASSERT_TRUE(rig.stage("a", "x", anew).ok());
  const auto list = rig.run(rig.store.get_block_list(Rig::object("a")));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->committed.size(), 2u);
  ASSERT_EQ(list->uncommitted.size(), 1u);
  EXPECT_EQ(list->uncommitted[0].length, anew.size());
  const auto mixed = rig.commit("a", {{BlockSource::kCommitted, "x"},
                                      {BlockSource::kUncommitted, "x"},
                                      {BlockSource::kLatest, "x"},
                                      {BlockSource::kLatest, "y"}});
  ASSERT_TRUE(mixed.ok()) << to_string(mixed.error());
  EXPECT_EQ(rig.got("a"), joined({&first, &anew, &anew, &second}));
}

TEST(CommitBlockList, RecommittingTheSameListMovesTheEtag) {
  Rig rig;
  const Bytes bytes = rig.noise(5'000);
  ASSERT_TRUE(rig.stage("a", "x", bytes).ok());
  const auto one = rig.commit("a", {latest("x")});
  const auto two = rig.commit("a", {latest("x")});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->etag_stamp, two->etag_stamp);
  EXPECT_EQ(rig.got("a"), bytes);
}

TEST(CommitBlockList, AnEmptyListMakesAnEmptyObject) {
  Rig rig;
  const auto object = rig.commit("a", {});
  ASSERT_TRUE(object.ok()) << to_string(object.error());
  EXPECT_EQ(object->length, 0u);
  EXPECT_TRUE(rig.got("a").empty());
}

TEST(CommitBlockList, ARefusedListLeavesEverythingAsItWas) {
  Rig rig;
  const Bytes old = rig.noise(100), block = rig.noise(9'000);
  ASSERT_TRUE(rig.put("a", old).ok());
  ASSERT_TRUE(rig.stage("a", "x", block).ok());
  const auto unknown = rig.commit("a", {latest("x"), latest("z")});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().detail, "InvalidBlockList");
  EXPECT_EQ(rig.got("a"), old);
  CommitBlockList conditional;
  conditional.blocks = {latest("x")};
  conditional.conditions.if_none_match = meta::EtagMatch{.any = true, .stamps = {}};
  const auto refused = rig.run(rig.store.commit_block_list(Rig::object("a"), conditional));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().detail, "BlobAlreadyExists");
  EXPECT_EQ(rig.got("a"), old);
  const auto gens = rig.run(meta::walk_gens(rig.services.cell, testing::kTenant, {}));
  ASSERT_TRUE(gens.ok());
  for (const meta::Gen& gen : gens->rows) {
    EXPECT_NE(gen.state, meta::GenState::kStaging) << "it would hold the blocks until its process is gone";
  }
  const auto object = rig.commit("a", {latest("x")});  // the seal was given back, the block is still there
  ASSERT_TRUE(object.ok()) << to_string(object.error());
  EXPECT_EQ(rig.got("a"), block);
}

TEST(StageBlock, RefusesIdsOfAnotherLengthAndBadDigests) {
  Rig rig;
  const Bytes bytes = rig.noise(70'000);
  ASSERT_TRUE(rig.stage("a", "xx", bytes).ok());
  EXPECT_EQ(rig.stage("a", "yyy", bytes).error().detail, "InvalidBlobOrBlock");
  ExpectedDigests wrong;
  wrong.crc64 = crc64(bytes) + 1;
  EXPECT_EQ(rig.stage("a", "zz", bytes, wrong).error().detail, "Crc64Mismatch");
  ExpectedDigests also_wrong;
  also_wrong.md5 = md5(as_bytes("no"));
  EXPECT_EQ(rig.stage("a", "zz", bytes, also_wrong).error().detail, "Md5Mismatch");
  const auto list = rig.run(rig.store.get_block_list(Rig::object("a")));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->uncommitted.size(), 1u);
}

TEST(StageBlock, ComputesMd5OnlyWhenOneWasSent) {
  Rig rig;
  const Bytes bytes = rig.noise(70'000);
  ExpectedDigests sent;
  sent.md5 = md5(bytes);
  const auto with = rig.stage("a", "x", bytes, sent);
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(with->md5, md5(bytes));
  EXPECT_EQ(with->crc64, crc64(bytes));
  const auto without = rig.stage("a", "y", bytes);
  ASSERT_TRUE(without.ok());
  EXPECT_FALSE(without->md5);
}

TEST(StageBlock, PutAndDeleteDropWhatWasStaged) {
  Rig rig;
  ASSERT_TRUE(rig.stage("a", "x", rig.noise(70'000)).ok());
  ASSERT_TRUE(rig.put("a", rig.noise(10)).ok());
  EXPECT_EQ(rig.commit("a", {latest("x")}).error().detail, "InvalidBlockList");
  ASSERT_TRUE(rig.stage("b", "x", rig.noise(70'000)).ok());
  ASSERT_TRUE(rig.run(rig.store.delete_object(Rig::object("b"), {})).ok());
  EXPECT_EQ(rig.run(rig.store.get_block_list(Rig::object("b"))).error().detail, "BlobNotFound");
}

}  // namespace
}  // namespace tombolo::store
