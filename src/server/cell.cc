#include "server/cell.h"

#include <algorithm>

#include "data/segment_rows.h"
#include "meta/ops/usage.h"
#include "server/writable.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::server {
namespace {

// Without a rest an empty cell would keep a core busy.
constexpr Duration kCollectRestMin = std::chrono::milliseconds(100);
constexpr std::uint64_t kCellId = 1;  // one cell a process so far

Duration seconds(std::uint64_t count) {
  return Duration(static_cast<std::int64_t>(count) * 1'000'000);
}

kv::LogEngineOptions engine_options(const Settings& settings) {
  kv::LogEngineOptions options;
  options.log.file_bytes = settings.log_file_bytes;
  options.flush_after_bytes = settings.index_flush_bytes;
  options.free_bytes_min = settings.reserve_bytes;
  return options;
}

data::SegmentStoreConfig segment_options(const Settings& settings, std::uint32_t idle_files_max) {
  data::SegmentStoreConfig config;
  config.segment_bytes = settings.segment_bytes;
  config.keep_free_bytes = settings.reserve_bytes;
  config.idle_files_max = idle_files_max;
  config.cell = kCellId;
  return config;
}

}  // namespace

Cell::Cell(Foundation& foundation, const Settings& settings)
    : settings_(settings),
      disk_(foundation.disk),
      clock_(foundation.clock),
      random_(foundation.random),
      runtime_(foundation.runtime),
      metrics_(foundation.metrics),
      sealer_(foundation.root_key, foundation.random) {}

Cell::~Cell() = default;

Task<std::unique_ptr<Cell>> Cell::open(Foundation foundation, Settings settings, Background background) {
  std::unique_ptr<Cell> cell(new Cell(foundation, settings));
  auto opened = co_await cell->open_parts(std::move(foundation), background);
  if (!opened.ok()) {
    (void)co_await cell->close();
    co_return std::move(opened).error();
  }
  co_return cell;
}

Task<void> Cell::open_parts(Foundation foundation, Background background) {
  kv::LogEngine::Services engine{.disk = disk_,
                                 .index = std::move(foundation.index),
                                 .clock = clock_,
                                 .random = random_,
                                 .executor = runtime_.background(),
                                 .group_times = &metrics_.histogram(observe::Metric::kLogSyncSeconds, {})};
  CO_TRY_ASSIGN(engine_, kv::LogEngine::open(std::move(engine), engine_options(settings_)));
  stamper_ = std::make_unique<meta::Stamper>(*engine_, random_, clock_);
  CO_TRY(stamper_->recover());
  ids_ = std::make_unique<meta::IdAllocator>(*engine_, random_);
  CO_TRY(ids_->recover());
  cache_ = std::make_unique<data::BlockCache>(data::BlockCacheConfig{.bytes_max = settings_.cache_bytes});
  segments_ = std::make_unique<data::SegmentStore>(*engine_, disk_, random_, clock_,
                                                   segment_options(settings_, foundation.idle_files_max));
  CO_TRY(segments_->open());
  const meta::Cell cell{*engine_, random_, clock_, *stamper_, *ids_, ledger_, seals_};
  services_.reset(new store::Services{cell, *segments_, *cache_, remotes_, pins_, runtime_.workers()});
  services_->on_remote_rot = [&metrics = metrics_](std::string_view remote) {
    metrics.counter(observe::Metric::kRemoteRequests, {remote, "get", code_name(Code::kCorrupt)}).add();
  };
  for (const std::string_view kind : {"corrupt", "unreadable", "missing"}) {
    static_cast<void>(metrics_.counter(observe::Metric::kDamage, {kind}));  // an alert waits for its first increase
  }
  services_->on_local_damage = [&metrics = metrics_](std::string_view kind) {
    metrics.counter(observe::Metric::kDamage, {kind}).add();
  };
  store_ = std::make_unique<store::Store>(*services_);
  accounts_ = std::make_unique<store::Accounts>(cell, sealer_);
  CO_TRY(accounts_->check_root_key());  // before anything else is sealed under it
  RemotePatience patience;
  patience.first_byte_max = std::chrono::seconds(settings_.remote_first_byte_seconds);
  patience.stall_max = std::chrono::seconds(settings_.remote_stall_seconds);
  patience.operation_max = std::chrono::seconds(settings_.remote_operation_seconds);
  patience.tries_max = static_cast<int>(settings_.remote_tries);
  drivers_ = std::make_unique<RemoteDrivers>(cell, sealer_, remotes_, patience, std::move(foundation.trust), metrics_);
  // Clients are not kept waiting; whoever checks a stopped cell wants all of its copies seen.
  CO_TRY(drivers_->connect_all(background == Background::kNone ? seconds(60) : seconds(2)));
  jobs_ = std::make_unique<jobs::Scheduler>(
      *engine_, clock_, random_, runtime_.background(),
      jobs::SchedulerOptions{.running_max = static_cast<unsigned>(settings_.jobs_max)});
  tiering::register_offload(*jobs_, *services_, {.parallel = static_cast<unsigned>(settings_.offload_parallel)});
  tiering::register_recall(*jobs_, *services_);
  if (background == Background::kNone) co_return Result<void>{};
  tiering::CollectorOptions options{.interval = std::max(kCollectRestMin, seconds(settings_.gc_interval_seconds)),
                                    .grace = seconds(settings_.gc_grace_seconds),
                                    .remote_grace = seconds(settings_.remote_grace_seconds),
                                    .compact_dead_percent = static_cast<unsigned>(settings_.compact_dead_percent)};
  collector_ = std::make_unique<tiering::Collector>(*services_, runtime_.background(), options);
  collector_->start();
  co_return co_await jobs_->start();
}

Task<std::vector<meta::ContainerKey>> Cell::containers() {
  std::vector<meta::ContainerKey> all;
  CO_TRY_ASSIGN(const auto accounts, accounts_->list());
  for (const std::string& name : accounts) {
    CO_TRY_ASSIGN(const auto keys, accounts_->find(name));
    if (!keys) continue;
    store::ListContainers query;
    for (bool more = true; more;) {
      CO_TRY_ASSIGN(const auto page, store_->list_containers(keys->raw.tenant, name, query));
      for (const meta::Container& container : page.containers) all.push_back({container.tenant, container.id});
      more = page.next.has_value();
      if (more) query.start_after = *page.next;
    }
  }
  co_return all;
}

Task<tiering::Census> Cell::census() {
  CO_TRY_ASSIGN(auto all, containers());
  co_return co_await tiering::take_census(*services_, std::move(all));
}

Task<CellUsage> Cell::usage() {
  CellUsage sum;
  CO_TRY_ASSIGN(const auto all, containers());
  for (const meta::ContainerKey& container : all) {
    CO_TRY_ASSIGN(const meta::Usage usage, meta::read_usage(services_->cell, container));
    sum.objects += usage.objects;
    sum.bytes += usage.bytes;
  }
  CO_TRY_ASSIGN(sum.bytes_cold, meta::read_cold_bytes(services_->cell));
  auto snapshot = engine_->snapshot();
  CO_TRY_ASSIGN(const auto segments, data::read_segments(*snapshot));
  std::uint64_t sealed_bytes = 0;
  for (const data::SegmentInfo& segment : segments) {
    sum.bytes_local += static_cast<std::uint64_t>(std::max<std::int64_t>(0, segment.live_bytes));
    sealed_bytes += segment.row.file_bytes;
  }
  const std::uint64_t files = segments_->file_bytes();
  sum.open_segment_bytes = files > sealed_bytes ? files - sealed_bytes : 0;
  co_return sum;
}

Task<std::string> Cell::why_no_writes() {
  std::optional<Room> room;
  if (const auto space = co_await disk_.space(); space.ok()) {
    room = Room{.free_bytes = space->free_bytes,
                .reserve_bytes = settings_.reserve_bytes,
                .log_file_bytes = settings_.log_file_bytes,
                .segment_needs = segments_->free_bytes_needed()};
  }
  co_return server::why_no_writes(engine_->status(), room);
}

Task<tiering::FsckReport> Cell::fsck(tiering::FsckOptions options, tiering::FsckProgress progress) {
  CO_TRY_ASSIGN(tiering::FsckReport report, tiering::fsck(*services_, options, std::move(progress)));
  const Result<void> verified = co_await engine_->verify();
  if (verified.ok()) co_return report;
  if (verified.error().code != Code::kCorrupt) co_return verified.error();
  ++report.findings_total;
  report.findings.push_back({"log-or-index", verified.error().message,
                             "what is committed now is in memory and still served: copy the data out before a restart, "
                             "then restore this directory from a backup"});
  co_return report;
}

Task<void> Cell::close() {
  // Whoever writes rows stops before the rows' engine does.
  Result<void> first;
  const auto keep = [&first](Result<void> result) {
    if (first.ok() && !result.ok()) first = std::move(result);
  };
  if (jobs_) keep(co_await jobs_->stop());
  if (collector_) keep(co_await collector_->stop());
  if (segments_) {  // sealed, so that the next start has nothing to write anew
    for (const auto purpose : {kv::Purpose::kStores, kv::Purpose::kFreesSpace})
      keep(co_await segments_->rotate(purpose));
    keep(co_await segments_->close());
  }
  if (engine_) keep(co_await engine_->close());
  if (drivers_) keep(co_await drivers_->close());  // last: over a mount that hangs this does not end
  co_return first;
}

}  // namespace tombolo::server
