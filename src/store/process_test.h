// Process: a Store over a commit log, as a server has it, on a disk that outlives it.
#pragma once

#include "kv/log/log_engine.h"
#include "kv/memory/memory_index.h"
#include "store/rig_test.h"

namespace tombolo::store::testing {

/// One life of the process, over a disk that outlives it.
struct Process {
  Process(disk::Disk& disk_given, std::uint64_t life, std::uint64_t free_bytes_min = 0)
      : disk(disk_given), random(life) {
    kv::LogEngineOptions options;
    options.log.file_bytes = 1 * kMiB;
    options.free_bytes_min = free_bytes_min;
    options.mark_after = std::chrono::hours(1);  // never alone: what is synced is what somebody waits for
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
    segments.emplace(*engine, disk, random, clock, data::SegmentStoreConfig{.keep_free_bytes = 0});
    EXPECT_TRUE(run(stamper->recover()).ok());
    EXPECT_TRUE(run(ids->recover()).ok());
    EXPECT_TRUE(run(segments->open()).ok());
    meta::Cell cell{*engine, random, clock, *stamper, *ids, ledger, seals};
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
    return run(store->put_object(Rig::object(name), request));
  }
  Result<Bytes> get(const std::string& name) {
    TRY_ASSIGN(ObjectReader reader, run(store->get_object(Rig::object(name), {}, {})));
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
  disk::Disk& disk;
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
  meta::HeldSeals seals;
  std::optional<Services> services;
  std::optional<Store> store;
};

}  // namespace tombolo::store::testing
