// Rig: a Store over memory, with everything a test may want to reach behind it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "async/run.h"
#include "async/workers.h"
#include "base/crc64.h"
#include "base/digest.h"
#include "base/units.h"
#include "data/block_cache.h"
#include "data/segment_store.h"
#include "disk/memory/memory_disk.h"
#include "kv/memory/memory_engine.h"
#include "meta/keys/keys.h"
#include "store/segment_ledger.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store::testing {

inline constexpr TenantId kTenant{1};

/// Gives its bytes in steps of `step`, then fails with `failure` where one is set.
class SteppedSource final : public ByteSource {
 public:
  SteppedSource(Bytes bytes, std::size_t step, std::optional<Error> failure = {})
      : rest_(std::move(bytes)), step_(step), failure_(std::move(failure)) {}
  Task<Block> next() override {
    if (rest_.empty() && failure_) co_return *failure_;
    const std::size_t length = std::min(rest_.size(), step_);
    const Block out = rest_.slice(0, length);
    rest_ = rest_.slice(length, rest_.size() - length);
    co_return out;
  }

 private:
  Block rest_;
  std::size_t step_;
  std::optional<Error> failure_;
};

struct RigOptions {
  Limits limits = {};
  std::uint64_t segment_bytes = 64 * kMiB;
};

class Rig {
 public:
  explicit Rig(RigOptions options = {}) : segments(engine, disk, random, clock, segment_config(options)) {
    services.limits = options.limits;
    EXPECT_TRUE(run(stamper.recover()).ok());
    EXPECT_TRUE(run(ids.recover()).ok());
    EXPECT_TRUE(run(segments.open()).ok());
    EXPECT_TRUE(run(store.create_container(box(), {})).ok());
  }
  ~Rig() { EXPECT_TRUE(run(segments.close()).ok()); }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop, std::move(task));
  }

  static ContainerRef box() { return {kTenant, "acc", "box"}; }
  static ObjectRef object(std::string name) { return {box(), std::move(name)}; }

  Bytes noise(std::size_t size) {
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
  }

  Result<meta::Object> put(std::string name, const Bytes& bytes, PutObject request = {}) {
    SteppedSource body(bytes, 100'003);
    request.length = bytes.size();
    request.body = &body;
    return run(store.put_object(object(std::move(name)), std::move(request)));
  }
  Result<StagedBlock> stage(std::string name, std::string id, const Bytes& bytes, ExpectedDigests expected = {}) {
    SteppedSource body(bytes, 100'003);
    StageBlock request;
    request.block_id = std::move(id);
    request.length = bytes.size();
    request.body = &body;
    request.expected = expected;
    return run(store.stage_block(object(std::move(name)), std::move(request)));
  }
  Result<meta::Object> commit(std::string name, std::vector<BlockChoice> blocks) {
    CommitBlockList request;
    request.blocks = std::move(blocks);
    return run(store.commit_block_list(object(std::move(name)), std::move(request)));
  }
  Result<ObjectReader> open(std::string name, std::optional<ByteRange> range = {}) {
    return run(store.get_object(object(std::move(name)), range, {}));
  }
  Result<Bytes> drain(ByteSource& source) { return run(read_all(source, 256 * kMiB)); }
  Result<Bytes> get(std::string name, std::optional<ByteRange> range = {}) {
    TRY_ASSIGN(ObjectReader reader, open(std::move(name), range));
    return drain(*reader.body);
  }
  /// As get(), where failing is a failure of the test.
  Bytes got(std::string name, std::optional<ByteRange> range = {}) {
    Result<Bytes> bytes = get(std::move(name), range);
    if (bytes.ok()) return *std::move(bytes);
    ADD_FAILURE() << to_string(bytes.error());
    return {};
  }
  Result<meta::Object> head(std::string name) { return run(store.head_object(object(std::move(name)), {})); }
  std::vector<std::string> names(Include include = Include::kNothing) {
    ListObjects query;
    query.include = include;
    std::vector<std::string> out;
    const auto page = run(store.list_objects(box(), query));
    EXPECT_TRUE(page.ok());
    for (const ListEntry& entry : page->entries) {
      out.push_back(entry.object ? entry.object->name : entry.uncommitted_name.value_or("?"));
    }
    return out;
  }

  boost::asio::io_context loop{1};
  ManualClock clock;
  SeededRandom random{7};
  kv::MemoryEngine engine{clock, {.fault = {}, .guard_of = meta::keys::guard_of}};
  disk::MemoryDisk disk;
  data::SegmentStore segments;
  data::BlockCache cache{{.bytes_max = 16 * kMiB, .shards = 4}};
  Remotes remotes;
  GenPins pins;
  Workers workers{{.threads = 2}};
  SegmentLedger ledger;
  meta::HeldSeals seals;
  meta::Stamper stamper{engine, random, clock};
  meta::IdAllocator ids{engine, random};
  Services services{{engine, random, clock, stamper, ids, ledger, seals}, segments, cache, remotes, pins, workers};
  Store store{services};

 private:
  static data::SegmentStoreConfig segment_config(const RigOptions& options) {
    data::SegmentStoreConfig config;
    config.segment_bytes = options.segment_bytes;
    config.keep_free_bytes = 1 * kMiB;
    return config;
  }
};

/// The part of `bytes` that `range` names.
inline Bytes part(const Bytes& bytes, std::uint64_t offset, std::uint64_t length) {
  return to_bytes(BytesView(bytes).subspan(offset, std::min<std::uint64_t>(length, bytes.size() - offset)));
}

}  // namespace tombolo::store::testing
