// The damages that fsck must name.
#include "tiering/fsck_rig_test.h"

namespace tombolo::tiering::testing {
namespace {

void swap_runs(FsckRig& rig) {
  const meta::LocalPlace a = *rig.run_of("a").local, b = *rig.run_of("b").local;
  const std::size_t length = data::kRunHeaderBytes + 100'000;
  const Bytes of_a = rig.read_file(a.segment, a.offset, length), of_b = rig.read_file(b.segment, b.offset, length);
  rig.write_file(a.segment, a.offset, of_b);
  rig.write_file(b.segment, b.offset, of_a);
}

void cut_segment(FsckRig& rig) {
  const SegmentId segment = rig.run_of("a").local->segment;
  EXPECT_TRUE(rig.run(rig.segments.rotate()).ok());
  for (int n = 0; n < 50; ++n) EXPECT_TRUE(rig.run(sleep_for(std::chrono::milliseconds(1))).ok());
  auto file = rig.file_of(segment);
  const std::uint64_t size = *rig.run(file->size());
  EXPECT_TRUE(rig.run(file->truncate(size - 1)).ok());
}

void point_past_the_segment(FsckRig& rig) {
  meta::Run run = rig.run_of("a");
  run.local->offset += 64 * kMiB;
  rig.put_row(meta::keys::run(kTenant, run.gen, run.offset), meta::encode(run));
}

void change_inline_bytes(FsckRig& rig) {
  meta::Gen gen = rig.gen_of("tiny");
  gen.inline_bytes[50] = static_cast<char>(gen.inline_bytes[50] ^ 1);
  rig.put_row(meta::keys::gen(kTenant, gen.id), meta::encode(gen));
}

void change_record(FsckRig& rig) {
  meta::Object object = *rig.head("a");
  object.length += 1;
  rig.put_row(meta::keys::object(rig.container(), "a"), meta::encode(object));
}

void plant_native_key(FsckRig& rig) {
  meta::NativeKey native;
  native.state = meta::NativeState::kLive;
  native.gen = GenId{999'999};
  native.nonce = "n";
  native.etag = "e";
  rig.put_row(meta::keys::native_key(kTenant, "far", "box/nobody"), meta::encode(native));
}

void plant_segment_row(FsckRig& rig) {
  data::SegmentRow row;
  row.state = data::SegmentState::kSealed;
  row.incarnation = 5;
  row.file_bytes = 8'192;
  rig.put_row(data::segment_key(SegmentId{777}), data::encode(row));
}

void plant_file(FsckRig& rig) {
  EXPECT_TRUE(rig.run(rig.disk.open(data::segment_path(SegmentId{778}), disk::Open::kCreateNew)).ok());
}

void lose_block_gen(FsckRig& rig) {
  const auto listed = rig.run(rig.store.get_block_list(TierRig::object("staged")));
  EXPECT_EQ(listed->uncommitted.size(), 1u);
  // The gen of 70,000 bytes that is no source of "blocks".
  const auto slices = *rig.run(meta::list_slices(rig.services.cell, kTenant, rig.head("blocks")->gen, 0, 10));
  const auto gens = rig.run(meta::walk_gens(rig.services.cell, kTenant, {}));
  for (const meta::Gen& gen : gens->rows) {
    if (gen.length != 70'000 || gen.id == slices[0].source || gen.id == slices[1].source) continue;
    rig.erase_row(meta::keys::gen(kTenant, gen.id));
    return;
  }
  ADD_FAILURE() << "the staged block has no gen";
}

void lose_source(FsckRig& rig) {
  rig.collect();  // or the upload's blocks, which wait to be purged, would miss it too
  const auto slices = *rig.run(meta::list_slices(rig.services.cell, kTenant, rig.head("blocks")->gen, 0, 10));
  rig.erase_row(meta::keys::gen(kTenant, slices[1].source));
}

}  // namespace

std::vector<Damage> damages() {
  const std::string copied = "box/far/copied", evicted = "box/cold/evicted";
  return {
      {"flipped bit in a run", Depth::kBytes, [](FsckRig& r) { r.flip_at("a", 50'000); }, {"run-checksum"}},
      {"flipped bit in a run header", Depth::kBytes, [](FsckRig& r) { r.flip_at("a", 20); }, {"run-header"}},
      {"two runs swapped", Depth::kBytes, swap_runs, {"run-misplaced", "run-checksum"}},
      {"flipped bit in a remote object",
       Depth::kAll,
       [=](FsckRig& r) {
         Bytes bytes = r.far->memory.contents(evicted);
         bytes[200'000] ^= std::byte{1};
         r.far->memory.rot(evicted, bytes);
       },
       {"remote-bytes"}},
      {"remote object missing",
       Depth::kBytes,
       [=](FsckRig& r) { EXPECT_TRUE(r.run(r.far->memory.remove(copied, {})).ok()); },
       {"remote-missing"}},
      {"remote object truncated",
       Depth::kBytes,
       [=](FsckRig& r) { r.far->memory.replace(evicted, Bytes(299'999)); },
       {"remote-changed"}},
      {"remote object truncated under its ETag",
       Depth::kAll,
       [=](FsckRig& r) { r.far->memory.rot(evicted, Bytes(299'999)); },
       {"remote-bytes"}},
      {"remote object replaced",
       Depth::kBytes,
       [=](FsckRig& r) { r.far->memory.replace(evicted, r.noise(300'000)); },
       {"remote-changed"}},
      {"remote not configured", Depth::kBytes, [](FsckRig& r) { r.remotes.remove("far"); }, {"remote-unknown"}},
      {"segment file missing",
       Depth::kRows,
       [](FsckRig& r) { EXPECT_TRUE(r.run(r.disk.remove(data::segment_path(r.run_of("a").local->segment))).ok()); },
       {"segment-missing"}},
      {"segment file truncated", Depth::kRows, cut_segment, {"segment-short"}},
      {"row past the segment", Depth::kRows, point_past_the_segment, {"row-past-segment"}},
      {"gen without edge",
       Depth::kRows,
       [](FsckRig& r) { r.erase_row(meta::keys::edge(kTenant, r.head("a")->gen, r.head("a")->holder)); },
       {"gen-without-edge", "name-without-edge"}},
      {"edge without gen",
       Depth::kRows,
       [](FsckRig& r) { r.put_row(meta::keys::edge(kTenant, GenId{999'999}, HolderId{999'998}), meta::encode_edge()); },
       {"edge-without-gen"}},
      {"name without gen",
       Depth::kRows,
       [](FsckRig& r) { r.erase_row(meta::keys::gen(kTenant, r.head("a")->gen)); },
       {"name-without-gen", "edge-without-gen", "run-without-gen"}},
      {"edge without holder",
       Depth::kRows,
       [](FsckRig& r) {
         r.put_row(meta::keys::edge(kTenant, r.head("a")->gen, HolderId{999'998}), meta::encode_edge());
       },
       {"edge-without-holder"}},
      {"edge that a name left behind",
       Depth::kRows,
       [](FsckRig& r) { r.erase_row(meta::keys::object(r.container(), "b")); },
       {"edge-without-holder"}},
      {"remote object without row",
       Depth::kAll,
       [](FsckRig& r) { r.put_remote("box/far/left", r.noise(1'000), "0123456789abcdef.0123456789abcdef"); },
       {"remote-without-row"}},
      {"remote object of somebody else",
       Depth::kAll,
       [](FsckRig& r) { r.put_remote("box/theirs", r.noise(1'000), ""); },
       {}},
      {"remote that cannot be listed", Depth::kAll, [](FsckRig& r) { r.far->lists = false; }, {"remote-unreachable"}},
      {"record that differs from its gen", Depth::kRows, change_record, {"name-differs"}},
      {"live bytes of a segment",
       Depth::kRows,
       [](FsckRig& r) { r.add_to(data::segment_live_key(r.run_of("a").local->segment), 4'096); },
       {"segment-live"}},
      {"cold bytes", Depth::kRows, [](FsckRig& r) { r.add_to(meta::keys::cold_bytes(), 1); }, {"cold-bytes"}},
      {"K row without gen", Depth::kRows, plant_native_key, {"native-key-without-gen"}},
      {"gen without K row",
       Depth::kRows,
       [=](FsckRig& r) { r.erase_row(meta::keys::native_key(kTenant, "far", copied)); },
       {"gen-without-native-key"}},
      {"S row without file", Depth::kRows, plant_segment_row, {"segment-missing"}},
      {"file without S row", Depth::kRows, plant_file, {"segment-orphan"}},
      {"staged block without gen",
       Depth::kRows,
       lose_block_gen,
       {"block-without-gen", "edge-without-gen", "run-without-gen"}},
      {"source of a slice lost",
       Depth::kRows,
       lose_source,
       {"slice-without-gen", "edge-without-gen", "run-without-gen"}},
      {"missing run row",
       Depth::kRows,
       [](FsckRig& r) { r.erase_row(meta::keys::run(kTenant, r.head("a")->gen, 0)); },
       {"gen-rows", "segment-live"}},
      {"inline bytes changed", Depth::kRows, change_inline_bytes, {"gen-rows"}},
      {"row that does not decode",
       Depth::kRows,
       [](FsckRig& r) { r.put_row(meta::keys::native_key(kTenant, "far", "box/broken"), "\x01"); },
       {"row-broken"}},
  };
}

}  // namespace tombolo::tiering::testing
