// Random work of clients and of tiering on few names, through a remote that lies at random.
#include "base/log.h"
#include "tiering/fsck.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::Lie;
using testing::TierRig;

constexpr int kSeeds = 12;
constexpr int kSteps = 60;

struct World {
  explicit World(std::uint64_t seed) : chance(seed) {}

  SeededRandom chance;
  TierRig rig{small()};
  std::map<std::string, Bytes> model;

  static store::testing::RigOptions small() {
    store::testing::RigOptions options;
    options.segment_bytes = kMiB;
    return options;
  }

  std::string any_name() { return "x" + std::to_string(chance.below(8)); }

  void put() {
    const std::string name = any_name();
    Bytes bytes = rig.noise(chance.below(3) == 0 ? chance.below(5'000) : chance.below(200'000));
    ASSERT_TRUE(rig.put(name, bytes).ok());
    model[name] = std::move(bytes);
  }
  void put_blocks() {
    const std::string name = any_name();
    Bytes all;
    std::vector<store::BlockChoice> blocks;
    for (const std::string id : {"aa", "bb"}) {
      const Bytes block = rig.noise(1 + chance.below(100'000));
      ASSERT_TRUE(rig.stage(name, id, block).ok());
      all.insert(all.end(), block.begin(), block.end());
      blocks.push_back({store::BlockSource::kLatest, id});
    }
    ASSERT_TRUE(rig.commit(name, blocks).ok());
    model[name] = std::move(all);
  }
  void remove() {
    const std::string name = any_name();
    if (model.erase(name) == 1) rig.remove(name);
  }
  void step() {
    switch (chance.below(8)) {
      case 0:
      case 1:
        put();
        break;
      case 2:
        put_blocks();
        break;
      case 3:
        remove();
        break;
      case 4:
        rig.recall();
        break;
      case 5:
        ASSERT_TRUE(rig.run(rig.collector.pass()).ok());
        break;
      case 6:
        rig.offload(Evict::kNo);
        break;
      default: {
        rig.far->lie = static_cast<Lie>(chance.below(static_cast<std::uint64_t>(Lie::kUnreachable) + 1));
        rig.offload(Evict::kYes);
        if (chance.below(2) == 0) rig.far->lie = Lie::kNone;
        break;
      }
    }
  }
  void check() {
    const Lie lie = std::exchange(rig.far->lie, Lie::kNone);
    for (const auto& [name, bytes] : model) {
      const auto read = rig.get(name);
      ASSERT_TRUE(read.ok()) << name << ": " << to_string(read.error());
      ASSERT_EQ(*read, bytes) << name;
    }
    rig.far->lie = lie;
  }
  void check_rows() {
    FsckOptions options;
    options.depth = Depth::kAll;
    options.pause = std::chrono::milliseconds(1);
    const auto report = rig.run(fsck(rig.services, options));
    ASSERT_TRUE(report.ok());
    for (const Finding& finding : report->findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
  }
};

TEST(Tiering, NoLieOfARemoteLosesOrChangesAByte) {
  set_log_level(LogLevel::kError);
  for (std::uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int n = 0; n < kSteps && !::testing::Test::HasFatalFailure(); ++n) {
      world.step();
      if (n % 10 == 0) world.check();
    }
    world.check();
    world.rig.far->lie = Lie::kNone;
    world.check_rows();
    world.rig.collect();
    const jobs::Job job = world.rig.offload(Evict::kYes);
    EXPECT_EQ(job.progress.objects_failed, 0u) << job.error;
    EXPECT_EQ(world.rig.far->memory.count(), world.model.size()) << "nothing is left there of what is gone";
    world.check();
    world.check_rows();
    for (const auto& [name, bytes] : world.model) world.rig.remove(name);
    world.rig.collect();
    EXPECT_EQ(world.rig.far->memory.count(), 0u);
    EXPECT_EQ(world.rig.segments.file_bytes(), 0u);
    EXPECT_EQ(world.rig.cold_bytes(), 0u);
  }
  set_log_level(LogLevel::kInfo);
}

}  // namespace
}  // namespace tombolo::tiering
