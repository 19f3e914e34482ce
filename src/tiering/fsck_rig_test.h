// FsckRig: a store with one of everything, and every way in which a test knows to damage it.
#pragma once

#include <set>

#include "data/layout.h"
#include "data/segment_rows.h"
#include "kv/run.h"
#include "meta/keys/keys.h"
#include "meta/model/codec.h"
#include "meta/ops/gens.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck.h"
#include "tiering/native_key.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering::testing {

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

  FsckReport check(Depth depth, Mending mending = Mending::kNo) {
    FsckOptions asked;
    asked.depth = depth;
    asked.mending = mending;
    asked.pause = std::chrono::milliseconds(1);
    const auto report = run(fsck(services, asked));
    EXPECT_TRUE(report.ok()) << to_string(report.error());
    return *report;
  }
  static std::set<std::string> kinds_of(const FsckReport& report) {
    std::set<std::string> out;
    for (const Finding& finding : report.findings) out.insert(finding.kind);
    return out;
  }
  std::set<std::string> kinds(Depth depth) { return kinds_of(check(depth)); }

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

  /// Behind tombolo's back; with a nonce: as an offload would.
  void put_remote(const std::string& key, const Bytes& bytes, const std::string& nonce) {
    remote::PutRequest request;
    request.key = key;
    request.size = bytes.size();
    request.crc64 = crc64(bytes);
    if (!nonce.empty()) request.headers.metadata.emplace(kNonceField, nonce);
    EXPECT_TRUE(run(far->memory.put(std::move(request), remote::body_of(Block(Bytes(bytes))))).ok());
  }
  /// What each name gives that can be read, past every cache.
  std::map<std::string, Bytes> read_all_names() {
    data::BlockCache nothing_cached({.bytes_max = kMiB, .shards = 1});
    store::Services cold{services.cell, segments, nothing_cached, remotes, pins, workers};
    store::Store cold_store(cold);
    std::map<std::string, Bytes> out;
    for (const std::string& name : names()) {
      auto reader = run(cold_store.get_object(object(name), {}, {}));
      if (!reader.ok()) continue;
      auto bytes = run(read_all(*reader->body, 256 * kMiB));
      if (bytes.ok()) out.emplace(name, *std::move(bytes));
      reader->body.reset();
    }
    return out;
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

struct Damage {
  std::string name;
  Depth depth;
  std::function<void(FsckRig&)> plant;
  std::set<std::string> kinds;  // that fsck finds
};
/// One at a time in rows, files and remotes.
std::vector<Damage> damages();

}  // namespace tombolo::tiering::testing
