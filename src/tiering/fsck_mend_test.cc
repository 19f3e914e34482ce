// What fsck --repair heals, and what it must leave.
#include "data/segment_store.h"
#include "tiering/fsck_rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::Damage;
using testing::damages;
using testing::FsckRig;
using testing::kTenant;

/// What is still found after the repair; all others of damages() are healed.
const std::map<std::string, std::set<std::string>> kLeft = {
    {"flipped bit in a run", {"run-checksum"}},
    {"two runs swapped", {"run-misplaced", "run-checksum"}},
    {"flipped bit in a remote object", {"remote-bytes"}},
    {"remote object truncated", {"remote-changed"}},
    {"remote object truncated under its ETag", {"remote-bytes"}},
    {"remote object replaced", {"remote-changed"}},
    {"remote not configured", {"remote-unknown"}},
    {"row past the segment", {"row-past-segment"}},
    {"edge without gen", {"edge-without-gen"}},
    {"name without gen", {"name-without-gen", "edge-without-gen", "run-without-gen"}},
    {"edge that a name left behind", {"edge-without-holder"}},
    {"remote object without row", {"remote-without-row"}},
    {"remote that cannot be listed", {"remote-unreachable"}},
    {"record that differs from its gen", {"name-differs"}},
    {"K row without gen", {"native-key-without-gen"}},
    {"S row without file", {"segment-missing"}},  // of a segment that this process does not know
    {"staged block without gen", {"block-without-gen", "edge-without-gen", "run-without-gen"}},
    {"source of a slice lost", {"slice-without-gen", "edge-without-gen", "run-without-gen"}},
    {"missing run row", {"gen-rows", "segment-live"}},
    {"inline bytes changed", {"gen-rows"}},
    {"row that does not decode", {"row-broken"}},
};

TEST(FsckMend, HealsWhatARuleHealsAndLeavesTheRest) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    FsckRig rig;
    const auto before = rig.read_all_names();
    damage.plant(rig);
    const auto damaged = rig.read_all_names();
    const auto known = kLeft.find(damage.name);
    const std::set<std::string> left = known == kLeft.end() ? std::set<std::string>() : known->second;
    const FsckReport report = rig.check(Depth::kAll, Mending::kYes);
    EXPECT_EQ(FsckRig::kinds_of(report), left);
    EXPECT_EQ(report.repairs_total > 0, left.empty() && !damage.kinds.empty());
    EXPECT_EQ(report.repairs.size(), report.repairs_total);
    EXPECT_EQ(rig.kinds(Depth::kAll), left) << "the second time";
    const auto after = rig.read_all_names();
    if (left.empty()) {
      EXPECT_EQ(after, before);
      rig.collect();
      EXPECT_EQ(rig.kinds(Depth::kAll), left) << "after garbage collection";
      EXPECT_EQ(rig.read_all_names(), before);
    }
    for (const auto& [name, bytes] : damaged) {
      const auto still = after.find(name);
      ASSERT_NE(still, after.end()) << name << " could be read before the repair";
      EXPECT_EQ(still->second, bytes) << name;
    }
  }
}

/// Heals everything that `plant` breaks, and gives what it did.
std::vector<std::string> heal(FsckRig& rig, const std::function<void()>& plant, const std::set<std::string>& kinds) {
  const auto before = rig.read_all_names();
  plant();
  EXPECT_EQ(rig.kinds(Depth::kAll), kinds);
  const FsckReport report = rig.check(Depth::kAll, Mending::kYes);
  for (const Finding& finding : report.findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
  EXPECT_EQ(rig.check(Depth::kAll).findings_total, 0u);
  rig.collect();
  EXPECT_EQ(rig.check(Depth::kAll).findings_total, 0u);
  EXPECT_EQ(rig.read_all_names(), before);
  std::vector<std::string> did;
  for (const Repair& repair : report.repairs) did.push_back(repair.did);
  return did;
}

using Did = std::vector<std::string>;

TEST(FsckMend, WritesARunAnewFromItsRemoteCopy) {
  FsckRig rig;
  const Did did = heal(rig, [&] { rig.flip_at("far/copied", 50'000); }, {"run-checksum"});
  EXPECT_EQ(did, Did{"written anew from \"box/far/copied\" in remote \"far\""});
  EXPECT_TRUE(rig.readable_locally("far/copied"));
}

TEST(FsckMend, WritesABlockAnewFromTheCopyOfTheObjectMadeOfIt) {
  FsckRig rig;
  EXPECT_EQ(rig.offload(Evict::kNo, "blocks").progress.objects_done, 1u);
  const auto damage = [&] {
    const auto slices = *rig.run(meta::list_slices(rig.services.cell, kTenant, rig.head("blocks")->gen, 0, 10));
    const auto runs = *rig.run(meta::list_runs(rig.services.cell, kTenant, slices[1].source, 0, 1));
    const meta::LocalPlace place = *runs.front().local;
    Bytes one = rig.read_file(place.segment, place.offset + 30'000, 1);
    one[0] ^= std::byte{16};
    rig.write_file(place.segment, place.offset + 30'000, one);
  };
  const Did did = heal(rig, damage, {"run-checksum"});
  EXPECT_EQ(did, Did{"written anew from \"box/blocks\" in remote \"far\""});
  EXPECT_TRUE(rig.readable_locally("blocks"));
}

TEST(FsckMend, WritesARemoteCopyAnewFromFlash) {
  FsckRig rig;
  const std::string key = "box/far/copied";
  const Bytes right = rig.far->memory.contents(key);
  const auto damage = [&] {
    Bytes bytes = right;
    bytes[70'000] ^= std::byte{1};
    rig.far->memory.rot(key, bytes);
  };
  EXPECT_EQ(heal(rig, damage, {"remote-bytes"}), Did{"written anew to the remote from flash, read back and verified"});
  EXPECT_EQ(rig.far->memory.contents(key), right);
}

TEST(FsckMend, TakesARestoredRemoteCopyForItsOwn) {
  for (const std::string name : {"far/copied", "cold/evicted"}) {
    FsckRig rig;
    const std::string key = "box/" + name;
    const Bytes right = rig.far->memory.contents(key);
    const std::string nonce = nonce_of(rig.run(rig.far->memory.head(key))->headers);
    const Did did = heal(rig, [&] { rig.put_remote(key, right, nonce); }, {"remote-changed"});
    EXPECT_EQ(did, Did{"its ETag has changed and every byte of it verifies: the rows have the new one"});
  }
}

TEST(FsckMend, LeavesWhatSomebodyElseHasPutInThePlaceOfACopy) {
  FsckRig rig;
  const std::string key = "box/far/copied";
  const Bytes theirs = rig.noise(100'000);
  const Did did = heal(rig, [&] { rig.far->memory.replace(key, theirs); }, {"remote-changed"});
  ASSERT_EQ(did.size(), 1u);
  EXPECT_NE(did[0].find("flash is its one place"), std::string::npos) << did[0];
  EXPECT_EQ(rig.far->memory.contents(key), theirs);
}

TEST(FsckMend, LeavesTheLastTraceOfWhatIsDamagedInBothPlaces) {
  FsckRig rig;
  const std::string key = "box/far/copied";
  Bytes bytes = rig.far->memory.contents(key);
  bytes[50'100] ^= std::byte{1};
  rig.far->memory.rot(key, bytes);
  rig.flip_at("far/copied", 50'000);
  const meta::LocalPlace place = *rig.run_of("far/copied").local;
  const std::set<std::string> kinds = {"run-checksum", "remote-bytes"};
  const FsckReport report = rig.check(Depth::kAll, Mending::kYes);
  EXPECT_EQ(FsckRig::kinds_of(report), kinds);
  EXPECT_EQ(report.repairs_total, 0u);
  EXPECT_EQ(rig.far->memory.contents(key), bytes);
  EXPECT_EQ(rig.run_of("far/copied").local->offset, place.offset);
}

TEST(FsckMend, WritesTheHeaderOfASegmentAnew) {
  FsckRig rig;
  const SegmentId segment = rig.run_of("a").local->segment;
  const Bytes right = rig.read_file(segment, 0, data::kSegmentHeaderBytes);
  const auto damage = [&] {
    Bytes bytes = right;
    bytes[1'000] ^= std::byte{1};
    rig.write_file(segment, 0, bytes);
  };
  EXPECT_EQ(heal(rig, damage, {"segment-header"}), Did{"its header is written anew, from its row"});
}

TEST(FsckMend, LeavesTheHeaderOfAnotherSegment) {
  FsckRig rig;
  const SegmentId segment = rig.run_of("a").local->segment;
  const data::SegmentHeader other{.segment = SegmentId{segment.value + 5}, .incarnation = 5, .cell = 0};
  rig.write_file(segment, 0, data::encode(other));
  EXPECT_FALSE(*rig.run(rig.segments.rewrite_header(segment)));
  EXPECT_FALSE(*rig.run(rig.segments.rewrite_header(SegmentId{segment.value + 5})));
}

TEST(FsckMend, MovesAFileWithoutRowAside) {
  FsckRig rig;
  const auto damage = [&] {
    for (const std::string name : {"segments/000000000000030a.seg", "segments/notes.txt"}) {
      EXPECT_TRUE(rig.run(rig.disk.open(name, disk::Open::kCreateNew)).ok());
    }
  };
  EXPECT_EQ(heal(rig, damage, {"segment-orphan"}).size(), 2u);
  EXPECT_TRUE(rig.run(rig.disk.open("set-aside/000000000000030a.seg", disk::Open::kRead)).ok());
  EXPECT_TRUE(rig.run(rig.disk.open("set-aside/notes.txt", disk::Open::kRead)).ok());
  // A second one of the same name stays where it is.
  EXPECT_TRUE(rig.run(rig.disk.open("segments/notes.txt", disk::Open::kCreateNew)).ok());
  const FsckReport report = rig.check(Depth::kRows, Mending::kYes);
  EXPECT_EQ(FsckRig::kinds_of(report), std::set<std::string>{"segment-orphan"});
}

TEST(FsckMend, HoldsSourcesAndStagedBlocksAgain) {
  FsckRig rig;
  const auto damage = [&] {
    const GenId gen = rig.head("blocks")->gen;
    const auto slices = *rig.run(meta::list_slices(rig.services.cell, kTenant, gen, 0, 10));
    rig.collect();
    rig.erase_row(meta::keys::edge(kTenant, slices[0].source, HolderId{gen.value}));
    const auto blocks = rig.run(meta::walk_upload_blocks(rig.services.cell, rig.container(), {}));
    ASSERT_EQ(blocks->rows.size(), 1u);
    const meta::UploadBlock& block = blocks->rows.front();
    rig.erase_row(meta::keys::edge(kTenant, block.block.gen, HolderId{block.upload.value}));
  };
  heal(rig, damage, {"slice-without-gen", "gen-without-edge", "block-without-gen"});
}

TEST(FsckMend, QueuesWhatIsDeadAndForgotten) {
  FsckRig rig;
  rig.collect();
  const auto damage = [&] {
    meta::Gen dead;
    dead.id = GenId{999'999};
    dead.state = meta::GenState::kCondemned;
    dead.shape = meta::GenShape::kInline;
    rig.put_row(meta::keys::gen(kTenant, dead.id), meta::encode(dead));
    meta::NativeKey native;
    native.state = meta::NativeState::kCondemned;
    native.gen = GenId{999'998};
    native.nonce = "n.n";
    rig.put_row(meta::keys::native_key(kTenant, "far", "box/gone"), meta::encode(native));
  };
  const Did did = heal(rig, damage, {"gen-without-edge", "native-key-without-gen"});
  EXPECT_EQ(did, (Did{"garbage collection looks at it again", "garbage collection looks at it again"}));
  EXPECT_FALSE(*rig.run(meta::get_gen(rig.services.cell, kTenant, GenId{999'999})));
  EXPECT_FALSE(rig.native_key("box/gone"));
}

TEST(FsckMend, LowersNoCounterWhileRowsOfRunsMayBeLost) {
  FsckRig rig;
  const meta::Run run = rig.run_of("a");
  rig.erase_row(meta::keys::run(kTenant, run.gen, 0));
  rig.check(Depth::kRows, Mending::kYes);
  rig.collect();
  Bytes header = rig.read_file(run.local->segment, run.local->offset, data::kRunHeaderBytes);
  EXPECT_EQ(as_text(header).substr(0, 4), "TRUN") << "what could tell of the bytes has gone";
}

TEST(FsckMend, IsDoneWithoutBeingAskedByNobody) {
  FsckRig rig;
  rig.flip_at("far/copied", 50'000);
  EXPECT_EQ(rig.check(Depth::kAll).repairs_total, 0u);
  EXPECT_EQ(rig.kinds(Depth::kAll), std::set<std::string>{"run-checksum"});
}

}  // namespace
}  // namespace tombolo::tiering
