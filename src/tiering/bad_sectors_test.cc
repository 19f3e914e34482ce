// Sectors that the device fails to read: fsck names and heals what lies in them, and compaction goes on beside them.
#include "data/segment_store.h"
#include "testing/faulty_disk.h"
#include "tiering/fsck_rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::at_once;
using testing::FsckRig;
using testing::kTenant;
using testing::small_segments;
using testing::TierRig;
using tombolo::testing::DiskCall;
using tombolo::testing::FaultyDisk;

/// The segments of a rig, opened once more over a disk that can lose sectors. Nothing is written through the rig after.
class OverBadDisk {
 public:
  explicit OverBadDisk(TierRig& rig) : rig_(rig) {
    for (const auto purpose : {kv::Purpose::kStores, kv::Purpose::kFreesSpace}) {
      EXPECT_TRUE(rig.run(rig.segments.rotate(purpose)).ok());
    }
    EXPECT_TRUE(rig.run(rig.segments.close()).ok());
    EXPECT_TRUE(rig.run(segments.open()).ok());
  }
  ~OverBadDisk() { EXPECT_TRUE(rig_.run(segments.close()).ok()); }

  FsckReport check(Mending mending) {
    FsckOptions asked;
    asked.depth = Depth::kBytes;
    asked.mending = mending;
    asked.pause = std::chrono::milliseconds(1);
    const auto report = rig_.run(fsck(services, asked));
    EXPECT_TRUE(report.ok()) << to_string(report.error());
    return report.ok() ? *report : FsckReport{};
  }
  Result<Bytes> get(const std::string& name) {
    auto reader = rig_.run(store.get_object(TierRig::object(name), {}, {}));
    if (!reader.ok()) return reader.error();
    return rig_.run(read_all(*reader->body, 256 * kMiB));
  }
  void lose(const meta::Run& run, std::uint64_t at) {
    disk.lose(data::segment_path(run.local->segment), data::data_offset(run.local->offset) + at, 512);
  }

 private:
  TierRig& rig_;

 public:
  FaultyDisk disk{rig_.disk};
  data::SegmentStore segments{
      rig_.engine, disk, rig_.random, rig_.clock, {.segment_bytes = kMiB, .keep_free_bytes = kMiB}};
  data::BlockCache cache{{.bytes_max = kMiB, .shards = 1}};
  store::Services services{rig_.services.cell, segments, cache, rig_.remotes, rig_.pins, rig_.workers};
  store::Store store{services};
};

TEST(BadSectors, AreFoundAndHealedFromTheRemote) {
  FsckRig rig;
  const auto before = rig.read_all_names();
  const meta::Run copied = rig.run_of("far/copied"), alone = rig.run_of("a");
  OverBadDisk bad(rig);
  bad.lose(copied, 40'000);
  bad.lose(alone, 40'000);
  const FsckReport found = bad.check(Mending::kNo);
  EXPECT_EQ(found.findings_total, 2u);
  EXPECT_EQ(FsckRig::kinds_of(found), std::set<std::string>{"run-checksum"});
  EXPECT_EQ(*bad.get("far/copied"), before.at("far/copied")) << "from its remote";
  EXPECT_EQ(bad.get("a").error().code, Code::kCorrupt);
  EXPECT_EQ(*bad.get("b"), before.at("b"));

  const FsckReport left = bad.check(Mending::kYes);
  EXPECT_EQ(left.repairs_total, 1u);
  ASSERT_EQ(left.findings_total, 1u);
  EXPECT_NE(left.findings.front().what.find("cannot be read at"), std::string::npos) << left.findings.front().what;
  EXPECT_EQ(*bad.get("far/copied"), before.at("far/copied"));
}

TEST(BadSectors, InHeadersAreWrittenAnew) {
  FsckRig rig;
  const auto before = rig.read_all_names();
  const meta::Run run = rig.run_of("a");
  OverBadDisk bad(rig);
  const std::string path = data::segment_path(run.local->segment);
  bad.disk.lose(path, 0, 512);
  EXPECT_TRUE(FsckRig::kinds_of(bad.check(Mending::kNo)).contains("segment-header"));
  EXPECT_EQ(bad.check(Mending::kYes).findings_total, 0u);
  bad.disk.lose(path, run.local->offset, 8);
  EXPECT_EQ(FsckRig::kinds_of(bad.check(Mending::kNo)), std::set<std::string>{"run-header"});
  EXPECT_EQ(bad.check(Mending::kYes).findings_total, 0u);
  EXPECT_EQ(*bad.get("a"), before.at("a"));
}

/// A rig with two segments that are worth emptying.
class TwoVictims : public TierRig {
 public:
  TwoVictims() : TierRig(small_segments()) {
    for (const std::string n : {"1", "2"}) {
      EXPECT_TRUE(put("kept" + n, noise(100'000)).ok());
      EXPECT_TRUE(put("dead" + n, noise(950'000)).ok());
    }
    remove("dead1");
    remove("dead2");
  }
  meta::Run run_of(const std::string& name) {
    return run(meta::list_runs(services.cell, kTenant, head(name)->gen, 0, 1))->front();
  }
};

TEST(BadSectors, InOneSegmentLeaveTheOthersToBeCompacted) {
  TwoVictims rig;
  const meta::Run lost = rig.run_of("kept1");
  OverBadDisk bad(rig);
  bad.lose(lost, 40'000);
  Collector collector(bad.services, rig.loop.get_executor(), at_once());
  for (int passes = 0; *rig.run(collector.pass()); ++passes) ASSERT_LT(passes, 50);
  EXPECT_EQ(collector.stats().segments_compacted, 1u);
  EXPECT_EQ(rig.run_of("kept1").local->segment, lost.local->segment);
}

/// Loses what of a run?
enum class Lose { kBytes, kHeader };

void try_again_what_could_not_be_read(Lose what) {
  TwoVictims rig;
  const meta::Run lost = rig.run_of("kept1");
  OverBadDisk bad(rig);
  if (what == Lose::kBytes) bad.lose(lost, 40'000);
  if (what == Lose::kHeader) bad.disk.lose(data::segment_path(lost.local->segment), lost.local->offset, 8);
  Collector collector(bad.services, rig.loop.get_executor(), at_once());
  const auto collect = [&] {
    for (int passes = 0; *rig.run(collector.pass()); ++passes) ASSERT_LT(passes, 50);
  };
  collect();
  bad.disk.heal();
  collect();
  EXPECT_EQ(rig.run_of("kept1").local->segment, lost.local->segment) << "not at once";
  rig.clock.advance(std::chrono::minutes(11));
  collect();
  EXPECT_NE(rig.run_of("kept1").local->segment, lost.local->segment);
  EXPECT_EQ(collector.stats().segments_compacted, 2u);
}

TEST(BadSectors, ASegmentThatCouldNotBeReadIsTriedAgain) {
  for (const Lose what : {Lose::kBytes, Lose::kHeader}) try_again_what_could_not_be_read(what);
}

TEST(BadSectors, AreReadLessAndLessOften) {
  TwoVictims rig;
  const meta::Run lost = rig.run_of("kept1");
  OverBadDisk bad(rig);
  bad.lose(lost, 40'000);
  Collector collector(bad.services, rig.loop.get_executor(), at_once());
  std::uint64_t before = 0;
  int tries = 0;
  for (int minutes = 0; minutes < 2 * 24 * 60; minutes += 10) {
    for (int passes = 0; *rig.run(collector.pass()); ++passes) ASSERT_LT(passes, 50);
    tries += bad.disk.count(DiskCall::kRead) > std::exchange(before, bad.disk.count(DiskCall::kRead)) ? 1 : 0;
    rig.clock.advance(std::chrono::minutes(10));
  }
  EXPECT_GT(tries, 6);
  EXPECT_LT(tries, 15);
}

TEST(BadSectors, NorDoesAnErrorThatPassesEndThePass) {
  TwoVictims rig;
  OverBadDisk bad(rig);
  Collector collector(bad.services, rig.loop.get_executor(), at_once());
  bad.disk.fail({.call = DiskCall::kRead, .code = Code::kBusy});
  const std::uint64_t before = bad.disk.count(DiskCall::kRead);
  for (int passes = 0; bad.disk.count(DiskCall::kRead) == before; ++passes) {
    const auto pass = rig.run(collector.pass());
    ASSERT_TRUE(pass.ok()) << to_string(pass.error());
    ASSERT_LT(passes, 50);
  }
  EXPECT_EQ(collector.stats().segments_compacted, 1u);
  for (int passes = 0; *rig.run(collector.pass()); ++passes) ASSERT_LT(passes, 50);
  EXPECT_EQ(collector.stats().segments_compacted, 2u);
}

}  // namespace
}  // namespace tombolo::tiering
