// Cell: one metadata engine, its segments, and every service over them, opened and closed in the right order.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "auth/seal.h"
#include "base/clock.h"
#include "base/random.h"
#include "data/block_cache.h"
#include "data/segment_store.h"
#include "disk/disk.h"
#include "jobs/scheduler.h"
#include "kv/log/log_engine.h"
#include "meta/stamps.h"
#include "observe/metrics.h"
#include "server/remote_drivers.h"
#include "server/runtime.h"
#include "server/settings.h"
#include "store/accounts.h"
#include "store/segment_ledger.h"
#include "store/services.h"
#include "store/store.h"
#include "tiering/census.h"
#include "tiering/collector.h"
#include "tiering/fsck.h"

namespace tombolo::server {

/// What a cell stands on. Tests replace the disk and the index's file system; everything else stays as in production.
struct Foundation {
  disk::Disk& disk;                  // log/ and segments/ lie in it
  std::unique_ptr<kv::Index> index;  // opened on index/
  BytesView root_key;
  Clock& clock;
  Random& random;
  Runtime& runtime;
  observe::Metrics& metrics;
  std::shared_ptr<const http::TlsClient> trust;  // of https remotes
  std::uint32_t idle_files_max;                  // data::SegmentStoreConfig's
};

/// What a cell holds, summed over its containers.
struct CellUsage {
  std::uint64_t objects = 0, bytes = 0;
  std::uint64_t bytes_local = 0;  // of live runs on flash
  std::uint64_t bytes_cold = 0;   // whose only place is a remote
  std::uint64_t open_segment_bytes = 0;
};

enum class Background { kRun, kNone };  // kNone: no jobs, no collector (fsck of a stopped cell)

/// open() recovers; close() must end before destruction. Thread-safe in between.
class Cell {
 public:
  static Task<std::unique_ptr<Cell>> open(Foundation foundation, Settings settings, Background background);
  ~Cell();
  Task<void> close();

  /// Reads counters: cheap in objects, linear in containers and segments.
  Task<CellUsage> usage();
  /// Why writes are refused now, and what to do; empty while they are taken.
  Task<std::string> why_no_writes();
  /// Every container of every account.
  Task<std::vector<meta::ContainerKey>> containers();
  /// tiering::take_census of them.
  Task<tiering::Census> census();

  /// tiering::fsck, and the commit log and the index's files read and verified ("log-or-index").
  Task<tiering::FsckReport> fsck(tiering::FsckOptions options, tiering::FsckProgress progress = {});

  store::Services& services() { return *services_; }
  store::Store& store() { return *store_; }
  store::Accounts& accounts() { return *accounts_; }
  jobs::Scheduler& jobs() { return *jobs_; }
  kv::LogEngine& engine() { return *engine_; }
  data::SegmentStore& segments() { return *segments_; }
  data::BlockCache& cache() { return *cache_; }
  RemoteDrivers& drivers() { return *drivers_; }
  disk::Disk& disk() { return disk_; }
  observe::Metrics& metrics() { return metrics_; }

 private:
  Cell(Foundation& foundation, const Settings& settings);
  Task<void> open_parts(Foundation foundation, Background background);

  const Settings settings_;
  disk::Disk& disk_;
  Clock& clock_;
  Random& random_;
  Runtime& runtime_;
  observe::Metrics& metrics_;
  auth::Sealer sealer_;
  store::SegmentLedger ledger_;
  meta::HeldSeals seals_;
  store::Remotes remotes_;
  store::GenPins pins_;
  std::unique_ptr<kv::LogEngine> engine_;
  std::unique_ptr<meta::Stamper> stamper_;
  std::unique_ptr<meta::IdAllocator> ids_;
  std::unique_ptr<data::BlockCache> cache_;
  std::unique_ptr<data::SegmentStore> segments_;
  std::unique_ptr<store::Services> services_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Accounts> accounts_;
  std::unique_ptr<RemoteDrivers> drivers_;
  std::unique_ptr<jobs::Scheduler> jobs_;
  std::unique_ptr<tiering::Collector> collector_;
};

}  // namespace tombolo::server
