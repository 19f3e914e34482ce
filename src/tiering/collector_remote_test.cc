// The collector and copies in remotes: when they go, when they stay, and what a remote that fails keeps from going.
#include "kv/run.h"
#include "meta/model/codec.h"
#include "tiering/collector.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::at_once;
using testing::gen_is_there;
using testing::kTenant;
using testing::Lie;
using testing::small_segments;
using testing::TierRig;

TEST(Collector, TheRemoteCopyGoesOnlyAfterItsOwnGrace) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  rig.remove("x");
  CollectorOptions options = at_once();
  options.remote_grace = std::chrono::seconds(30);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  while (*rig.run(collector.pass())) {
  }
  EXPECT_EQ(rig.far->memory.count(), 1u);
  rig.clock.advance(std::chrono::seconds(31));
  while (*rig.run(collector.pass())) {
  }
  EXPECT_EQ(rig.far->memory.count(), 0u);
}

/// What an offload had queued before is not what the grace counts from.
TEST(Collector, TheGraceOfARemoteCopyBeginsWithTheDeathOfItsObject) {
  for (const bool fails_once : {false, true}) {
    TierRig rig;
    CollectorOptions options = at_once();
    options.remote_grace = std::chrono::hours(1);
    Collector collector(rig.services, rig.loop.get_executor(), options);
    const auto copies_after = [&](Duration more) {
      rig.clock.advance(more);
      while (*rig.run(collector.pass())) {
      }
      return rig.far->memory.count();
    };
    ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
    rig.far->lie = Lie::kPutDies;  // so that the intent is queued twice
    rig.offload(Evict::kYes);
    rig.far->lie = Lie::kNone;
    rig.clock.advance(std::chrono::minutes(1));
    rig.offload(Evict::kYes);
    EXPECT_EQ(copies_after(std::chrono::minutes(40)), 1u);
    rig.remove("x");
    EXPECT_EQ(copies_after({}), 1u);
    EXPECT_EQ(copies_after(std::chrono::minutes(59)), 1u) << "the offload is more than an hour old, the death is not";
    if (fails_once) {
      rig.far->lie = Lie::kUnreachable;
      EXPECT_EQ(copies_after(std::chrono::minutes(2)), 1u);
      rig.far->lie = Lie::kNone;
    }
    EXPECT_EQ(copies_after(std::chrono::minutes(2)), 0u) << "a remote that fails once is asked again soon";
  }
}

/// Copies of one shard that wait to be deleted, one queued after the other.
void queue_copies(TierRig& rig, std::uint64_t count) {
  auto body = [count](kv::Transaction& txn) -> Task<void> {
    for (std::uint64_t n = 1; n <= count; ++n) {
      meta::Candidate copy{.shard = 0, .queued = {n}, .id = n, .kind = meta::CandidateKind::kNative, .tenant = kTenant};
      copy.remote = "far";
      copy.key = std::to_string(n);
      txn.put(meta::keys::candidate(copy), meta::encode(copy));
    }
    co_return Result<void>{};
  };
  ASSERT_TRUE(rig.run(kv::run(rig.services.cell.engine, rig.random, body)).ok());
}

TEST(Collector, APassOverGensBeginsBehindTheCopiesThatWait) {
  constexpr std::uint64_t kCopies = 2'000, kFew = 300;
  TierRig rig;
  rig.clock.advance(std::chrono::hours(1));
  queue_copies(rig, kCopies);
  CollectorOptions options = at_once();
  options.remote_grace = std::chrono::hours(24 * 365 * 200);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  std::uint64_t before = 0;
  const auto read_in_a_pass = [&] {
    EXPECT_TRUE(rig.run(collector.pass()).ok());
    return collector.stats().candidates_read - std::exchange(before, collector.stats().candidates_read);
  };
  EXPECT_GE(read_in_a_pass(), kCopies);
  EXPECT_LE(read_in_a_pass(), kFew);
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.remove("x");
  while (*rig.run(collector.pass())) {
  }
  EXPECT_EQ(collector.stats().gens_erased, 1u);
  before = collector.stats().candidates_read;
  EXPECT_LE(read_in_a_pass(), kFew);
  rig.clock.advance(std::chrono::hours(1));
  EXPECT_GE(read_in_a_pass(), kCopies) << "now and then from the beginning: a stamp may be older than its row";
}

TEST(Collector, ARemoteObjectThatWasChangedOutsideIsLeftThere) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  const Bytes theirs = rig.noise(7);
  rig.far->memory.replace("box/x", theirs);
  rig.remove("x");
  rig.collect();
  EXPECT_EQ(rig.far->memory.contents("box/x"), theirs);
  EXPECT_FALSE(rig.native_key("box/x").has_value());
}

Task<void> nothing_happens() {
  co_return Result<void>{};
}

/// What a client and an offload job do between the collector's verdict on a key and its delete.
Task<void> offload_again(TierRig& rig) {
  OffloadSpec spec;
  spec.container = store::testing::Rig::box();
  spec.remote = "far";
  spec.evict = Evict::kYes;
  CO_TRY_ASSIGN(const JobId id, submit_offload(*rig.scheduler, rig.services, std::move(spec)));
  while (true) {
    CO_TRY_ASSIGN(const jobs::Job job, rig.scheduler->get(id));
    if (jobs::ended(job.state)) co_return Result<void>{};
    CO_TRY(sleep_for(std::chrono::milliseconds(1)));
  }
}

TEST(Collector, ADeleteThatWasDecidedForOldBytesNeverTakesTheNewOnes) {
  for (const bool same_bytes : {false, true}) {
    TierRig rig;
    const Bytes first = rig.noise(50'000), second = same_bytes ? first : rig.noise(60'000);
    ASSERT_TRUE(rig.put("x", first).ok());
    rig.offload(Evict::kYes);
    ASSERT_TRUE(rig.put("x", second).ok());
    bool once = true;
    rig.far->hook = [&](testing::Step step, std::string) -> Task<void> {
      const bool meddle = step == testing::Step::kRemove && std::exchange(once, false);
      return meddle ? offload_again(rig) : nothing_happens();
    };
    rig.collect();
    EXPECT_FALSE(once);
    rig.far->hook = nullptr;
    EXPECT_EQ(rig.got("x"), second);
    rig.offload(Evict::kYes);
    rig.collect();
    EXPECT_EQ(rig.got("x"), second);
    EXPECT_EQ(rig.far->memory.contents("box/x"), second);
  }
}

TEST(Collector, ARemoteThatCannotBeReachedIsAskedAgainLater) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  rig.remove("x");
  rig.far->lie = Lie::kUnreachable;
  rig.collect();
  ASSERT_TRUE(rig.native_key("box/x").has_value());
  rig.far->lie = Lie::kNone;
  rig.collect();
  EXPECT_EQ(rig.far->memory.count(), 0u);
  EXPECT_FALSE(rig.native_key("box/x").has_value());
}

Task<void> wait_for(const bool& released) {
  while (!released) {
    CO_TRY(sleep_for(std::chrono::milliseconds(1)));
  }
  co_return Result<void>{};
}

TEST(Collector, ARemoteThatHangsDoesNotKeepFlashFromBeingFreed) {
  TierRig rig(small_segments());
  ASSERT_TRUE(rig.put("cold", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  rig.remove("cold");
  bool hanging = false, released = false;
  rig.far->hook = [&](testing::Step step, std::string) -> Task<void> {
    if (step == testing::Step::kRemove) hanging = true;
    return step == testing::Step::kRemove ? wait_for(released) : nothing_happens();
  };
  CollectorOptions options = at_once();
  options.interval = std::chrono::milliseconds(1);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  collector.start();
  const auto within_2_s = [&rig](const std::function<bool()>& holds) {
    for (int n = 0; n < 2'000 && !holds(); ++n) EXPECT_TRUE(rig.run(sleep_for(std::chrono::milliseconds(1))).ok());
    return holds();
  };
  ASSERT_TRUE(within_2_s([&] { return hanging; }));
  ASSERT_TRUE(rig.put("hot", rig.noise(3 * kMiB)).ok());
  const GenId gen = rig.head("hot")->gen;
  rig.remove("hot");
  EXPECT_TRUE(within_2_s([&] { return !gen_is_there(rig, gen) && rig.segments.file_bytes() < 2 * kMiB; }));
  EXPECT_EQ(rig.far->memory.count(), 1u);
  released = true;
  EXPECT_TRUE(within_2_s([&] { return rig.far->memory.count() == 0; }));
  ASSERT_TRUE(rig.run(collector.stop()).ok());
}

TEST(Collector, NobodyIsKeptFromAGenWhileARemoteDeletesACopyOfIt) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  const GenId gen = rig.head("x")->gen;
  rig.offload(Evict::kYes);
  rig.remove("x");
  std::optional<bool> may_pin;
  rig.far->hook = [&](testing::Step step, std::string) -> Task<void> {
    if (step == testing::Step::kRemove) may_pin = rig.services.pins.pin(kTenant, gen).has_value();
    return nothing_happens();
  };
  rig.collect();
  EXPECT_EQ(may_pin, true);
}

TEST(Collector, ARemoteThatIsAwayIsAskedOnceAPass) {
  TierRig rig;
  for (int n = 0; n < 64; ++n) ASSERT_TRUE(rig.put(std::to_string(n), rig.noise(5'000)).ok());
  rig.offload(Evict::kYes);
  for (int n = 0; n < 64; ++n) rig.remove(std::to_string(n));
  for (int n = 0; n < 3; ++n) (void)rig.run(rig.collector.pass());
  EXPECT_EQ(rig.far->memory.count(), 0u);
  for (int n = 0; n < 64; ++n) ASSERT_TRUE(rig.put(std::to_string(n), rig.noise(5'000)).ok());
  rig.offload(Evict::kYes);
  for (int n = 0; n < 64; ++n) rig.remove(std::to_string(n));
  rig.far->lie = Lie::kUnreachable;
  int asked = 0;
  rig.far->hook = [&asked](testing::Step, std::string) {
    ++asked;
    return nothing_happens();
  };
  for (int n = 0; n < 3; ++n) (void)rig.run(rig.collector.pass());
  EXPECT_LE(asked, 3 * static_cast<int>(meta::kCandidateShards));
  rig.far->lie = Lie::kNone;
  rig.collect();
  EXPECT_EQ(rig.far->memory.count(), 0u);
}

TEST(Collector, ARemoteThatLetsNothingBeDeletedIsAskedSeldom) {
  constexpr int kObjects = 100;
  TierRig rig;
  for (int n = 0; n < kObjects; ++n) ASSERT_TRUE(rig.put(std::to_string(n), rig.noise(5'000)).ok());
  rig.offload(Evict::kYes);
  for (int n = 0; n < kObjects; ++n) rig.remove(std::to_string(n));
  int asked = 0;
  rig.far->hook = [&asked](testing::Step step, std::string) -> Task<void> {
    if (step != testing::Step::kRemove) co_return Result<void>{};
    ++asked;
    co_return Error{Code::kPermissionDenied, "no right to delete"};
  };
  CollectorOptions options = at_once();
  options.remote_grace = std::chrono::hours(1);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  rig.clock.advance(std::chrono::hours(2));
  for (int minutes = 0; minutes < 24 * 60; ++minutes) {
    (void)rig.run(collector.pass());
    rig.clock.advance(std::chrono::minutes(1));
  }
  EXPECT_GE(asked, 24);
  EXPECT_LE(asked, 60 * static_cast<int>(meta::kCandidateShards));
  EXPECT_EQ(rig.far->memory.count(), static_cast<std::size_t>(kObjects));
  rig.far->hook = nullptr;
  rig.clock.advance(std::chrono::hours(1));
  while (*rig.run(collector.pass())) {
  }
  EXPECT_EQ(rig.far->memory.count(), 0u);
}

}  // namespace
}  // namespace tombolo::tiering
