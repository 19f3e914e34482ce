#include "meta/ops/uploads.h"

#include "kv/run.h"
#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/usage.h"

namespace tombolo::meta {
namespace {

class Uploads : public CellTest {
 protected:
  using Choices = std::vector<BlockChoice>;
  static constexpr auto kC = BlockSource::kCommitted;
  static constexpr auto kU = BlockSource::kUncommitted;
  static constexpr auto kL = BlockSource::kLatest;

  /// What store does for a commit.
  Task<Object> commit(std::string name, Choices choices, Conditions conditions = {}) {
    CO_TRY_ASSIGN(UploadSeal seal, seal_upload(cell, container, name));
    auto done = co_await behind_seal(seal, std::move(choices), std::move(conditions));
    if (!done.ok()) {
      CO_TRY(unseal_upload(cell, seal));
    }
    co_return done;
  }
  Task<Object> behind_seal(UploadSeal seal, Choices choices, Conditions conditions) {
    CO_TRY_ASSIGN(auto blocks, resolve_blocks(cell, seal, std::move(choices)));
    PublishObject request;
    request.container = container;
    request.name = seal.name;
    request.conditions = std::move(conditions);
    request.seal = seal;
    CO_TRY_ASSIGN(request.gen.gen.id, ids.next_id<GenId>());
    request.gen.gen.length = blocks.length;
    request.gen.gen.crc64 = blocks.crc64;
    request.gen.gen.shape = blocks.slices.empty() ? GenShape::kInline : GenShape::kSlices;
    if (!blocks.slices.empty()) {
      request.gen.origin = GenOrigin::kStaged;
      CO_TRY(write_slices(cell, kTenant, request.gen.gen.id, std::move(blocks)));
    }
    co_return co_await publish_object(cell, std::move(request));
  }
  /// The object's bytes, as a reader of inline pieces puts them together.
  std::string read(const std::string& name) {
    const Object object = must(get_object(cell, container, name));
    std::string out;
    while (out.size() < object.length) {
      const ReadRange range{.offset = out.size(), .length = object.length - out.size(), .pieces_max = 3};
      const auto plan = must(plan_read(cell, kTenant, object.gen, range));
      for (const ReadPiece& piece : plan->pieces) {
        EXPECT_EQ(piece.offset, out.size());
        out += piece.inline_bytes.substr(piece.skip, piece.length);
      }
    }
    EXPECT_EQ(object.crc64, crc64(as_bytes(out)));
    return out;
  }
  static Task<void> add_blocks(kv::Transaction& txn, ContainerKey key, UploadId upload, std::int64_t count) {
    CO_TRY(txn.guard_shared(keys::container(key)));
    txn.add(keys::staged_block_count(key, upload), count);
    co_return Result<void>{};
  }
  static std::string id_of(std::uint32_t number) {
    std::string out = std::to_string(number);
    return std::string(5 - out.size(), '0') + out;
  }
  /// 5,000 staged blocks that are all `source`.
  static Task<void> inject(kv::Transaction& txn, ContainerKey key, UploadId upload, Gen source, std::uint32_t begin) {
    CO_TRY(txn.guard_shared(keys::container(key)));
    txn.put(keys::gen(key.tenant, source.id), encode(source));
    for (const std::uint64_t offset : {std::uint64_t{0}, kBlockBytesMax - kRunBytesMax}) {
      meta::Run run;
      run.length = kRunBytesMax;
      run.granule_crcs.resize(kRunBytesMax / kGranuleBytes);
      txn.put(keys::run(key.tenant, source.id, offset), encode(run));
    }
    StagedBlockRow block;
    block.gen = source.id;
    block.length = source.length;
    for (std::uint32_t i = begin; i < begin + 5'000; ++i) {
      txn.put(keys::staged_block(key, upload, id_of(i)), encode(block));
    }
    co_return Result<void>{};
  }
  std::string blocks_of(const std::string& name) {
    const BlockListing listing = must(list_blocks(cell, container, name));
    std::string out;
    for (const BlockInfo& block : listing.committed) out += block.block_id + std::to_string(block.length) + " ";
    out += "|";
    for (const BlockInfo& block : listing.uncommitted) out += " " + block.block_id + std::to_string(block.length);
    return out;
  }
};
TOMBOLO_CELL_TESTS(Uploads);

TEST_P(Uploads, CommittedListBecomesTheObject) {
  must(stage("a", "2", "world"));
  must(stage("a", "1", "hello "));
  must(stage("a", "3", "unused"));
  EXPECT_EQ(blocks_of("a"), "| 16 25 36");
  EXPECT_EQ(detail_of(get_object(cell, container, "a")), "BlobNotFound");
  const Object object = must(commit("a", {{kU, "1"}, {kL, "2"}}));
  EXPECT_EQ(object.length, 11u);
  EXPECT_EQ(read("a"), "hello world");
  EXPECT_EQ(blocks_of("a"), "16 25 |");
  collect();
  EXPECT_EQ(read("a"), "hello world");
  EXPECT_EQ(rows_of(kv::table_prefix(kv::Table::kGens, kTenant, {})).size(), 3u);  // object and two blocks
  must(delete_object(cell, container, "a", {}));
  collect();
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kGens, kTenant, {})).empty());
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kEdges, kTenant, {})).empty());
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kSlices, kTenant, {})).empty());
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kUploadBlocks, kTenant, container.id)).empty());
}

TEST_P(Uploads, CommittedUncommittedAndLatestMix) {
  must(stage("a", "1", "one"));
  must(stage("a", "2", "two"));
  must(commit("a", {{kU, "1"}, {kU, "2"}}));
  must(stage("a", "2", "TWO"));
  must(stage("a", "3", "three"));
  EXPECT_EQ(blocks_of("a"), "13 23 | 23 35");
  must(commit("a", {{kC, "2"}, {kU, "2"}, {kL, "2"}, {kL, "1"}, {kL, "3"}}));
  EXPECT_EQ(read("a"), "twoTWOTWOonethree");
  collect();
  EXPECT_EQ(read("a"), "twoTWOTWOonethree");
  EXPECT_EQ(detail_of(commit("a", {{kU, "1"}})), "InvalidBlockList");
  EXPECT_EQ(detail_of(commit("a", {{kC, "9"}})), "InvalidBlockList");
  EXPECT_EQ(detail_of(commit("a", {{kL, "9"}})), "InvalidBlockList");
  EXPECT_EQ(read("a"), "twoTWOTWOonethree");
}

TEST_P(Uploads, TheSameBlockTwiceIsTwoSlicesAndOneEdge) {
  const NewGen block = inline_gen("ab");
  must(stage("a", "1", block));
  const Object object = must(commit("a", {{kU, "1"}, {kU, "1"}, {kL, "1"}}));
  EXPECT_EQ(read("a"), "ababab");
  EXPECT_EQ(blocks_of("a"), "12 12 12 |");
  EXPECT_EQ(must(list_slices(cell, kTenant, object.gen, 0, 10)).size(), 3u);
  collect();
  EXPECT_EQ(must(list_edges(cell, kTenant, block.gen.id, 10)), std::vector{HolderId{object.gen.value}});
}

TEST_P(Uploads, ASliceOfASliceIsFlattened) {
  const NewGen block = inline_gen("ab");
  must(stage("a", "1", block));
  must(commit("a", {{kU, "1"}}));
  must(stage("a", "2", "cd"));
  const Object object = must(commit("a", {{kC, "1"}, {kU, "2"}}));
  EXPECT_EQ(must(list_slices(cell, kTenant, object.gen, 0, 10))[0].source, block.gen.id);
  collect();
  EXPECT_EQ(read("a"), "abcd");
}

TEST_P(Uploads, RestagingReplacesAndFreesTheOldBlock) {
  const NewGen first = runs_gen(1, 100);
  must(stage("a", "1", first));
  must(stage("a", "1", "new"));
  EXPECT_EQ(blocks_of("a"), "| 13");
  collect();
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_FALSE(must(get_gen(cell, kTenant, first.gen.id)).has_value());
  must(commit("a", {{kU, "1"}}));
  EXPECT_EQ(read("a"), "new");
}

TEST_P(Uploads, IdsOfOneObjectHaveOneLength) {
  must(stage("a", "1", "x"));
  EXPECT_EQ(detail_of(stage("a", "11", "x")), "InvalidBlobOrBlock");
  must(stage("b", "11", "x"));
  EXPECT_EQ(detail_of(stage("a", "", "x")), "InvalidBlockId");
  EXPECT_EQ(detail_of(stage("a", std::string(65, 'x'), "x")), "InvalidBlockId");
}

TEST_P(Uploads, WhileSealedOthersAreBusyAndWhatComesLaterSurvives) {
  must(stage("a", "1", "one"));
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  EXPECT_EQ(detail_of(stage("a", "2", "two")), "UploadSealed");
  EXPECT_EQ(detail_of(put("a")), "UploadSealed");
  EXPECT_EQ(detail_of(delete_object(cell, container, "a", {})), "UploadSealed");
  EXPECT_EQ(detail_of(seal_upload(cell, container, "a")), "UploadSealed");
  EXPECT_EQ(detail_of(expire_upload(cell, container, "a", seal.upload, must(stamper.next()))), "UploadSealed");
  EXPECT_EQ(blocks_of("a"), "| 13");  // reads go on
  must(behind_seal(seal, {{kU, "1"}}, {}));
  must(stage("a", "2", "two"));
  collect();  // the purge of the old upload leaves the new one alone
  EXPECT_EQ(blocks_of("a"), "13 | 23");
  must(commit("a", {{kC, "1"}, {kU, "2"}}));
  EXPECT_EQ(read("a"), "onetwo");
}

TEST_P(Uploads, CommitsOfANameWithoutStagedBlocksTakeTurnsToo) {
  must(stage("a", "1", "one"));
  must(commit("a", {{kU, "1"}}));
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  EXPECT_EQ(detail_of(seal_upload(cell, container, "a")), "UploadSealed");
  EXPECT_EQ(detail_of(stage("a", "2", "two")), "UploadSealed");
  must(behind_seal(seal, {{kC, "1"}, {kC, "1"}}, {}));
  EXPECT_EQ(read("a"), "oneone");
  must(commit("a", {}));
  EXPECT_EQ(must(get_object(cell, container, "a")).length, 0u);
  EXPECT_EQ(blocks_of("a"), "|");
  EXPECT_TRUE(must(list_uploads(cell, container, "", 10)).empty());
}

TEST_P(Uploads, AFailedCommitGivesTheUploadBack) {
  must(stage("a", "1", "one"));
  const Conditions must_exist{.if_match = EtagMatch{.any = true}};
  EXPECT_EQ(detail_of(commit("a", {{kU, "1"}}, must_exist)), "ConditionNotMet");
  EXPECT_EQ(blocks_of("a"), "| 13");
  must(stage("a", "2", "two"));
  must(commit("a", {{kU, "1"}, {kU, "2"}}));
  collect();
  EXPECT_EQ(read("a"), "onetwo");
  EXPECT_EQ(detail_of(commit("b", {{kU, "1"}})), "InvalidBlockList");
  EXPECT_EQ(detail_of(list_blocks(cell, container, "b")), "BlobNotFound");
}

TEST_P(Uploads, ASealOfADeadProcessIsVoidAndItsCommitCannotFlip) {
  must(stage("a", "1", "one"));
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  ASSERT_TRUE(wait(ids.recover()).ok());  // a restart
  must(stage("a", "2", "two"));
  EXPECT_EQ(detail_of(behind_seal(seal, {{kU, "1"}}, {})), "SealLost");
  must(commit("a", {{kU, "1"}, {kU, "2"}}));
  EXPECT_EQ(read("a"), "onetwo");
}

TEST_P(Uploads, ASealThatItsCommitCouldNotTakeBackIsVoid) {
  must(stage("a", "1", "one"));
  for (const bool is_delete : {false, true}) {
    {
      const UploadSeal seal = must(seal_upload(cell, container, "a"));
      EXPECT_EQ(detail_of(stage("a", "2", "two")), "UploadSealed");
    }
    if (is_delete) {
      must(delete_object(cell, container, "a", {}));
    } else {
      must(stage("a", "2", "two"));
      must(commit("a", {{kU, "1"}, {kU, "2"}}));
      EXPECT_EQ(read("a"), "onetwo");
    }
  }
  EXPECT_EQ(detail_of(get_object(cell, container, "a")), "BlobNotFound");
}

TEST_P(Uploads, ASealThatIsTooOldIsVoid) {
  must(stage("a", "1", "one"));
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  clock.advance(kSealAgeMax);
  must(put("a", "put"));
  EXPECT_EQ(detail_of(resolve_blocks(cell, seal, {})), "SealLost");
  must(unseal_upload(cell, seal));  // no error, no effect
  EXPECT_EQ(read("a"), "put");
}

/// Stamps stay behind a clock that is not believed.
TEST_P(Uploads, AClockThatLeapsAheadVoidsNoSeal) {
  must(put("a", "put"));
  clock.set_wall({clock.wall().micros + 2 * kLeapMicrosMax});
  must(stage("a", "1", "one"));
  must(commit("a", {{kU, "1"}}));
  EXPECT_EQ(read("a"), "one");
}

TEST_P(Uploads, PutAndDeleteDropStagedBlocks) {
  must(stage("a", "1", "one"));
  must(put("a", "put"));
  EXPECT_EQ(blocks_of("a"), "|");
  must(stage("a", "1", "one"));
  must(delete_object(cell, container, "a", {}));
  EXPECT_EQ(detail_of(list_blocks(cell, container, "a")), "BlobNotFound");
  must(stage("a", "1", "one"));
  must(delete_object(cell, container, "a", {}));  // only staged blocks
  EXPECT_EQ(detail_of(delete_object(cell, container, "a", {})), "BlobNotFound");
  collect();
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kGens, kTenant, {})).empty());
  EXPECT_TRUE(rows_of(keys::container_rows(container)).size() == 1);
}

TEST_P(Uploads, IdleUploadsExpire) {
  must(stage("a", "1", "one"));
  const auto before = must(list_uploads(cell, container, "", 10));
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].name, "a");
  const Stamp earlier{before[0].head.touched.micros - 1};
  EXPECT_FALSE(must(expire_upload(cell, container, "a", before[0].head.id, earlier)));
  clock.advance(std::chrono::microseconds(kUploadTouchMicros) + std::chrono::seconds(1));
  must(stage("a", "2", "two"));  // notes that it is in use
  EXPECT_FALSE(must(expire_upload(cell, container, "a", before[0].head.id, before[0].head.touched)));
  const Stamp now = must(stamper.next());
  EXPECT_FALSE(must(expire_upload(cell, container, "a", {12345}, now)));
  EXPECT_TRUE(must(expire_upload(cell, container, "a", before[0].head.id, now)));
  EXPECT_EQ(detail_of(list_blocks(cell, container, "a")), "BlobNotFound");
  EXPECT_FALSE(must(expire_upload(cell, container, "a", before[0].head.id, now)));
}

TEST_P(Uploads, TheBlockCountIsBounded) {
  must(stage("a", "1", "one"));
  const UploadId upload = must(list_uploads(cell, container, "", 10))[0].head.id;
  std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) {
    return add_blocks(txn, container, upload, kUncommittedBlocksMax - 2);
  };
  must(kv::run(engine, random, std::move(body)));
  must(stage("a", "2", "two"));
  EXPECT_EQ(detail_of(stage("a", "3", "three")), "BlockCountExceedsLimit");
  must(stage("a", "2", "TWO"));  // a replacement is no more
  Choices choices(kBlocksPerObjectMax + 1, BlockChoice{kU, "1"});
  EXPECT_EQ(detail_of(commit("a", std::move(choices))), "BlockListTooLong");
}

// 50,000 blocks of 4,000 MiB, 190.7 TiB: rows injected, then committed, read at its extremes and deleted.
TEST_P(Uploads, TheLargestObjectThereIs) {
  must(stage("a", "00000", "x"));
  const UploadId upload = must(list_uploads(cell, container, "", 10))[0].head.id;
  NewGen block = runs_gen(1, 1);
  must(stage("other", "1", block));
  // All 50,000 ids share one source gen, whose length and first and last run are put right by hand.
  Gen source = *must(get_gen(cell, kTenant, block.gen.id));
  source.length = kBlockBytesMax;
  for (std::uint32_t begin = 0; begin < kBlocksPerObjectMax; begin += 5'000) {
    std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) {
      return inject(txn, container, upload, source, begin);
    };
    must(kv::run(engine, random, std::move(body)));
  }
  Choices choices;
  for (std::uint32_t i = 0; i < kBlocksPerObjectMax; ++i) choices.push_back({kU, id_of(i)});
  const Object object = must(commit("a", std::move(choices)));
  EXPECT_EQ(object.length, 209'715'200'000'000ull);
  EXPECT_EQ(kObjectBytesMax, 209'715'200'000'000ull);
  const auto listing = must(list_blocks(cell, container, "a"));
  ASSERT_EQ(listing.committed.size(), 50'000u);
  EXPECT_EQ(listing.committed.back().block_id, id_of(49'999));
  EXPECT_EQ(must(read_usage(cell, container)).bytes, object.length);
  const auto end = must(plan_read(cell, kTenant, object.gen, {.offset = object.length - 10, .length = 10}));
  ASSERT_EQ(end->pieces.size(), 1u);
  EXPECT_EQ(end->pieces[0].offset, object.length - 10);
  EXPECT_EQ(end->pieces[0].run->offset, kBlockBytesMax - kRunBytesMax);
  EXPECT_EQ(end->pieces[0].skip, kRunBytesMax - 10);
  const std::uint64_t seam = 25'000 * kBlockBytesMax;
  const auto middle = must(plan_read(cell, kTenant, object.gen, {.offset = seam - 1, .length = 2}));
  ASSERT_EQ(middle->pieces.size(), 2u);
  EXPECT_EQ(middle->pieces[1].offset, seam);
  EXPECT_EQ(middle->pieces[1].run->offset, 0u);
}

}  // namespace
}  // namespace tombolo::meta
