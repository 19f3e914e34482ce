// Power loss: what was acknowledged is there after a restart, what was not is not.
#include "kv/log/log_engine.h"
#include "kv/memory/memory_index.h"
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::kTenant;
using testing::SteppedSource;

/// One life of the process, over a disk that outlives it.
struct Process {
  explicit Process(disk::MemoryDisk& disk_given, std::uint64_t life) : disk(disk_given), random(life) {
    kv::LogEngineOptions options;
    options.log.file_bytes = 1 * kMiB;
    options.free_bytes_min = 0;
    kv::LogEngine::Services log{.disk = disk,
                                .index = std::make_unique<kv::MemoryIndex>(),  // never flushed: the log is all there is
                                .clock = clock,
                                .random = random,
                                .executor = loop.get_executor()};
    auto opened = run(kv::LogEngine::open(std::move(log), options));
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
    engine = *std::move(opened);
    stamper.emplace(*engine, random, clock);
    ids.emplace(*engine, random);
    segments.emplace(*engine, disk, random, data::SegmentStoreConfig{.keep_free_bytes = 0});
    EXPECT_TRUE(run(stamper->recover()).ok());
    EXPECT_TRUE(run(ids->recover()).ok());
    EXPECT_TRUE(run(segments->open()).ok());
    meta::Cell cell{*engine, random, clock, *stamper, *ids, ledger};
    services.emplace(Services{cell, *segments, cache, remotes, pins, workers});
    store.emplace(*services);
  }
  ~Process() {
    EXPECT_TRUE(run(segments->close()).ok());
    segments.reset();
    (void)run(engine->stop());
  }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop, std::move(task));
  }
  Result<meta::Object> put(const std::string& name, const Bytes& bytes) {
    SteppedSource body(bytes, 77'777);
    PutObject request;
    request.length = bytes.size();
    request.body = &body;
    return run(store->put_object(testing::Rig::object(name), request));
  }
  Result<Bytes> get(const std::string& name) {
    TRY_ASSIGN(ObjectReader reader, run(store->get_object(testing::Rig::object(name), {}, {})));
    return run(read_all(*reader.body, 64 * kMiB));
  }
  Bytes got(const std::string& name) {
    Result<Bytes> bytes = get(name);
    if (bytes.ok()) return *std::move(bytes);
    ADD_FAILURE() << name << ": " << to_string(bytes.error());
    return {};
  }

  boost::asio::io_context loop{1};
  ManualClock clock;
  disk::MemoryDisk& disk;
  SeededRandom random;
  std::unique_ptr<kv::LogEngine> engine;
  std::optional<meta::Stamper> stamper;
  std::optional<meta::IdAllocator> ids;
  std::optional<data::SegmentStore> segments;
  data::BlockCache cache;
  Remotes remotes;
  GenPins pins;
  Workers workers{{.threads = 2}};
  SegmentLedger ledger;
  std::optional<Services> services;
  std::optional<Store> store;
};

Bytes noise(std::uint64_t seed, std::size_t size) {
  SeededRandom random(seed);
  Bytes bytes(size);
  random.fill(bytes);
  return bytes;
}

/// Gives half of its bytes, then the power fails.
class FatalSource final : public ByteSource {
 public:
  FatalSource(disk::MemoryDisk& disk, Bytes bytes) : disk_(disk), inner_(std::move(bytes), 100'000) {}
  Task<Block> next() override {
    if (++calls_ == 3) disk_.crash();
    return inner_.next();
  }

 private:
  disk::MemoryDisk& disk_;
  SteppedSource inner_;
  int calls_ = 0;
};

TEST(Crash, WhateverWasAcknowledgedIsThereAfterPowerLoss) {
  disk::MemoryDisk disk;
  std::map<std::string, Bytes> acked;
  std::uint64_t life = 1;
  {
    Process first(disk, life);
    ASSERT_TRUE(first.run(first.store->create_container(testing::Rig::box(), {})).ok());
    disk.crash();
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{5'000}, std::size_t{300'000},
                                 static_cast<std::size_t>(9 * kMiB)}) {
    Process process(disk, ++life);
    for (const auto& [name, bytes] : acked) {
      const auto got = process.get(name);
      ASSERT_TRUE(got.ok()) << name << ": " << to_string(got.error());
      EXPECT_EQ(*got, bytes) << name;
    }
    const std::string name = "n" + std::to_string(size);
    const Bytes bytes = noise(size + 1, size);
    const auto put = process.put(name, bytes);
    ASSERT_TRUE(put.ok()) << to_string(put.error());
    const Bytes again = noise(size + 2, 20'000);
    ASSERT_TRUE(process.put("overwritten", again).ok());
    disk.crash();
    acked[name] = bytes;
    acked["overwritten"] = again;
  }
}

TEST(Crash, APutThatThePowerEndedLeavesNothing) {
  disk::MemoryDisk disk;
  const Bytes kept = noise(1, 400'000), block = noise(2, 90'000);
  {
    Process process(disk, 1);
    ASSERT_TRUE(process.run(process.store->create_container(testing::Rig::box(), {})).ok());
    ASSERT_TRUE(process.put("kept", kept).ok());
    SteppedSource body(block, 10'000);
    StageBlock stage;
    stage.block_id = "b1";
    stage.length = block.size();
    stage.body = &body;
    ASSERT_TRUE(process.run(process.store->stage_block(testing::Rig::object("blocks"), stage)).ok());
    const Bytes lost = noise(3, 700'000);
    FatalSource fatal(disk, lost);
    PutObject request;
    request.length = lost.size();
    request.body = &fatal;
    EXPECT_FALSE(process.run(process.store->put_object(testing::Rig::object("kept"), request)).ok());
  }
  Process process(disk, 2);
  EXPECT_EQ(process.got("kept"), kept);
  CommitBlockList commit;
  commit.blocks = {{BlockSource::kUncommitted, "b1"}};
  const auto object = process.run(process.store->commit_block_list(testing::Rig::object("blocks"), commit));
  ASSERT_TRUE(object.ok()) << to_string(object.error());
  EXPECT_EQ(process.got("blocks"), block);
}

}  // namespace
}  // namespace tombolo::store
