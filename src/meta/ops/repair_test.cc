#include "meta/ops/repair.h"

#include <algorithm>

#include "kv/run.h"
#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/tier.h"
#include "meta/ops/usage.h"

namespace tombolo::meta {
namespace {

Task<void> erase_in(kv::Transaction& txn, std::string key) {
  txn.erase(std::move(key));
  co_return Result<void>{};
}
Task<void> put_in(kv::Transaction& txn, std::string key, std::string value) {
  txn.put(std::move(key), std::move(value));
  co_return Result<void>{};
}

class Repair : public CellTest {
 protected:
  void offload(GenId gen, const std::string& key) {
    NativeKey intent;
    intent.remote = "cloud";
    intent.key = key;
    intent.gen = gen;
    intent.nonce = "n." + key;
    must(put_native_intent(cell, kTenant, intent));
    must(set_native(cell, kTenant, gen_of(gen), {.remote = "cloud", .key = key, .etag = "e1", .version_id = {}},
                    "n." + key));
  }
  Gen gen_of(GenId gen) { return *must(get_gen(cell, kTenant, gen)); }
  std::optional<NativeKey> native_key(std::string key) {
    return must(get_native_key(cell, kTenant, "cloud", std::move(key)));
  }
  void erase(std::string key) {
    std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) { return erase_in(txn, key); };
    must(kv::run(engine, random, std::move(body)));
  }
  void put_row(std::string key, std::string value) {
    std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) { return put_in(txn, key, value); };
    must(kv::run(engine, random, std::move(body)));
  }
  std::size_t queued(CandidateKind kind) {
    const auto all = candidates();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [kind](const Candidate& candidate) { return candidate.kind == kind; }));
  }
};
TOMBOLO_CELL_TESTS(Repair);

TEST_P(Repair, ForgetsACopyOnlyWhileNothingElseHasChanged) {
  const GenId gen = must(put("a", runs_gen(2, 100))).gen;
  EXPECT_FALSE(must(forget_native(cell, kTenant, gen_of(gen)))) << "there is none";
  offload(gen, "k");
  const Gen before = gen_of(gen);
  const Stamp token = must(mark_evicted(cell, kTenant, gen));
  EXPECT_FALSE(must(forget_native(cell, kTenant, before))) << "the row has moved on";
  EXPECT_FALSE(must(forget_native(cell, kTenant, gen_of(gen)))) << "its local bytes may be gone";
  EXPECT_TRUE(gen_of(gen).native);
  EXPECT_NE(must(begin_recall(cell, kTenant, gen)), token);
  must(finish_recall(cell, kTenant, gen, gen_of(gen).tier_stamp));
  EXPECT_TRUE(must(forget_native(cell, kTenant, gen_of(gen))));
  EXPECT_FALSE(gen_of(gen).native);
  ASSERT_TRUE(native_key("k"));
  EXPECT_EQ(native_key("k")->state, NativeState::kIntent);
  EXPECT_EQ(native_key("k")->nonce, "n.k") << "what lies there is still known as ours";
  EXPECT_GE(queued(CandidateKind::kNative), 1u);
  must(set_native(cell, kTenant, gen_of(gen), {.remote = "cloud", .key = "k", .etag = "e2", .version_id = {}}, "n.k"));
  EXPECT_EQ(gen_of(gen).native->etag, "e2");
}

TEST_P(Repair, AdoptsAnEtagInBothRowsOrInNone) {
  const GenId gen = must(put("a", runs_gen(2, 100))).gen;
  offload(gen, "k");
  const Gen before = gen_of(gen);
  EXPECT_TRUE(must(adopt_native(cell, kTenant, before, "e2", "v2")));
  EXPECT_EQ(gen_of(gen).native->etag, "e2");
  EXPECT_EQ(native_key("k")->etag, "e2");
  EXPECT_EQ(native_key("k")->version_id, "v2");
  EXPECT_FALSE(must(adopt_native(cell, kTenant, before, "e3", {}))) << "seen too long ago";
  erase(keys::native_key(kTenant, "cloud", "k"));
  EXPECT_FALSE(must(adopt_native(cell, kTenant, gen_of(gen), "e3", {})));
  EXPECT_EQ(gen_of(gen).native->etag, "e2");
  EXPECT_TRUE(must(restore_native_key(cell, kTenant, gen_of(gen), "n.k")));
  EXPECT_EQ(native_key("k")->state, NativeState::kLive);
  EXPECT_EQ(native_key("k")->gen, gen);
  EXPECT_EQ(native_key("k")->etag, "e2");
  EXPECT_FALSE(must(restore_native_key(cell, kTenant, gen_of(gen), "other"))) << "it is there";
  EXPECT_EQ(native_key("k")->nonce, "n.k");
}

TEST_P(Repair, PutsAnEdgeBackOnlyWhereARowReliesOnIt) {
  const Object object = must(put("a"));
  const std::string edge = keys::edge(kTenant, object.gen, object.holder);
  EXPECT_FALSE(must(restore_edge_of_object(cell, container, "no such name")));
  erase(edge);
  EXPECT_EQ(edges_of(object.gen), 0u);
  EXPECT_TRUE(must(restore_edge_of_object(cell, container, "a")));
  EXPECT_EQ(edges_of(object.gen), 1u);

  erase(edge);
  Gen gen = gen_of(object.gen);
  gen.state = GenState::kCondemned;
  put_row(keys::gen(kTenant, gen.id), encode(gen));
  EXPECT_FALSE(must(restore_edge_of_object(cell, container, "a"))) << "none to what is condemned";
  EXPECT_EQ(edges_of(object.gen), 0u);
  EXPECT_FALSE(must(restore_edge_of_block(cell, container, UploadId{1}, "aaa")));
  EXPECT_FALSE(must(restore_edge_of_slice(cell, kTenant, object.gen, 0)));
}

TEST_P(Repair, DropsAnEdgeOnlyWhereAnotherOneIsLeft) {
  const Object object = must(put("a"));
  const HolderId nobody{999'999};
  put_row(keys::edge(kTenant, object.gen, nobody), encode_edge());
  EXPECT_TRUE(must(drop_lonely_edge(cell, kTenant, object.gen, nobody)));
  EXPECT_FALSE(must(drop_lonely_edge(cell, kTenant, object.gen, nobody))) << "it is gone";
  EXPECT_FALSE(must(drop_lonely_edge(cell, kTenant, object.gen, object.holder))) << "the last one";
  EXPECT_EQ(edges_of(object.gen), 1u);
  const GenId other = must(put("b")).gen;
  put_row(keys::edge(kTenant, object.gen, HolderId{other.value}), encode_edge());
  EXPECT_FALSE(must(drop_lonely_edge(cell, kTenant, object.gen, HolderId{other.value}))) << "its holder is a gen";
}

TEST_P(Repair, QueuesOnlyWhatIsDead) {
  const GenId live = must(put("a", runs_gen(1, 100))).gen;
  offload(live, "k");
  const auto before = candidates().size();
  EXPECT_FALSE(must(requeue_dead_gen(cell, kTenant, live)));
  EXPECT_FALSE(must(requeue_dead_gen(cell, kTenant, GenId{999'999})));
  EXPECT_FALSE(must(requeue_native_key(cell, kTenant, *native_key("k"))));
  EXPECT_EQ(candidates().size(), before);
  Gen gen = gen_of(live);
  gen.state = GenState::kCondemned;
  put_row(keys::gen(kTenant, live), encode(gen));
  EXPECT_TRUE(must(requeue_dead_gen(cell, kTenant, live)));
  NativeKey native = *native_key("k");
  native.state = NativeState::kCondemned;
  put_row(keys::native_key(kTenant, "cloud", "k"), encode(native));
  EXPECT_TRUE(must(requeue_native_key(cell, kTenant, native)));
  EXPECT_EQ(candidates().size(), before + 2);
}

TEST_P(Repair, CorrectsTheCounterOfColdBytes) {
  must(correct_cold_bytes(cell, 300));
  must(correct_cold_bytes(cell, -100));
  EXPECT_EQ(must(read_cold_bytes(cell)), 200u);
}

}  // namespace
}  // namespace tombolo::meta
