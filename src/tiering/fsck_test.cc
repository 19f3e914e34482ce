#include "tiering/fsck.h"

#include <boost/asio/this_coro.hpp>

#include "async/scope.h"
#include "data/layout.h"
#include "data/segment_rows.h"
#include "kv/run.h"
#include "meta/keys/keys.h"
#include "meta/model/codec.h"
#include "meta/ops/gens.h"
#include "meta/ops/walk_rows.h"
#include "tiering/native_key.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::kTenant;
using testing::TierRig;

/// A store with one of everything: local, inline, offloaded, evicted, made of blocks, staged, deleted a moment ago.
class FsckRig : public TierRig {
 public:
  FsckRig() : TierRig(options()) {
    EXPECT_TRUE(put("a", noise(100'000)).ok());
    EXPECT_TRUE(put("b", noise(100'000)).ok());
    EXPECT_TRUE(put("tiny", noise(100)).ok());
    EXPECT_TRUE(put("far/copied", noise(100'000)).ok());
    EXPECT_TRUE(stage("blocks", "aaa", noise(70'000)).ok());
    EXPECT_TRUE(stage("blocks", "bbb", noise(70'000)).ok());
    EXPECT_TRUE(commit("blocks", {{store::BlockSource::kLatest, "aaa"}, {store::BlockSource::kLatest, "bbb"}}).ok());
    EXPECT_TRUE(stage("staged", "ccc", noise(70'000)).ok());
    EXPECT_EQ(offload(Evict::kNo, "far/").progress.objects_done, 1u);
    EXPECT_TRUE(put("cold/evicted", noise(300'000)).ok());
    EXPECT_EQ(offload(Evict::kYes, "cold/").progress.objects_done, 1u);
    EXPECT_TRUE(put("gone", noise(50'000)).ok());
    remove("gone");
  }

  FsckReport check(Depth depth) {
    FsckOptions asked;
    asked.depth = depth;
    asked.pause = std::chrono::milliseconds(1);
    const auto report = run(fsck(services, asked));
    EXPECT_TRUE(report.ok()) << to_string(report.error());
    return *report;
  }
  std::set<std::string> kinds(Depth depth) {
    std::set<std::string> out;
    for (const Finding& finding : check(depth).findings) out.insert(finding.kind);
    return out;
  }

  meta::Run run_of(const std::string& name) {
    return run(meta::list_runs(services.cell, kTenant, head(name)->gen, 0, 1))->front();
  }
  std::unique_ptr<disk::File> file_of(SegmentId segment) {
    return *run(disk.open(data::segment_path(segment), disk::Open::kReadWrite));
  }
  Bytes read_file(SegmentId segment, std::uint64_t offset, std::size_t length) {
    Bytes out(length);
    EXPECT_TRUE(run(file_of(segment)->read(offset, out)).ok());
    return out;
  }
  void write_file(SegmentId segment, std::uint64_t offset, BytesView bytes) {
    auto file = file_of(segment);
    EXPECT_TRUE(run(file->write(offset, bytes)).ok());
  }
  void flip_at(const std::string& name, std::uint64_t from_header) {
    const meta::LocalPlace place = *run_of(name).local;
    Bytes one = read_file(place.segment, place.offset + from_header, 1);
    one[0] ^= std::byte{1};
    write_file(place.segment, place.offset + from_header, one);
  }

  void put_row(std::string key, std::string value) {
    change([key = std::move(key), value = std::move(value)](kv::Transaction& txn) { return put_in(txn, key, value); });
  }
  void erase_row(std::string key) {
    change([key = std::move(key)](kv::Transaction& txn) { return erase_in(txn, key); });
  }
  void add_to(std::string key, std::int64_t by) {
    change([key = std::move(key), by](kv::Transaction& txn) { return add_in(txn, key, by); });
  }
  meta::ContainerKey container() { return meta::key_of(*run(store.get_container(box()))); }

 private:
  static store::testing::RigOptions options() {
    store::testing::RigOptions out;
    out.segment_bytes = 4 * kMiB;
    return out;
  }
  void change(std::function<Task<void>(kv::Transaction&)> body) {
    EXPECT_TRUE(run(kv::run(engine, random, std::move(body))).ok());
  }
  static Task<void> guard(kv::Transaction& txn, const std::string& key) {
    const auto guard = meta::keys::guard_of(key);
    if (guard) {
      CO_TRY(txn.guard_shared(*guard));
    }
    co_return Result<void>{};
  }
  static Task<void> put_in(kv::Transaction& txn, std::string key, std::string value) {
    CO_TRY(guard(txn, key));
    txn.put(std::move(key), std::move(value));
    co_return Result<void>{};
  }
  static Task<void> erase_in(kv::Transaction& txn, std::string key) {
    CO_TRY(guard(txn, key));
    txn.erase(std::move(key));
    co_return Result<void>{};
  }
  static Task<void> add_in(kv::Transaction& txn, std::string key, std::int64_t by) {
    txn.add(std::move(key), by);
    co_return Result<void>{};
  }
};

TEST(Fsck, ACleanStoreHasNoFindings) {
  FsckRig rig;
  for (const Depth depth : {Depth::kRows, Depth::kBytes, Depth::kAll}) {
    const FsckReport report = rig.check(depth);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
    EXPECT_EQ(report.findings_total, 0u);
    EXPECT_EQ(report.objects, 6u);
    EXPECT_EQ(report.gens, 9u) << "six objects, two blocks of one, one staged";
    EXPECT_EQ(report.runs, 7u);
    EXPECT_EQ(report.segments, 1u);
    EXPECT_EQ(report.remote_objects, depth == Depth::kRows ? 0u : 2u);
    const std::uint64_t local = 3 * 100'000 + 3 * 70'000, remote = 400'000;
    EXPECT_EQ(report.bytes_verified, depth == Depth::kRows ? 0 : depth == Depth::kBytes ? local : local + remote);
  }
  rig.collect();
  EXPECT_EQ(rig.check(Depth::kAll).findings_total, 0u);
}

struct Damage {
  std::string name;
  Depth depth;
  std::function<void(FsckRig&)> plant;
  std::set<std::string> kinds;
};

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

void plant_remote_object(FsckRig& rig, const std::string& key, const std::string& nonce) {
  const Bytes bytes = rig.noise(1'000);
  remote::PutRequest request;
  request.key = key;
  request.size = bytes.size();
  request.crc64 = crc64(bytes);
  if (!nonce.empty()) request.headers.metadata.emplace(kNonceField, nonce);
  EXPECT_TRUE(rig.run(rig.far->memory.put(std::move(request), remote::body_of(Block(bytes)))).ok());
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
       [](FsckRig& r) { plant_remote_object(r, "box/far/left", "0123456789abcdef.0123456789abcdef"); },
       {"remote-without-row"}},
      {"remote object of somebody else", Depth::kAll, [](FsckRig& r) { plant_remote_object(r, "box/theirs", ""); }, {}},
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

TEST(Fsck, NamesEachPlantedDamageAndNothingElse) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    FsckRig rig;
    damage.plant(rig);
    EXPECT_EQ(rig.kinds(damage.depth), damage.kinds);
  }
}

TEST(Fsck, CountsWhatOthersKeepInARemoteAndLeavesABucketFullOfIt) {
  FsckRig rig;
  for (int n = 0; n < 3; ++n) plant_remote_object(rig, "theirs/" + std::to_string(n), "");
  FsckReport report = rig.check(Depth::kAll);
  EXPECT_EQ(report.findings_total, 0u);
  EXPECT_EQ(report.foreign_objects, 3u);
  EXPECT_TRUE(report.not_searched.empty());
  EXPECT_EQ(rig.check(Depth::kBytes).foreign_objects, 0u) << "only the whole check searches";

  for (int n = 0; n < 12'000; ++n) plant_remote_object(rig, "many/" + std::to_string(n), "");
  report = rig.check(Depth::kAll);
  EXPECT_EQ(report.findings_total, 0u);
  EXPECT_EQ(report.not_searched, std::vector<std::string>{"far"});
}

TEST(Fsck, ShowsHowFarItIs) {
  FsckRig rig;
  FsckOptions options;
  options.pause = std::chrono::milliseconds(1);
  std::vector<FsckCounts> shown;
  const auto report = rig.run(fsck(rig.services, options, [&](const FsckCounts& now) { shown.push_back(now); }));
  ASSERT_TRUE(report.ok());
  ASSERT_GT(shown.size(), 2u);
  for (std::size_t n = 1; n < shown.size(); ++n) {
    EXPECT_GE(shown[n].objects, shown[n - 1].objects);
    EXPECT_GE(shown[n].bytes_verified, shown[n - 1].bytes_verified);
  }
  EXPECT_LT(shown.front().gens, report->gens);
  EXPECT_EQ(shown.back().gens, report->gens);
}

TEST(Fsck, SaysWhereAndWhatToDo) {
  FsckRig rig;
  rig.erase_row(meta::keys::gen(kTenant, rig.head("a")->gen));
  for (const Finding& finding : rig.check(Depth::kRows).findings) {
    if (finding.kind == "name-without-gen") {
      EXPECT_EQ(finding.what.substr(0, 9), "acc/box/a") << finding.what;
    }
    EXPECT_FALSE(finding.advice.empty());
  }
}

// --- beside writers

Task<void> write_and_delete(TierRig& rig, bool& stop) {
  int n = -1;
  while (!stop) {
    ++n;
    const std::string name = "busy" + std::to_string(n % 7);
    Bytes bytes(50'000 + static_cast<std::size_t>(n) % 1'000);
    rig.random.fill(bytes);
    store::testing::SteppedSource body(bytes, 10'000);
    store::PutObject request;
    request.length = bytes.size();
    request.body = &body;
    CO_TRY(rig.store.put_object(TierRig::object(name), std::move(request)));
    if (n % 3 == 0) {
      CO_TRY(rig.store.delete_object(TierRig::object(name), {}));
    }
    CO_TRY(rig.collector.pass());
    CO_TRY(sleep_for(std::chrono::microseconds(100)));
  }
  co_return Result<void>{};
}

Task<FsckReport> fsck_beside(TierRig& rig, FsckOptions options) {
  const auto executor = co_await boost::asio::this_coro::executor;
  bool stop = false;
  Scope writers("writers");
  writers.spawn(executor, write_and_delete(rig, stop));
  FsckReport all;
  for (int n = 0; n < 10; ++n) {
    auto report = co_await fsck(rig.services, options);
    if (!report.ok()) {
      stop = true;
      (void)co_await writers.join();
      co_return report.error();
    }
    all.findings_total += report->findings_total;
    for (Finding& finding : report->findings) all.findings.push_back(std::move(finding));
  }
  stop = true;
  CO_TRY(writers.join());
  co_return all;
}

TEST(Fsck, WritersDeletesAndCompactionBesideItAreNoFindings) {
  FsckRig rig;
  FsckOptions options;
  options.depth = Depth::kBytes;
  options.pause = std::chrono::milliseconds(20);
  const auto report = rig.run(fsck_beside(rig, options));
  ASSERT_TRUE(report.ok()) << to_string(report.error());
  for (const Finding& finding : report->findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
  EXPECT_EQ(report->findings_total, 0u);
}

}  // namespace
}  // namespace tombolo::tiering
