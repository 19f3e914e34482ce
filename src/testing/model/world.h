// World: a simulated machine with one cell on it, its remote, and their time. One thread, nothing waits.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/virtual_time.h"
#include "async/workers.h"
#include "data/block_cache.h"
#include "data/segment_store.h"
#include "jobs/scheduler.h"
#include "kv/log/log_engine.h"
#include "kv/memory/memory_index.h"
#include "meta/stamps.h"
#include "remote/memory/memory_remote.h"
#include "store/segment_ledger.h"
#include "store/services.h"
#include "store/store.h"
#include "testing/chaos_remote.h"
#include "testing/paced_disk.h"
#include "testing/sim_disk.h"
#include "tiering/collector.h"

namespace tombolo::testing::model {

enum class EngineKind {
  kMemory,  // the commit log on the simulated disk, the index in memory with a flushed image
  kRocks,   // RocksDB on the simulated disk too
};

inline constexpr TenantId kTenant{1};
inline constexpr const char* kRemoteName = "far";
inline store::ContainerRef box() {
  return {kTenant, "acc", "box"};
}

/// One life of the process. Members in the order in which they are made.
struct Life {
  explicit Life(std::uint64_t seed) : random(seed) {}

  SeededRandom random;
  Workers workers{{.threads = 0}};
  std::unique_ptr<kv::LogEngine> engine;
  std::optional<meta::Stamper> stamper;
  std::optional<meta::IdAllocator> ids;
  store::SegmentLedger ledger;
  meta::HeldSeals seals;
  data::BlockCache cache{{.bytes_max = 96 * kKiB, .shards = 1}};
  store::Remotes remotes;
  store::GenPins pins;
  std::optional<data::SegmentStore> segments;
  std::optional<store::Services> services;
  std::optional<store::Store> store;
  std::optional<jobs::Scheduler> jobs;
  std::optional<tiering::Collector> collector;
};

struct WorldOptions {
  EngineKind engine = EngineKind::kMemory;
  std::uint64_t seed = 1;
  std::string forgotten_syncs = {};  // plants a bug: see SimDisk
  PaceOptions pace = {};             // of disk, index and remote, for more than one client at a time
};

/// Its limits are tiny, so that a short sequence meets all of them.
class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  /// A life begins on what the disk holds. The error is that of whatever refused; nothing lives then.
  Result<void> open();
  /// The process ends at once. What it still does before it is gone fails if the machine is dead.
  Result<void> stop();
  /// A clean stop.
  Result<void> close();
  /// After stop(): what was in memory is gone, and of the disk what `unsynced` says; nullopt: the machine goes on.
  void lose(std::optional<disk::PowerLoss::Unsynced> unsynced);

  /// kDeadline when the task does not end in a simulated hour: it is stuck.
  template <class T>
  Result<T> run(Task<T> task) {
    return time.run(std::move(task), std::chrono::hours(1));
  }
  bool alive() const { return life != nullptr; }
  /// The process still runs, and refuses all changes until it is started again.
  bool stopped() const;

  const EngineKind engine;
  const std::uint64_t seed;
  ManualClock clock;
  SimMachine machine;
  SimDisk disk;
  Pace pace;
  PacedDisk paced_disk{disk, pace};
  kv::MemoryIndex rows;  // of EngineKind::kMemory
  std::shared_ptr<remote::MemoryRemote> bucket = std::make_shared<remote::MemoryRemote>(kRemoteName, clock);
  std::shared_ptr<ChaosRemote> chaos;
  boost::asio::io_context loop{1};  // goes before what tasks refer to that are stuck on it
  VirtualTime time{loop, clock};
  std::unique_ptr<Life> life;
  std::uint64_t lives = 0;

 private:
  Task<void> open_parts();
  Task<std::unique_ptr<kv::Index>> make_index();
  Result<void> end(bool clean);
};

}  // namespace tombolo::testing::model
