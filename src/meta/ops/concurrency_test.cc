// Several threads put, commit, delete, compact and collect garbage on the same few names; then everything must add up.
#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/purge.h"
#include "meta/ops/tier.h"
#include "meta/ops/usage.h"

namespace tombolo::meta {
namespace {

class Concurrency : public CellTest {
 protected:
  static constexpr int kSteps = 120;

  NewGen some_gen(SeededRandom& dice) {
    NewGen out;
    out.gen.id = *run_to_end(ids.next_id<GenId>());
    out.gen.shape = GenShape::kRuns;
    const std::uint64_t runs = 1 + dice.below(3);
    out.gen.length = runs * 10;
    for (std::uint64_t i = 0; i < runs; ++i) {
      out.runs.push_back(run_at(out.gen.id, i * 10, 10, {1 + dice.below(3)}));
    }
    return out;
  }
  // Every operation may lose a race; then it says so in one of these ways, and in no other.
  template <class T>
  void allow(const Result<T>& result) {
    if (result.ok()) return;
    const std::set<std::string_view> fine = {"BlobNotFound", "UploadSealed", "SealLost", "InvalidBlockList",
                                             "GenCondemned"};
    EXPECT_TRUE(fine.contains(result.error().detail)) << to_string(result.error());
  }
  Result<Object> commit(const std::string& name, SeededRandom& dice) {
    TRY_ASSIGN(UploadSeal seal, run_to_end(seal_upload(cell, container, name)));
    auto done = behind_seal(seal, dice);
    if (!done.ok()) {
      TRY(run_to_end(unseal_upload(cell, seal)));
    }
    return done;
  }
  Result<Object> behind_seal(const UploadSeal& seal, SeededRandom& dice) {
    std::vector<BlockChoice> choices;
    for (std::uint64_t n = 1 + dice.below(3); n > 0; --n) {
      choices.push_back({BlockSource::kLatest, std::string(1, static_cast<char>('0' + dice.below(3)))});
    }
    TRY_ASSIGN(auto blocks, run_to_end(resolve_blocks(cell, seal, choices)));
    PublishObject request;
    request.container = container;
    request.name = seal.name;
    request.seal = seal;
    request.gen.origin = GenOrigin::kStaged;
    request.gen.gen.id = *run_to_end(ids.next_id<GenId>());
    request.gen.gen.shape = GenShape::kSlices;
    request.gen.gen.length = blocks.length;
    TRY(run_to_end(write_slices(cell, kTenant, request.gen.gen.id, blocks)));
    return run_to_end(publish_object(cell, request));
  }
  void compact(SeededRandom& dice) {
    const std::string prefix = kv::table_prefix(kv::Table::kRuns, kTenant, {});
    kv::RangeQuery query{.begin = prefix, .end = kv::prefix_end(prefix), .limit = 20};
    const auto snapshot = engine.snapshot();
    const auto page = run_to_end(snapshot->range(std::move(query)));
    ASSERT_TRUE(page.ok());
    if (page->rows.empty()) return;
    const kv::Row& row = page->rows[dice.below(page->rows.size())];
    const auto at = *keys::offset_of(row.key);
    const auto run = *decode_run(at.gen, at.offset, row.value);
    if (!run.local) return;
    const LocalPlace to{{1 + dice.below(3)}, dice.below(1'000'000)};
    const MoveRun move{.tenant = kTenant, .gen = at.gen, .offset = at.offset, .from = *run.local, .to = to};
    ASSERT_TRUE(run_to_end(move_run(cell, move)).ok());
  }
  void collect_some() {
    const auto purges = run_to_end(list_purges(cell, 10));
    ASSERT_TRUE(purges.ok());
    for (const PurgeEntry& entry : purges->rows) ASSERT_TRUE(run_to_end(purge_batch(cell, entry)).ok());
    for (unsigned shard = 0; shard < kCandidateShards; ++shard) {
      const auto found = run_to_end(list_candidates(cell, {.shard = shard, .before = {~0ull}, .limit = 20}));
      ASSERT_TRUE(found.ok());
      for (const Candidate& candidate : found->rows) {
        ASSERT_TRUE(run_to_end(condemn_gen(cell, candidate)).ok());
        ASSERT_TRUE(run_to_end(erase_gen(cell, candidate, *run_to_end(stamper.next()))).ok());
      }
    }
  }
  void step(SeededRandom& dice) {
    const std::string name(1, static_cast<char>('a' + dice.below(3)));
    switch (dice.below(8)) {
      case 0:
        return allow(run_to_end(put(name, some_gen(dice))));
      case 1:
      case 2:
      case 3: {
        const std::string id(1, static_cast<char>('0' + dice.below(3)));
        return allow(run_to_end(stage(name, id, some_gen(dice))));
      }
      case 4:
        return allow(commit(name, dice));
      case 5:
        return allow(run_to_end(delete_object(cell, container, name, {})));
      case 6:
        return compact(dice);
      default:
        return collect_some();
    }
  }
};
TOMBOLO_CELL_TESTS(Concurrency);

TEST_P(Concurrency, EverythingAddsUp) {
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([this, t] {
      SeededRandom dice(1000 + t);
      for (int i = 0; i < kSteps; ++i) step(dice);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(wait(ids.recover()).ok());  // commits that failed left intents of a process that is gone now
  collect();

  // What names hold: gens, by table.
  std::set<GenId> held;
  std::uint64_t objects = 0, bytes = 0;
  for (const kv::Row& row : rows_of(keys::objects(container, {}))) {
    const Object object = *decode_object(*keys::name_of_object(row.key), row.value);
    ++objects;
    bytes += object.length;
    held.insert(object.gen);
    EXPECT_EQ(must(list_edges(cell, kTenant, object.gen, 10)), std::vector{object.holder});
    const auto plan = must(plan_read(cell, kTenant, object.gen, {.length = object.length, .pieces_max = 100}));
    ASSERT_TRUE(plan.has_value());
    for (const ReadPiece& piece : plan->pieces) held.insert(piece.run->gen);
  }
  for (const kv::Row& row : rows_of(kv::table_prefix(kv::Table::kUploadBlocks, kTenant, container.id))) {
    const auto id = *keys::id_of_staged_block(row.key);
    if (id.block_id) held.insert(decode_staged_block(*id.block_id, row.value)->gen);
  }
  const Usage usage = must(read_usage(cell, container));
  EXPECT_EQ(usage.objects, objects);
  EXPECT_EQ(usage.bytes, bytes);

  std::set<GenId> present;
  for (const kv::Row& row : rows_of(kv::table_prefix(kv::Table::kGens, kTenant, {}))) {
    present.insert(GenId{load_be64(row.key.data() + row.key.size() - 8)});
  }
  EXPECT_EQ(present, held);
  std::map<SegmentId, std::int64_t> live;
  for (const kv::Row& row : rows_of(kv::table_prefix(kv::Table::kRuns, kTenant, {}))) {
    const auto at = *keys::offset_of(row.key);
    const auto run = *decode_run(at.gen, at.offset, row.value);
    EXPECT_TRUE(held.contains(at.gen));
    live[run.local->segment] += static_cast<std::int64_t>(run.length);
  }
  for (std::uint64_t segment = 1; segment <= 3; ++segment) EXPECT_EQ(live_bytes({segment}), live[{segment}]);
  EXPECT_TRUE(candidates().empty());
}

}  // namespace
}  // namespace tombolo::meta
