#include "testing/model/world.h"

#include "kv/rocks/rocks_index.h"
#include "testing/paced_index.h"
#include "testing/sim_rocks_files.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::testing::model {

namespace {

/// Lends the world's rows to one engine after another. A flush is a step of the machine.
class LentIndex final : public kv::Index {
 public:
  LentIndex(kv::MemoryIndex& rows, SimMachine& machine) : rows_(rows), machine_(machine) {}
  kv::Position applied() const override { return rows_.applied(); }
  Task<void> apply(const std::vector<kv::LogEntry>& group, kv::Position to) override { return rows_.apply(group, to); }
  std::unique_ptr<kv::Snapshot> snapshot() override { return rows_.snapshot(); }
  Task<void> flush() override {
    const auto verdict = machine_.begin({.kind = SimStep::kFlushIndex, .where = "rows"});
    if (verdict.error) co_return *verdict.error;
    CO_TRY(rows_.flush());
    if (verdict.dies_after) co_return machine_.die();
    co_return Result<void>{};
  }
  std::uint64_t flush_bytes() const override { return rows_.flush_bytes(); }
  Task<void> verify() override { return rows_.verify(); }

 private:
  kv::MemoryIndex& rows_;
  SimMachine& machine_;
};

/// The remote as a process reaches it that dies with its machine: before a call, or after it.
class ReachedRemote final : public remote::Remote {
 public:
  ReachedRemote(std::shared_ptr<remote::Remote> inner, SimMachine& machine, Pace& pace)
      : inner_(std::move(inner)), machine_(machine), pace_(pace) {}
  const std::string& name() const override { return inner_->name(); }
  remote::Capabilities capabilities() const override { return inner_->capabilities(); }
  Task<remote::RemoteObject> put(remote::PutRequest request, remote::BodyFactory body, CallSite site) override {
    const std::string key = request.key;
    return reach(inner_->put(std::move(request), std::move(body), site), key, site);
  }
  Task<std::unique_ptr<ByteSource>> get(remote::GetRequest request, CallSite site) override {
    const std::string key = request.key;
    return reach(inner_->get(std::move(request), site), key, site);
  }
  Task<remote::HeadResult> head(std::string key, CallSite site) override {
    return reach(inner_->head(key, site), key, site);
  }
  Task<remote::ListPage> list(remote::ListRequest request, CallSite site) override {
    const std::string prefix = request.prefix;
    return reach(inner_->list(std::move(request), site), prefix, site);
  }
  Task<void> remove(std::string key, remote::Condition condition, CallSite site) override {
    return reach(inner_->remove(key, std::move(condition), site), key, site);
  }

 private:
  template <class T>
  Task<T> reach(Task<T> call, std::string key, CallSite site) {
    CO_TRY(pace_.pause());
    const auto verdict = machine_.begin({.kind = SimStep::kRemote, .where = key, .site = site});
    if (verdict.error) co_return *verdict.error;
    auto result = co_await std::move(call);
    if (verdict.dies_after) co_return machine_.die();
    CO_TRY(pace_.pause());
    if (machine_.dead()) co_return SimMachine::dead_error();
    co_return result;
  }

  const std::shared_ptr<remote::Remote> inner_;
  SimMachine& machine_;
  Pace& pace_;
};

kv::LogEngineOptions engine_options() {
  kv::LogEngineOptions options;
  options.log.file_bytes = 40 * kKiB;
  options.flush_after_bytes = 160 * kKiB;
  options.free_bytes_min = 64 * kKiB;
  return options;
}

data::SegmentStoreConfig segment_options() {
  data::SegmentStoreConfig config;
  config.segment_bytes = 128 * kKiB;
  config.keep_free_bytes = 64 * kKiB;
  config.idle_files_max = 2;
  return config;
}

store::Limits limits() {
  store::Limits limits;
  limits.cold_get_bytes_max = 40 * kKiB;
  limits.admit_bytes_max = 48 * kKiB;
  limits.batch_runs = 2;
  limits.run_bytes_max = 32 * kKiB;
  return limits;
}

tiering::CollectorOptions collector_options() {
  tiering::CollectorOptions options;
  options.grace = std::chrono::milliseconds(20);
  options.remote_grace = std::chrono::milliseconds(40);
  options.compact_bytes_max = 64 * kKiB;
  return options;
}

tiering::OffloadOptions offload_options() {
  tiering::OffloadOptions options;
  options.parallel = 2;
  options.wait_for_gc = Duration(0);
  return options;
}

}  // namespace

World::World(WorldOptions options)
    : engine(options.engine),
      seed(options.seed),
      disk(machine, options.seed, std::move(options.forgotten_syncs)),
      pace(options.seed, options.pace),
      chaos(std::make_shared<ChaosRemote>(bucket, ChaosOptions{.seed = options.seed})) {}

World::~World() {
  if (life) stop().ok() ? void() : void(life.release());  // stuck: what refers to it goes with the loop
}

Task<std::unique_ptr<kv::Index>> World::make_index() {
  if (engine == EngineKind::kMemory) co_return std::make_unique<LentIndex>(rows, machine);
  kv::RocksIndexOptions options;
  options.path = "/" + std::string(SimDisk::kIndexDirectory);
  options.write_buffer_bytes = 256 * kKiB;
  options.block_cache_bytes = 256 * kKiB;
  options.row_cache_bytes = 16 * kKiB;
  options.files = std::make_shared<SimRocksFiles>(disk);
  options.clock = std::make_shared<SleeplessClock>();
  // As server/ makes it before RocksDB sees it.
  CO_TRY(disk.make_directory(std::string(SimDisk::kIndexDirectory)));
  CO_TRY(disk.sync_directory(""));
  co_return co_await kv::open_rocks_index(std::move(options), life->workers);
}

Task<void> World::open_parts() {
  Life& it = *life;
  CO_TRY_ASSIGN(auto index, make_index());
  disk::Disk& files = pace.none() ? static_cast<disk::Disk&>(disk) : paced_disk;
  if (!pace.none()) index = std::make_unique<PacedIndex>(std::move(index), pace);
  kv::LogEngine::Services parts{
      .disk = files, .index = std::move(index), .clock = clock, .random = it.random, .executor = loop.get_executor()};
  CO_TRY_ASSIGN(it.engine, kv::LogEngine::open(std::move(parts), engine_options()));
  it.stamper.emplace(*it.engine, it.random, clock);
  CO_TRY(it.stamper->recover());
  it.ids.emplace(*it.engine, it.random);
  CO_TRY(it.ids->recover());
  it.segments.emplace(*it.engine, files, it.random, clock, segment_options());
  CO_TRY(it.segments->open());
  const meta::Cell cell{*it.engine, it.random, clock, *it.stamper, *it.ids, it.ledger, it.seals};
  it.services.emplace(store::Services{cell, *it.segments, it.cache, it.remotes, it.pins, it.workers, limits()});
  it.store.emplace(*it.services);
  it.remotes.set(kRemoteName, std::make_shared<ReachedRemote>(chaos, machine, pace));
  it.jobs.emplace(*it.engine, clock, it.random, loop.get_executor(), jobs::SchedulerOptions{.kept_ended = 3});
  tiering::register_offload(*it.jobs, *it.services, offload_options());
  tiering::register_recall(*it.jobs, *it.services);
  it.collector.emplace(*it.services, loop.get_executor(), collector_options());
  co_return co_await it.jobs->start();
}

Result<void> World::open() {
  ++lives;
  life = std::make_unique<Life>(seed * 1'000 + lives);
  auto opened = run(open_parts());
  if (opened.ok() || opened.error().code == Code::kDeadline) return opened;
  TRY(stop());
  return opened;
}

Result<void> World::end(bool clean) {
  Result<void> first;
  const auto keep = [&first](Result<void> result) {
    if (first.ok() && !result.ok()) first = std::move(result);
  };
  if (life->jobs) keep(run(life->jobs->stop()));
  if (life->segments && clean) {  // as server/ does
    for (const auto purpose : {kv::Purpose::kStores, kv::Purpose::kFreesSpace}) {
      keep(run(life->segments->rotate(purpose)));
    }
  }
  if (life->segments) keep(run(life->segments->close()));
  if (life->engine) keep(run(clean ? life->engine->close() : life->engine->stop()));
  time.settle();
  return first;
}

Result<void> World::stop() {
  TRY(end(false));
  life.reset();
  return {};
}

Result<void> World::close() {
  auto closed = end(true);
  if (!closed.ok() && closed.error().code == Code::kDeadline) return closed;
  life.reset();
  return closed;
}

void World::lose(std::optional<disk::PowerLoss::Unsynced> unsynced) {
  ASSERT(!life);
  rows.crash();
  if (unsynced) {
    disk.lose_power(*unsynced);
  } else {
    disk.kill();
  }
}

bool World::stopped() const {
  return life && life->engine && life->engine->status().stopped;
}

}  // namespace tombolo::testing::model
