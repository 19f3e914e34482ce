#include "meta/ops/tier.h"

#include "meta/ops/cell_test_fixture.h"

namespace tombolo::meta {
namespace {

class Tier : public CellTest {
 protected:
  NativeKey intent(GenId gen, std::string key, std::string nonce) {
    NativeKey out;
    out.remote = "cloud";
    out.key = std::move(key);
    out.gen = gen;
    out.nonce = std::move(nonce);
    return out;
  }
  static NativePlace place(std::string key) { return {.remote = "cloud", .key = std::move(key), .etag = "e1"}; }
  void offload(GenId gen, const std::string& key) {
    must(put_native_intent(cell, kTenant, intent(gen, key, "n" + key)));
    must(set_native(cell, kTenant, *must(get_gen(cell, kTenant, gen)), place(key), "n" + key));
  }
  ClearBatch clear_all(GenId gen, Stamp token) {
    ClearBatch sum;
    ClearCursor cursor;
    while (true) {
      const ClearBatch batch = must(clear_local(cell, kTenant, gen, token, cursor));
      sum.freed_bytes += batch.freed_bytes;
      sum.kept_sources += batch.kept_sources;
      cursor = batch.cursor;
      if (batch.progress == Progress::kDone) return sum;
    }
  }
  std::size_t local_runs(GenId gen) {
    std::size_t count = 0;
    for (const meta::Run& run : must(list_runs(cell, kTenant, gen, 0, 1'000))) count += run.local.has_value();
    return count;
  }
  Gen gen_of(GenId gen) { return *must(get_gen(cell, kTenant, gen)); }
  /// An object of these staged blocks.
  Object commit(std::string name, std::vector<BlockChoice> choices) {
    const UploadSeal seal = must(seal_upload(cell, container, name));
    auto blocks = must(resolve_blocks(cell, seal, std::move(choices)));
    PublishObject request;
    request.container = container;
    request.name = std::move(name);
    request.seal = seal;
    request.gen.origin = GenOrigin::kStaged;
    request.gen.gen.id = must(ids.next_id<GenId>());
    request.gen.gen.shape = GenShape::kSlices;
    request.gen.gen.length = blocks.length;
    must(write_slices(cell, kTenant, request.gen.gen.id, std::move(blocks)));
    return must(publish_object(cell, std::move(request)));
  }
};
TOMBOLO_CELL_TESTS(Tier);

TEST_P(Tier, OffloadEvictRecall) {
  const Object object = must(put("a", runs_gen(300 / 3, 100)));
  const GenId gen = object.gen;
  EXPECT_EQ(detail_of(mark_evicted(cell, kTenant, gen)), "GenMoved");  // no native place
  offload(gen, "k");
  EXPECT_EQ(gen_of(gen).native->etag, "e1");
  EXPECT_EQ(must(get_native_key(cell, kTenant, "cloud", "k"))->state, NativeState::kLive);
  const Stamp token = must(mark_evicted(cell, kTenant, gen));
  const ClearBatch cleared = clear_all(gen, token);
  EXPECT_EQ(cleared.freed_bytes, 10'000u);
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_EQ(local_runs(gen), 0u);
  EXPECT_TRUE(gen_of(gen).evicted);
  EXPECT_EQ(must(get_object(cell, container, "a")).etag_stamp, object.etag_stamp);
  const auto plan = must(plan_read(cell, kTenant, gen, {.offset = 150, .length = 10}));
  EXPECT_FALSE(plan->pieces[0].run->local.has_value());
  EXPECT_TRUE(plan->gen.native.has_value());

  const Stamp recall = must(begin_recall(cell, kTenant, gen));
  EXPECT_EQ(detail_of(clear_local(cell, kTenant, gen, token, {})), "GenMoved");
  EXPECT_EQ(detail_of(finish_recall(cell, kTenant, gen, recall)), "RunsMissing");
  std::vector<FilledRun> filled;
  for (std::uint64_t i = 0; i < 100; ++i) filled.push_back({gen, i * 100, {{2}, 4096 * i}});
  EXPECT_EQ(must(fill_local(cell, kTenant, gen, recall, filled)), 100u);
  EXPECT_EQ(must(fill_local(cell, kTenant, gen, recall, filled)), 0u);
  EXPECT_EQ(detail_of(fill_local(cell, kTenant, gen, token, filled)), "GenMoved");

  // Evicted anew before the recall has ended: it is not the recall's fault that runs are missing.
  clear_all(gen, must(mark_evicted(cell, kTenant, gen)));
  EXPECT_EQ(detail_of(finish_recall(cell, kTenant, gen, recall)), "GenMoved");
  const Stamp once_more = must(begin_recall(cell, kTenant, gen));
  EXPECT_EQ(must(fill_local(cell, kTenant, gen, once_more, filled)), 100u);
  must(finish_recall(cell, kTenant, gen, once_more));
  EXPECT_FALSE(gen_of(gen).evicted);
  EXPECT_EQ(live_bytes({2}), 10'000);
}

TEST_P(Tier, ClearingIsBoundedAndResumes) {
  NewGen source = runs_gen(kRunsPerBatchMax, 1);
  source.origin = GenOrigin::kStaged;
  must(create_gen(cell, kTenant, source.gen.id, GenShape::kRuns));
  std::vector<meta::Run> rows;
  for (std::uint64_t i = 0; i < 50; ++i) rows.push_back(run_at(source.gen.id, kRunsPerBatchMax + i, 1, {1}));
  must(add_runs(cell, kTenant, source.gen.id, std::move(rows)));
  source.gen.length = kRunsPerBatchMax + 50;
  const GenId gen = source.gen.id;
  must(put("a", std::move(source)));
  offload(gen, "k");
  const Stamp token = must(mark_evicted(cell, kTenant, gen));
  const ClearBatch first = must(clear_local(cell, kTenant, gen, token, {}));
  EXPECT_EQ(first.progress, Progress::kMore);
  EXPECT_EQ(first.freed_bytes, kRunsPerBatchMax);
  const ClearBatch second = must(clear_local(cell, kTenant, gen, token, first.cursor));
  EXPECT_EQ(second.progress, Progress::kDone);
  EXPECT_EQ(second.freed_bytes, 50u);
}

TEST_P(Tier, SetNativeRefusesWhatHasMoved) {
  const Object object = must(put("a", runs_gen(1, 100)));
  const Gen seen = gen_of(object.gen);
  EXPECT_EQ(detail_of(set_native(cell, kTenant, seen, place("k"), "n")), "GenMoved");  // no intent
  must(put_native_intent(cell, kTenant, intent(object.gen, "k", "n")));
  EXPECT_EQ(detail_of(set_native(cell, kTenant, seen, place("k"), "other")), "GenMoved");
  must(put_native_intent(cell, kTenant, intent(object.gen, "k", "n2")));  // started again
  EXPECT_EQ(detail_of(set_native(cell, kTenant, seen, place("k"), "n")), "GenMoved");
  must(begin_recall(cell, kTenant, object.gen));  // row i moves
  EXPECT_EQ(detail_of(set_native(cell, kTenant, seen, place("k"), "n2")), "GenMoved");
  must(set_native(cell, kTenant, gen_of(object.gen), place("k"), "n2"));
  EXPECT_EQ(detail_of(set_native(cell, kTenant, gen_of(object.gen), place("k"), "n2")), "GenMoved");
}

TEST_P(Tier, ALiveGensKeyIsNotTaken) {
  const Object first = must(put("a", runs_gen(1, 100)));
  offload(first.gen, "k");
  const Object second = must(put("a", runs_gen(1, 100)));
  const NativeKey mine = intent(second.gen, "k", "n2");
  EXPECT_EQ(detail_of(put_native_intent(cell, kTenant, mine)), "NativeKeyInUse");
  for (const Candidate& each : candidates()) {
    if (each.kind == CandidateKind::kGen) must(condemn_gen(cell, each));
  }
  must(put_native_intent(cell, kTenant, mine));
  EXPECT_EQ(must(get_native_key(cell, kTenant, "cloud", "k"))->gen, second.gen);
  collect();  // the first gen's death leaves the key of the second alone
  EXPECT_EQ(must(get_native_key(cell, kTenant, "cloud", "k"))->state, NativeState::kIntent);
  EXPECT_FALSE(must(get_gen(cell, kTenant, first.gen)).has_value());
}

TEST_P(Tier, ADeadGensRemoteObjectIsHandedToDeletion) {
  const Object object = must(put("a", runs_gen(1, 100)));
  offload(object.gen, "k");
  must(delete_object(cell, container, "a", {}));
  collect();
  const auto native = must(get_native_key(cell, kTenant, "cloud", "k"));
  ASSERT_TRUE(native.has_value());
  EXPECT_EQ(native->state, NativeState::kCondemned);
  EXPECT_EQ(native->etag, "e1");
  bool found = false;
  for (const Candidate& each : candidates()) {
    ASSERT_EQ(each.kind, CandidateKind::kNative);
    const NativeVerdict verdict = must(judge_native(cell, each));
    if (verdict.judged != NativeJudged::kDelete) continue;
    found = true;
    EXPECT_EQ(verdict.native.nonce, "nk");
    EXPECT_FALSE(must(erase_native_key(cell, kTenant, "cloud", "k", NativeState::kCondemned, "other")));
    if (must(get_native_key(cell, kTenant, "cloud", "k"))) {
      EXPECT_TRUE(must(erase_native_key(cell, kTenant, "cloud", "k", NativeState::kCondemned, "nk")));
    }
    must(drop_candidate(cell, each));
  }
  EXPECT_TRUE(found);
  for (const Candidate& each : candidates()) must(judge_native(cell, each));
  EXPECT_TRUE(candidates().empty());
  EXPECT_TRUE(must(list_native_keys(cell, kTenant, "cloud", "", 10)).empty());
}

TEST_P(Tier, AnIntentThatNobodyResumesIsFoundOnceItsGenIsDead) {
  const Object object = must(put("a", runs_gen(1, 100)));
  must(put_native_intent(cell, kTenant, intent(object.gen, "k", "n")));
  const auto judge_all = [&] {
    NativeJudged last = NativeJudged::kGone;
    for (const Candidate& each : candidates()) {
      if (each.kind == CandidateKind::kNative) last = must(judge_native(cell, each)).judged;
    }
    return last;
  };
  EXPECT_EQ(judge_all(), NativeJudged::kIntent);
  must(delete_object(cell, container, "a", {}));
  collect();
  EXPECT_EQ(judge_all(), NativeJudged::kDelete);
  EXPECT_EQ(must(get_native_key(cell, kTenant, "cloud", "k"))->state, NativeState::kCondemned);
}

TEST_P(Tier, SlicesAreEvictedByTheirSources) {
  const NewGen one = runs_gen(3, 100), two = runs_gen(200, 1);
  NewGen two_first = two;
  two_first.runs.resize(kRunsPerBatchMax);
  two_first.gen.length = kRunsPerBatchMax;
  must(stage("a", "1", one));
  must(stage("a", "2", two_first));
  must(stage("a", "3", "inline"));
  const Object object = commit("a", {{BlockSource::kUncommitted, "1"},
                                     {BlockSource::kUncommitted, "2"},
                                     {BlockSource::kUncommitted, "1"},
                                     {BlockSource::kUncommitted, "3"}});
  offload(object.gen, "k");
  const Stamp early = must(mark_evicted(cell, kTenant, object.gen));
  EXPECT_GE(clear_all(object.gen, early).kept_sources, 2u);  // the upload's edges are not purged yet
  EXPECT_EQ(local_runs(one.gen.id), 3u);
  EXPECT_FALSE(gen_of(one.gen.id).evicted);
  collect();
  const Stamp token = must(mark_evicted(cell, kTenant, object.gen));
  EXPECT_EQ(clear_all(object.gen, token).kept_sources, 0u);
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_EQ(local_runs(one.gen.id) + local_runs(two.gen.id), 0u);

  // No new object may be made of what is not here.
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  auto blocks = must(resolve_blocks(cell, seal, {{BlockSource::kCommitted, "1"}}));
  const GenId again = must(ids.next_id<GenId>());
  EXPECT_EQ(detail_of(write_slices(cell, kTenant, again, blocks)), "SourceEvicted");
  must(unseal_upload(cell, seal));

  const Stamp recall = must(begin_recall(cell, kTenant, object.gen));
  std::vector<FilledRun> filled;
  for (std::uint64_t i = 0; i < 3; ++i) filled.push_back({one.gen.id, i * 100, {{2}, 4096 * i}});
  EXPECT_EQ(must(fill_local(cell, kTenant, object.gen, recall, filled)), 3u);
  EXPECT_EQ(detail_of(finish_recall(cell, kTenant, object.gen, recall)), "RunsMissing");
  filled.clear();
  for (std::uint64_t i = 0; i < kRunsPerBatchMax; ++i) filled.push_back({two.gen.id, i, {{2}, 4096 * i}});
  must(fill_local(cell, kTenant, object.gen, recall, filled));
  must(finish_recall(cell, kTenant, object.gen, recall));
  EXPECT_FALSE(gen_of(one.gen.id).evicted);
  EXPECT_FALSE(gen_of(object.gen).evicted);
  must(write_slices(cell, kTenant, must(ids.next_id<GenId>()), blocks));
}

TEST_P(Tier, ASharedSourceKeepsItsBytes) {
  const NewGen shared = runs_gen(2, 100);
  must(stage("a", "1", shared));
  const Object object = commit("a", {{BlockSource::kUncommitted, "1"}});
  collect();
  offload(object.gen, "k");
  // A commit that keeps the block has written its slices, and not yet flipped.
  const UploadSeal seal = must(seal_upload(cell, container, "a"));
  auto blocks = must(resolve_blocks(cell, seal, {{BlockSource::kCommitted, "1"}}));
  must(write_slices(cell, kTenant, must(ids.next_id<GenId>()), blocks));
  const Stamp token = must(mark_evicted(cell, kTenant, object.gen));
  const ClearBatch cleared = clear_all(object.gen, token);
  EXPECT_EQ(cleared.kept_sources, 1u);
  EXPECT_EQ(cleared.freed_bytes, 0u);
  EXPECT_EQ(local_runs(shared.gen.id), 2u);
}

TEST_P(Tier, CompactionMovesARunOnlyFromWhereItIs) {
  const Object object = must(put("a", runs_gen(2, 100)));
  MoveRun move;
  move.tenant = kTenant;
  move.gen = object.gen;
  move.offset = 100;
  move.from = {{1}, 4096 + 100};
  move.to = {{9}, 0};
  EXPECT_TRUE(must(move_run(cell, move)));
  EXPECT_EQ(live_bytes({1}), 100);
  EXPECT_EQ(live_bytes({9}), 100);
  EXPECT_FALSE(must(move_run(cell, move)));
  move.gen = {12345};
  EXPECT_FALSE(must(move_run(cell, move)));
  EXPECT_EQ(live_bytes({9}), 100);
  EXPECT_EQ(must(get_object(cell, container, "a")).etag_stamp, object.etag_stamp);
  must(delete_object(cell, container, "a", {}));
  for (const Candidate& each : candidates()) must(condemn_gen(cell, each));
  move = {.tenant = kTenant, .gen = object.gen, .offset = 100, .from = {{9}, 0}, .to = {{8}, 0}};
  EXPECT_FALSE(must(move_run(cell, move)));  // not worth moving
  collect();
  EXPECT_EQ(live_bytes({9}), 0);
}

}  // namespace
}  // namespace tombolo::meta
