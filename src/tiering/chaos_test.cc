// Offload, cold reads, recall and garbage collection over a ChaosRemote: by script, each fault of each operation; by
// dice, all of them at once. Whatever the remote does: no wrong byte, nothing evicted before its copy is right, and all
// heals.
#include <fmt/format.h>

#include "testing/chaos_remote.h"
#include "tiering/fsck.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::TierRig;
using tombolo::testing::ChaosOptions;
using tombolo::testing::ChaosRemote;
using tombolo::testing::ChaosRule;
using tombolo::testing::kRemoteFaults;
using tombolo::testing::kRemoteOps;
using tombolo::testing::name_of;
using tombolo::testing::RemoteFault;
using tombolo::testing::RemoteOp;

/// So long at most a remote that has refused deletes is not asked for any.
constexpr Duration kRefusedAtMost = std::chrono::hours(1);

class ChaosRig : public TierRig {
 public:
  explicit ChaosRig(ChaosOptions options = {}) : chaos(std::make_shared<ChaosRemote>(far, options)) {
    remotes.set("far", chaos);
  }

  void add(RemoteFault fault, std::optional<RemoteOp> op = {}, double probability = 1) {
    ChaosRule rule;
    rule.fault = fault;
    rule.op = op;
    rule.probability = probability;
    ASSERT_TRUE(run(chaos->add(std::move(rule))).ok());
  }
  void store_new(const std::string& name, std::size_t size) {
    written[name] = noise(size);
    ASSERT_TRUE(put(name, written[name]).ok());
  }
  /// Right, or an error.
  bool reads(const std::string& name) {
    const auto bytes = get(name);
    EXPECT_TRUE(!bytes.ok() || *bytes == written.at(name)) << "wrong bytes of " << name;
    return bytes.ok();
  }
  /// What is not on flash any more is right in the remote, or somebody else has replaced it there since.
  void nothing_left_early(const std::string& name, bool replaced_outside) {
    if (readable_locally(name) || replaced_outside) return;
    EXPECT_EQ(far->memory.contents("box/" + name), written.at(name)) << name << " was evicted early";
  }

  std::shared_ptr<ChaosRemote> chaos;
  std::map<std::string, Bytes> written;
};

TEST(Chaos, EachFaultOfEachOperationLosesNothingAndHeals) {
  for (unsigned n = 0; n < kRemoteFaults; ++n) {
    for (const RemoteOp op : kRemoteOps) {
      const auto fault = static_cast<RemoteFault>(n);
      SCOPED_TRACE(fmt::format("{} x {}", name_of(fault), name_of(op)));
      const bool outside = fault == RemoteFault::kChangedOutside;
      ChaosRig rig;
      for (const char* name : {"cold", "dead"}) rig.store_new(name, 50'000);
      ASSERT_EQ(rig.offload(Evict::kYes).progress.objects_done, 2u);
      rig.store_new("new", 60'000);

      rig.add(fault, op);
      rig.reads("cold");
      rig.offload(Evict::kYes, "new");
      rig.nothing_left_early("new", outside);
      rig.reads("new");
      rig.recall("cold");
      rig.reads("cold");
      rig.remove("dead");
      for (int passes = 0; passes < 4; ++passes) static_cast<void>(rig.run(rig.collector.pass()));
      remote::ListRequest everything;
      static_cast<void>(rig.run(rig.chaos->list(everything)));
      EXPECT_GT(rig.chaos->calls(op), 0u);
      EXPECT_GT(rig.chaos->faults(fault), 0u);

      rig.chaos->heal();
      if (outside) continue;  // what somebody else has replaced stays replaced
      EXPECT_EQ(rig.offload(Evict::kYes, "new").progress.objects_failed, 0u);
      EXPECT_FALSE(rig.readable_locally("new"));
      EXPECT_TRUE(rig.reads("new"));
      EXPECT_TRUE(rig.reads("cold"));
      rig.clock.advance(kRefusedAtMost);
      rig.collect();
      const bool believed =
          op == RemoteOp::kRemove && (fault == RemoteFault::kClaimed || fault == RemoteFault::kNotFound);
      EXPECT_EQ(rig.far->memory.count(), believed ? 3u : 2u);
      FsckOptions thorough;
      thorough.depth = Depth::kAll;
      const auto report = rig.run(fsck(rig.services, thorough));
      ASSERT_TRUE(report.ok());
      std::vector<std::string> kinds;
      for (const Finding& finding : report->findings) kinds.push_back(finding.kind);
      EXPECT_EQ(kinds, believed ? std::vector<std::string>{"remote-without-row"} : std::vector<std::string>{});
    }
  }
}

/// Clients and jobs at work while every call may meet any fault that passes.
void tell(std::uint64_t seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  ChaosOptions options;
  options.seed = seed;
  options.slow = std::chrono::milliseconds(1);
  options.stall = std::chrono::milliseconds(2);
  ChaosRig rig(options);
  SeededRandom dice(seed);
  for (unsigned n = 0; n < kRemoteFaults; ++n) {
    const auto fault = static_cast<RemoteFault>(n);
    // These leave behind what nothing can heal: somebody else's object, and ours that was said to be gone.
    if (fault == RemoteFault::kChangedOutside) continue;
    for (const RemoteOp op : kRemoteOps) {
      const bool gone = (fault == RemoteFault::kClaimed && op == RemoteOp::kRemove) ||
                        (fault == RemoteFault::kNotFound && (op == RemoteOp::kRemove || op == RemoteOp::kHead));
      if (!gone) rig.add(fault, op, 0.02);
    }
  }
  for (int step = 0; step < 120; ++step) {
    const std::string name = "x" + std::to_string(dice.below(6));
    const bool there = rig.written.contains(name);
    switch (dice.below(6)) {
      case 0:
      case 1:
        rig.store_new(name, 5'000 + dice.below(60'000));
        break;
      case 2:
        rig.offload(Evict::kYes);
        for (const auto& [each, bytes] : rig.written) rig.nothing_left_early(each, false);
        break;
      case 3:
        if (there) rig.reads(name);
        break;
      case 4:
        rig.recall(name);
        break;
      default:
        if (there) rig.remove(name);
        rig.written.erase(name);
        static_cast<void>(rig.run(rig.collector.pass()));
    }
  }
  rig.chaos->heal();
  rig.clock.advance(kRefusedAtMost);
  rig.collect();
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_failed, 0u);
  for (const auto& [name, bytes] : rig.written) {
    EXPECT_TRUE(rig.reads(name)) << name;
    EXPECT_FALSE(rig.readable_locally(name)) << name;
  }
  rig.collect();
  EXPECT_EQ(rig.far->memory.count(), rig.written.size());
}

TEST(Chaos, WhateverTheDiceSayNothingIsLostAndAllHeals) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) tell(seed);
}

}  // namespace
}  // namespace tombolo::tiering
