#include "tiering/fsck.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/side_by_side.h"
#include "async/sleep.h"
#include "data/layout.h"
#include "data/segment_store.h"
#include "meta/ops/gens.h"
#include "meta/ops/list_objects.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr std::size_t kSideBySide = 8;
constexpr std::size_t kSuspectsMax = 10'000;   // looked at again as soon as there are so many
constexpr std::size_t kMendedAtOnce = 10'000;  // more are healed in the next pass
constexpr int kPassesMax = 20;                 // of looking and healing
constexpr int kRoundsMax = 3;                  // of looking again at what still changes
constexpr std::uint32_t kPage = 500;
constexpr std::uint64_t kForeignMax = 10'000;  // objects of others looked at in one remote

Task<Findings> check(Checking& checking, Unit unit) {
  const meta::ContainerKey container{unit.tenant, ContainerId{unit.id}};
  switch (unit.kind) {
    case Unit::Kind::kObject:
      co_return co_await check_object(checking, container, std::move(unit.name));
    case Unit::Kind::kBlock:
      co_return co_await check_block(checking, container, UploadId{unit.other}, std::move(unit.name));
    case Unit::Kind::kGen:
      co_return co_await check_gen(checking, unit.tenant, GenId{unit.id});
    case Unit::Kind::kGone:
      co_return co_await check_gone(checking, unit.tenant, GenId{unit.id});
    case Unit::Kind::kEdge:
      co_return co_await check_edge(checking, unit.tenant, GenId{unit.id}, HolderId{unit.other});
    case Unit::Kind::kUnnamed:
      co_return co_await check_unnamed_object(checking, std::move(unit.name), std::move(unit.key));
    case Unit::Kind::kNativeKey:
      co_return co_await check_native_key(checking, unit.tenant, std::move(unit.name), std::move(unit.key));
    case Unit::Kind::kSegment:
      co_return co_await check_segment(checking, SegmentId{unit.id});
    case Unit::Kind::kSegmentFile:
      co_return co_await check_segment_file(checking, std::move(unit.name));
    case Unit::Kind::kCounters:
      co_return co_await check_counters(checking);
  }
  co_return Findings{};
}

class Fsck {
 public:
  Fsck(Checking& checking, FsckProgress progress) : checking_(checking), progress_(std::move(progress)) {}

  Task<void> look_at_everything() {
    CO_TRY(begin_round(checking_));
    CO_TRY(segments());
    CO_TRY_ASSIGN(const auto tenants, meta::list_data_tenants(checking_.services.cell));
    for (const TenantId tenant : tenants) {
      CO_TRY_ASSIGN(const auto containers, meta::list_data_containers(checking_.services.cell, tenant));
      for (const meta::ContainerKey& container : containers) {
        CO_TRY(names(container));
      }
      CO_TRY(gens(tenant));
      CO_TRY(leftovers(tenant));
      CO_TRY(lonely_edges(tenant));
      CO_TRY(native_keys(tenant));
    }
    if (checking_.options.depth == Depth::kAll) {
      for (std::string& remote : checking_.services.remotes.names()) {
        CO_TRY(unnamed_objects(std::move(remote)));
      }
    }
    Unit counters;
    counters.kind = Unit::Kind::kCounters;
    CO_TRY(enter(std::move(counters)));
    co_return co_await flush();
  }

  /// What still looks the same after a pause is wrong; what looks otherwise was, or is, being changed.
  Task<void> look_again() {
    const FsckCounts counted = checking_.report;
    for (int round = 0; round < kRoundsMax && !suspects_.empty(); ++round) {
      CO_TRY(sleep_for(checking_.options.pause));
      CO_TRY(begin_round(checking_));
      std::vector<Suspect> again = std::exchange(suspects_, {});
      for (Suspect& suspect : again) {
        CO_TRY_ASSIGN(Findings now, check(checking_, suspect.unit));
        Findings moving, confirmed;
        for (Finding& finding : now) {
          const auto same = [&finding](const Finding& before) {
            return before.kind == finding.kind && before.what == finding.what;
          };
          const bool persists = std::any_of(suspect.findings.begin(), suspect.findings.end(), same);
          (persists ? confirmed : moving).push_back(std::move(finding));
        }
        for (const Finding& finding : confirmed) confirm(finding);
        if (!confirmed.empty() && confirmed_.size() < kMendedAtOnce) {
          confirmed_.push_back({suspect.unit, std::move(confirmed)});
        }
        if (!moving.empty()) suspects_.push_back({std::move(suspect.unit), std::move(moving)});
      }
    }
    suspects_.clear();
    FsckReport& report = checking_.report;  // what is looked at again is not counted again
    report.gens = counted.gens;
    report.runs = counted.runs;
    report.bytes_verified = counted.bytes_verified;
    report.segments = counted.segments;
    report.remote_objects = counted.remote_objects;
    report.foreign_objects = counted.foreign_objects;
    co_return Result<void>{};
  }

  /// What is wrong for sure, as far as it is to be healed.
  const std::vector<Suspect>& confirmed() const { return confirmed_; }

 private:
  Task<void> segments() {
    std::vector<SegmentId> ids;
    for (const auto& [id, segment] : checking_.segments) ids.push_back(id);
    for (const SegmentId id : ids) {
      Unit unit;
      unit.kind = Unit::Kind::kSegment;
      unit.id = id.value;
      CO_TRY(enter(std::move(unit)));
    }
    CO_TRY_ASSIGN(const auto entries, checking_.services.segments.disk().list(std::string(data::kSegmentsDirectory)));
    for (const disk::Entry& entry : entries) {
      if (entry.name.ends_with(data::kUnfinishedSuffix)) continue;  // comes and goes
      Unit unit;
      unit.kind = Unit::Kind::kSegmentFile;
      unit.name = entry.name;
      CO_TRY(enter(std::move(unit)));
    }
    co_return Result<void>{};
  }

  Task<void> names(meta::ContainerKey container) {
    meta::ObjectQuery query;
    query.limit = kPage;
    while (true) {
      CO_TRY_ASSIGN(const auto page, meta::list_objects(checking_.services.cell, container, query));
      for (const meta::ObjectEntry& entry : page.entries) {
        if (!entry.object) continue;
        checking_.count(&FsckReport::objects);
        Unit unit;
        unit.kind = Unit::Kind::kObject;
        unit.tenant = container.tenant;
        unit.id = container.id.value;
        unit.name = entry.object->name;
        CO_TRY(enter(std::move(unit)));
      }
      if (!page.next) break;
      query.start_after = *page.next;
    }
    std::string from;
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_upload_blocks(checking_.services.cell, container, from));
      broken(page.broken);
      for (const meta::UploadBlock& block : page.rows) {
        CO_TRY(enter_block(container, block));
      }
      from = page.next;
    } while (!from.empty());
    co_return Result<void>{};
  }

  /// Looked at here at once, because looking one up again costs a walk.
  Task<void> enter_block(meta::ContainerKey container, const meta::UploadBlock& block) {
    const meta::Cell cell = checking_.services.cell;
    CO_TRY_ASSIGN(const bool held,
                  meta::has_edge(cell, container.tenant, block.block.gen, HolderId{block.upload.value}));
    CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, container.tenant, block.block.gen));
    if (held && gen) co_return Result<void>{};
    Unit unit;
    unit.kind = Unit::Kind::kBlock;
    unit.tenant = container.tenant;
    unit.id = container.id.value;
    unit.other = block.upload.value;
    unit.name = block.block.block_id;
    co_return co_await enter(std::move(unit));
  }

  Task<void> gens(TenantId tenant) {
    std::string from;
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_gens(checking_.services.cell, tenant, from));
      broken(page.broken);
      for (const meta::Gen& gen : page.rows) {
        CO_TRY(enter_gen(Unit::Kind::kGen, tenant, gen.id));
      }
      from = page.next;
    } while (!from.empty());
    co_return Result<void>{};
  }

  /// Edges and runs of gens that are not there.
  Task<void> leftovers(TenantId tenant) {
    GenId last;
    std::string from;
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_edges(checking_.services.cell, tenant, from));
      broken(page.broken);
      for (const meta::Edge& edge : page.rows) {
        if (std::exchange(last, edge.gen) == edge.gen) continue;
        CO_TRY(enter_gen(Unit::Kind::kGone, tenant, edge.gen));
      }
      from = page.next;
    } while (!from.empty());
    last = {};
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_runs(checking_.services.cell, tenant, from));
      broken(page.broken);
      for (const meta::RunRow& run : page.rows) {
        if (std::exchange(last, run.gen) == run.gen) continue;
        CO_TRY(enter_gen(Unit::Kind::kGone, tenant, run.gen));
      }
      from = page.next;
    } while (!from.empty());
    co_return Result<void>{};
  }

  Task<void> lonely_edges(TenantId tenant) {
    std::string from;
    do {
      CO_TRY_ASSIGN(LonelyEdges found, find_lonely_edges(checking_, tenant, std::move(from)));
      for (const meta::Edge& edge : found.edges) {
        Unit unit;
        unit.kind = Unit::Kind::kEdge;
        unit.tenant = tenant;
        unit.id = edge.gen.value;
        unit.other = edge.holder.value;
        CO_TRY(enter(std::move(unit)));
      }
      from = std::move(found.next);
    } while (!from.empty());
    co_return Result<void>{};
  }

  /// Each object that no row names is asked for: a bucket full of somebody else's is left after some thousands.
  Task<void> unnamed_objects(std::string remote) {
    const std::uint64_t enough = checking_.report.foreign_objects + kForeignMax;
    std::string marker;
    do {
      CO_TRY_ASSIGN(UnnamedObjects found, find_unnamed_objects(checking_, remote, std::move(marker)));
      if (found.failed) confirm(*std::move(found.failed));
      if (found.away) {
        checking_.report.not_searched.push_back(std::move(remote));
        co_return Result<void>{};
      }
      for (std::string& key : found.keys) {
        Unit unit;
        unit.kind = Unit::Kind::kUnnamed;
        unit.name = remote;
        unit.key = std::move(key);
        CO_TRY(enter(std::move(unit)));
      }
      marker = std::move(found.next);
    } while (!marker.empty() && checking_.report.foreign_objects < enough);
    if (!marker.empty()) checking_.report.not_searched.push_back(std::move(remote));
    co_return Result<void>{};
  }

  Task<void> native_keys(TenantId tenant) {
    std::string from;
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_native_keys(checking_.services.cell, tenant, from));
      broken(page.broken);
      for (const meta::NativeKey& native : page.rows) {
        Unit unit;
        unit.kind = Unit::Kind::kNativeKey;
        unit.tenant = tenant;
        unit.name = native.remote;
        unit.key = native.key;
        CO_TRY(enter(std::move(unit)));
      }
      from = page.next;
    } while (!from.empty());
    co_return Result<void>{};
  }

  Task<void> enter_gen(Unit::Kind kind, TenantId tenant, GenId gen) {
    Unit unit;
    unit.kind = kind;
    unit.tenant = tenant;
    unit.id = gen.value;
    co_return co_await enter(std::move(unit));
  }

  /// Checked with its neighbours, side by side.
  Task<void> enter(Unit unit) {
    batch_.push_back(std::move(unit));
    if (batch_.size() < kSideBySide) co_return Result<void>{};
    co_return co_await flush();
  }

  static Task<void> check_into(Checking& checking, Unit unit, Result<Findings>& result) {
    result = co_await check(checking, std::move(unit));
    co_return Result<void>{};
  }

  Task<void> flush() {
    std::vector<Result<Findings>> results(batch_.size());
    std::vector<Task<void>> checks;
    for (std::size_t n = 0; n < batch_.size(); ++n) checks.push_back(check_into(checking_, batch_[n], results[n]));
    CO_TRY(side_by_side("fsck", std::move(checks)));
    for (std::size_t n = 0; n < batch_.size(); ++n) {
      CO_CHECK(results[n]);
      if (!results[n]->empty()) suspects_.push_back({std::move(batch_[n]), *std::move(results[n])});
    }
    batch_.clear();
    if (suspects_.size() >= kSuspectsMax) {
      CO_TRY(look_again());
    }
    if (progress_) progress_(checking_.report);
    co_return Result<void>{};
  }

  /// Rows that do not decode never do again: reported at once.
  void broken(const std::vector<std::string>& rows) {
    for (const std::string& row : rows) confirm({"row-broken", row, "restore the cell from a backup, or report this"});
  }

  void confirm(Finding finding) {
    FsckReport& report = checking_.report;
    ++report.findings_total;
    if (report.findings.size() < checking_.options.findings_max) report.findings.push_back(std::move(finding));
  }

  Checking& checking_;
  const FsckProgress progress_;
  std::vector<Unit> batch_;
  std::vector<Suspect> suspects_;
  std::vector<Suspect> confirmed_;
};

}  // namespace

Task<FsckReport> fsck(store::Services& services, FsckOptions options, FsckProgress progress) {
  std::vector<Repair> repairs;
  std::uint64_t repairs_total = 0;
  for (int pass = 1;; ++pass) {
    Checking checking(services, options);
    checking.report.repairs_total = repairs_total;
    Fsck run(checking, progress);
    CO_TRY(run.look_at_everything());
    CO_TRY(run.look_again());
    std::vector<Repair> done;
    if (options.mending == Mending::kYes && pass < kPassesMax) {
      CO_TRY_ASSIGN(done, mend(checking, run.confirmed()));
    }
    if (done.empty()) {
      checking.report.repairs = std::move(repairs);
      co_return checking.report;
    }
    repairs_total += done.size();
    for (Repair& repair : done) {
      if (repairs.size() < options.findings_max) repairs.push_back(std::move(repair));
    }
  }
}

}  // namespace tombolo::tiering
