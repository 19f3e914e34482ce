#include "meta/ops/gens.h"

#include <set>

#include "kv/run.h"
#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/walk_rows.h"

namespace tombolo::meta {
namespace {

class Gens : public CellTest {
 protected:
  Candidate candidate_of(GenId gen) {
    for (const Candidate& each : candidates()) {
      if (each.gen() == gen) return each;
    }
    ADD_FAILURE() << "no candidate of gen " << gen.value;
    return {};
  }
  static Task<void> put_edge(kv::Transaction& txn, GenId gen) {
    txn.put(keys::edge(kTenant, gen, {99}), encode_edge());
    co_return Result<void>{};
  }
  Stamp now() { return must(stamper.next()); }
  GenId staged(std::uint64_t runs) {
    const GenId gen = must(ids.next_id<GenId>());
    must(create_gen(cell, kTenant, gen, GenShape::kRuns));
    std::vector<meta::Run> rows;
    for (std::uint64_t i = 0; i < runs; ++i) rows.push_back(run_at(gen, i * 100, 100, {1}));
    must(add_runs(cell, kTenant, gen, std::move(rows)));
    return gen;
  }
};
TOMBOLO_CELL_TESTS(Gens);

TEST_P(Gens, AnIntentIsFoundAfterACrashAndLeftAloneBefore) {
  const GenId gen = staged(3);
  EXPECT_EQ(live_bytes({1}), 300);
  EXPECT_EQ(error_of(create_gen(cell, kTenant, gen, GenShape::kRuns)).code, Code::kAlreadyExists);
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(gen))), Judged::kStaging);
  EXPECT_EQ(must(get_gen(cell, kTenant, gen))->state, GenState::kStaging);
  ASSERT_TRUE(wait(ids.recover()).ok());  // a restart
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(gen))), Judged::kCondemned);
  std::vector<meta::Run> late{run_at(gen, 300, 100, {1})};
  EXPECT_EQ(detail_of(add_runs(cell, kTenant, gen, late)), "GenCondemned");
  EXPECT_EQ(must(erase_gen(cell, candidate_of(gen), now())), Erased::kDone);
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_TRUE(candidates().empty());
}

TEST_P(Gens, AWriterThatHangsOrGivesUpLosesItsGen) {
  const GenId hung = staged(1), given_up = staged(1);
  must(abandon_gen(cell, kTenant, given_up));
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(given_up))), Judged::kCondemned);
  clock.advance(std::chrono::microseconds(kStagingMicrosMax) + std::chrono::seconds(1));
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(hung))), Judged::kCondemned);
  NewGen late;
  late.origin = GenOrigin::kStaged;
  late.gen = *must(get_gen(cell, kTenant, hung));
  EXPECT_EQ(detail_of(put("late", late)), "GenCondemned");
  EXPECT_EQ(detail_of(get_object(cell, container, "late")), "BlobNotFound");
  must(abandon_gen(cell, kTenant, {424242}));  // never was: no error
}

TEST_P(Gens, PhaseTwoWaitsForItsGrace) {
  const Object object = must(put("a", runs_gen(1, 100)));
  EXPECT_TRUE(candidates().empty());
  must(delete_object(cell, container, "a", {}));
  const Stamp before = now();
  EXPECT_EQ(must(erase_gen(cell, candidate_of(object.gen), before)), Erased::kNotYet);  // not condemned
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(object.gen))), Judged::kCondemned);
  EXPECT_EQ(must(erase_gen(cell, candidate_of(object.gen), before)), Erased::kNotYet);  // condemned later
  EXPECT_EQ(must(condemn_gen(cell, candidate_of(object.gen))), Judged::kCondemned);     // again: no change
  EXPECT_EQ(must(erase_gen(cell, candidate_of(object.gen), now())), Erased::kDone);
}

TEST_P(Gens, AHeldGenIsNoCandidateAnyMore) {
  const NewGen block = inline_gen("x");
  must(stage("a", "1", block));
  must(stage("a", "1", "y"));
  const Candidate stale = candidate_of(block.gen.id);
  must(stage("b", "1", block));  // as if another holder had come
  EXPECT_EQ(must(condemn_gen(cell, stale)), Judged::kHeld);
  EXPECT_TRUE(candidates().empty());
}

// An edge that commits between phase 1's range read and its commit is found by phase 2.
TEST_P(Gens, PhaseTwoRevivesWhatHasAnEdge) {
  const Object object = must(put("a"));
  must(delete_object(cell, container, "a", {}));
  const Candidate candidate = candidate_of(object.gen);
  EXPECT_EQ(must(condemn_gen(cell, candidate)), Judged::kCondemned);
  std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) { return put_edge(txn, object.gen); };
  must(kv::run(engine, random, std::move(body)));
  EXPECT_EQ(must(erase_gen(cell, candidate_of(object.gen), now())), Erased::kRevived);
  EXPECT_EQ(must(get_gen(cell, kTenant, object.gen))->state, GenState::kLive);
  EXPECT_TRUE(candidates().empty());
}

TEST_P(Gens, ErasingALargeGenTakesBoundedBatches) {
  NewGen source = runs_gen(kRunsPerBatchMax, 1);
  source.origin = GenOrigin::kStaged;
  must(create_gen(cell, kTenant, source.gen.id, GenShape::kRuns));
  for (std::uint64_t batch = 1; batch < 4; ++batch) {
    std::vector<meta::Run> rows;
    for (std::uint64_t i = 0; i < kRunsPerBatchMax; ++i) {
      rows.push_back(run_at(source.gen.id, batch * kRunsPerBatchMax + i, 1, {1}));
    }
    must(add_runs(cell, kTenant, source.gen.id, std::move(rows)));
  }
  source.gen.length = 4 * kRunsPerBatchMax;
  const GenId gen = source.gen.id;
  must(put("a", std::move(source)));
  must(delete_object(cell, container, "a", {}));
  for (const Candidate& each : candidates()) must(condemn_gen(cell, each));
  const Candidate candidate = candidate_of(gen);
  const Stamp grace = now();
  int batches = 1;
  while (must(erase_gen(cell, candidate, grace)) == Erased::kMore) ++batches;
  EXPECT_EQ(batches, 3);
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_TRUE(rows_of(keys::runs(kTenant, gen)).empty());
}

TEST_P(Gens, APlanCoversARangeInOneOrTwoSeeks) {
  const Object object = must(put("a", runs_gen(10, 100)));
  for (const auto& [offset, length] : {std::pair{0ul, 1000ul}, {0ul, 1ul}, {99ul, 2ul}, {950ul, 50ul}, {0ul, 0ul}}) {
    const auto plan = must(plan_read(cell, kTenant, object.gen, {.offset = offset, .length = length}));
    std::uint64_t at = offset;
    for (const ReadPiece& piece : plan->pieces) {
      EXPECT_EQ(piece.offset, at);
      EXPECT_EQ(piece.run->offset + piece.skip, at);
      at += piece.length;
    }
    EXPECT_EQ(at, offset + length);
  }
  const auto first = must(plan_read(cell, kTenant, object.gen, {.offset = 50, .length = 900, .pieces_max = 4}));
  EXPECT_EQ(first->pieces.size(), 4u);
  EXPECT_FALSE(must(plan_read(cell, kTenant, {123456}, {})).has_value());
}

TEST_P(Gens, AScanMeetsEveryRowOnce) {
  std::set<std::pair<GenId, HolderId>> edges;
  std::size_t runs = 0;
  for (int i = 0; i < 5; ++i) {
    const Object object = must(put("n" + std::to_string(i), runs_gen(2, 10)));
    edges.emplace(object.gen, object.holder);
    runs += 2;
  }
  GenId gen;
  std::string from;
  do {
    const auto page = must(walk_gens(cell, kTenant, from, 2));
    for (const Gen& each : page.rows) EXPECT_GT(each.id, std::exchange(gen, each.id));
    from = page.next;
  } while (!from.empty());
  EXPECT_EQ(gen, edges.rbegin()->first);
  do {
    const auto page = must(walk_edges(cell, kTenant, from, 2));
    for (const Edge& each : page.rows) EXPECT_EQ(edges.erase({each.gen, each.holder}), 1u);
    from = page.next;
  } while (!from.empty());
  EXPECT_TRUE(edges.empty());
  do {
    const auto page = must(walk_runs(cell, kTenant, from, 3));
    runs -= page.rows.size();
    from = page.next;
  } while (!from.empty());
  EXPECT_EQ(runs, 0u);
}

TEST_P(Gens, AHoleIsCorruptNeverShortBytes) {
  NewGen source = runs_gen(1, 100);
  source.origin = GenOrigin::kStaged;
  must(create_gen(cell, kTenant, source.gen.id, GenShape::kRuns));
  source.runs.push_back(run_at(source.gen.id, 200, 100, {1}));
  source.gen.length = 400;
  const Object object = must(put("a", std::move(source)));
  for (const ReadRange& range : {ReadRange{.offset = 0, .length = 250},
                                 {.offset = 100, .length = 1},
                                 {.offset = 150, .length = 100},
                                 {.offset = 299, .length = 2}}) {
    EXPECT_EQ(error_of(plan_read(cell, kTenant, object.gen, range)).code, Code::kCorrupt);
  }
  EXPECT_TRUE(wait(plan_read(cell, kTenant, object.gen, {.offset = 200, .length = 100})).ok());
}

}  // namespace
}  // namespace tombolo::meta
