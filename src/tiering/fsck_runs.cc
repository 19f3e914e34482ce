// Runs and segments: that the places which rows name hold what the rows say.
#include <fmt/format.h>

#include <algorithm>

#include "async/byte_stream.h"
#include "base/crc64.h"
#include "data/layout.h"
#include "data/segment_store.h"
#include "meta/ops/usage.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr const char* kReadElsewhere =
    "if the object has a remote copy, recall it; else write it again from where it came from";

std::string words_for(TenantId tenant, const meta::Run& run) {
  return fmt::format("gen {} of tenant {}, run at {} ({} bytes), in segment {:016x} at {}", run.gen.value, tenant.value,
                     run.offset, run.length, run.local->segment.value, run.local->offset);
}

/// Reads the run as it lies on flash, past every cache.
Task<Findings> check_run_bytes(Checking& checking, const data::SegmentPin& pin, TenantId tenant, meta::Run run) {
  Findings out;
  Bytes step(std::min<std::uint64_t>(kStreamStep, run.length));
  for (std::uint64_t at = 0; at < run.length;) {
    const std::uint64_t length = std::min<std::uint64_t>(step.size(), run.length - at);
    const MutableBytes into = MutableBytes(step).first(length);
    const auto read = co_await checking.services.segments.read(pin, data::data_offset(run.local->offset) + at, into);
    if (!read.ok() && read.error().code != Code::kCorrupt) co_return read.error();
    if (!read.ok()) {
      out.push_back({"run-checksum", words_for(tenant, run) + ": " + read.error().message, kReadElsewhere});
      co_return out;
    }
    for (std::uint64_t granule = 0; granule < length; granule += meta::kGranuleBytes) {
      const BytesView bytes = BytesView(into).subspan(granule, std::min(meta::kGranuleBytes, length - granule));
      if (crc64(bytes) == run.granule_crcs[(at + granule) / meta::kGranuleBytes]) continue;
      out.push_back(
          {"run-checksum",
           fmt::format("{}: the granule at byte {} of the run does not verify", words_for(tenant, run), at + granule),
           kReadElsewhere});
      co_return out;
    }
    at += length;
  }
  checking.count(&FsckReport::bytes_verified, run.length);
  co_return out;
}

/// nullopt: it is the run's own.
Task<std::optional<Finding>> check_run_header(const Checking& checking, const data::SegmentPin& pin, TenantId tenant,
                                              meta::Run run, std::uint64_t incarnation) {
  data::RunHeaderBytes raw;
  const auto read = co_await checking.services.segments.read(pin, run.local->offset, raw);
  if (!read.ok() && read.error().code != Code::kCorrupt) co_return read.error();
  const bool unreadable = !read.ok() && read.error().detail == data::kUnreadable;
  if (!read.ok() && !unreadable) co_return std::optional<Finding>{};  // the segment's own finding
  const auto header = read.ok() ? data::decode_run_header(raw, incarnation) : Result<data::RunHeader>(read.error());
  if (!header.ok()) {
    co_return std::optional<Finding>(
        {"run-header", words_for(tenant, run) + ": " + header.error().message,
         "its bytes are checked on their own; compaction cannot find it: write the object again"});
  }
  const bool its_own = header->tenant == tenant && header->gen == run.gen && header->gen_offset == run.offset &&
                       header->length == run.length;
  if (its_own) co_return std::optional<Finding>{};
  co_return std::optional<Finding>(
      {"run-misplaced",
       fmt::format("{}: there lies the run at {} of gen {} of tenant {}", words_for(tenant, run), header->gen_offset,
                   header->gen.value, header->tenant.value),
       kReadElsewhere});
}

}  // namespace

Task<Findings> check_local_run(Checking& checking, TenantId tenant, meta::Run run) {
  Findings out;
  const auto known = checking.segments.find(run.local->segment);
  const std::uint64_t run_end = data::data_offset(run.local->offset) + run.length;
  std::optional<Checking::Segment> segment;
  if (known != checking.segments.end()) segment = known->second;
  if (!segment || run_end > segment->end) {
    CO_TRY_ASSIGN(segment, segment_now(checking, run.local->segment));
  }
  if (!segment) {
    out.push_back({"run-without-segment", words_for(tenant, run) + ": there is no such segment", kReadElsewhere});
    co_return out;
  }
  if (run_end > segment->end) {
    out.push_back({"row-past-segment", fmt::format("{}: the segment ends at {}", words_for(tenant, run), segment->end),
                   kReadElsewhere});
    co_return out;
  }
  if (checking.options.depth == Depth::kRows) co_return out;
  const auto pin = checking.services.segments.pin(run.local->segment);
  if (!pin.ok()) {
    out.push_back({"run-without-segment", words_for(tenant, run) + ": " + pin.error().message, kReadElsewhere});
    co_return out;
  }
  CO_TRY_ASSIGN(auto header, check_run_header(checking, *pin, tenant, run, segment->row.incarnation));
  if (header) out.push_back(*std::move(header));
  CO_TRY_ASSIGN(Findings bytes, check_run_bytes(checking, *pin, tenant, std::move(run)));
  for (Finding& finding : bytes) out.push_back(std::move(finding));
  co_return out;
}

Task<Findings> check_segment(Checking& checking, SegmentId id) {
  Findings out;
  const auto segment = checking.segments.find(id);
  if (segment == checking.segments.end() || segment->second.row.state == data::SegmentState::kFreeing) co_return out;
  // Its file is being made, or could not be made, on a full disk say, and goes with the row in the next pass.
  if (segment->second.row.state == data::SegmentState::kOpen && !segment->second.used) co_return out;
  checking.count(&FsckReport::segments);
  const std::string path = data::segment_path(id);
  constexpr const char* kAdvice =
      "the runs in it are lost: their gens are reported too; restore the file if it exists "
      "anywhere";
  auto opened = co_await checking.services.segments.disk().open(path, disk::Open::kRead);
  if (!opened.ok() && opened.error().code == Code::kUnavailable) {
    out.push_back(
        {"segment-header", fmt::format("segment file {} cannot be opened: {}", path, opened.error().message), kAdvice});
    co_return out;
  }
  if (!opened.ok() && opened.error().code != Code::kNotFound) co_return opened.error();
  if (!opened.ok()) {
    out.push_back({"segment-missing", "segment file " + path + " is not there", kAdvice});
    co_return out;
  }
  CO_TRY_ASSIGN(const std::uint64_t size, (*opened)->size());
  if (segment->second.sealed && size < segment->second.end) {
    out.push_back({"segment-short",
                   fmt::format("segment file {} has {} bytes instead of {}", path, size, segment->second.end),
                   kAdvice});
  }
  if (checking.options.depth == Depth::kRows) co_return out;
  data::SegmentHeaderBytes raw;
  const auto read = co_await (*opened)->read(0, raw);
  if (!read.ok() && read.error().code == Code::kUnavailable) {
    out.push_back({"segment-header",
                   fmt::format("the header of segment file {} cannot be read: {}", path, read.error().message),
                   kAdvice});
    co_return out;
  }
  if (!read.ok() && read.error().code != Code::kOutOfRange) co_return read.error();
  const auto header = read.ok() ? data::decode_segment_header(raw) : Result<data::SegmentHeader>(read.error());
  if (!header.ok() || header->segment != id || header->incarnation != segment->second.row.incarnation) {
    out.push_back({"segment-header", "segment file " + path + " does not begin with its own header", kAdvice});
  }
  co_return out;
}

Task<Findings> check_segment_file(Checking& checking, std::string name) {
  Findings out;
  const auto segment = data::segment_of_name(name);
  if (segment.ok() && checking.segments.contains(*segment)) co_return out;
  CO_TRY_ASSIGN(const auto entries, checking.services.segments.disk().list(std::string(data::kSegmentsDirectory)));
  const bool there =
      std::any_of(entries.begin(), entries.end(), [&name](const disk::Entry& entry) { return entry.name == name; });
  if (there) {
    out.push_back(
        {"segment-orphan",
         fmt::format("{}/{} {}", data::kSegmentsDirectory, name, segment.ok() ? "has no row" : "is no segment file"),
         "nothing refers to it: move it away"});
  }
  co_return out;
}

namespace {

struct Counters {
  std::map<SegmentId, std::int64_t> live;
  std::int64_t cold = 0;
};

Task<Counters> read_counters(Checking& checking) {
  Counters out;
  const meta::Cell cell = checking.services.cell;
  std::vector<data::SegmentInfo> rows;
  {
    const auto snapshot = cell.engine.snapshot();
    CO_TRY_ASSIGN(rows, data::read_segments(*snapshot));
  }
  for (const data::SegmentInfo& info : rows) out.live[info.segment] = info.live_bytes;
  CO_TRY_ASSIGN(const std::uint64_t cold, meta::read_cold_bytes(cell));
  out.cold = static_cast<std::int64_t>(cold);
  co_return out;
}

Task<Counters> sum_runs(Checking& checking) {
  const meta::Cell cell = checking.services.cell;
  Counters out;
  CO_TRY_ASSIGN(const auto tenants, meta::list_data_tenants(cell));
  for (const TenantId tenant : tenants) {
    std::string from;
    do {
      CO_TRY_ASSIGN(const auto page, meta::walk_runs(cell, tenant, from));
      for (const meta::RunRow& run : page.rows) {
        if (run.local) {
          out.live[run.local->segment] +=
              static_cast<std::int64_t>(data::occupied_bytes(run.local->offset, run.length));
        } else {
          out.cold += static_cast<std::int64_t>(run.length);
        }
      }
      from = page.next;
    } while (!from.empty());
  }
  co_return out;
}

}  // namespace

Task<std::vector<CounterError>> find_counter_errors(Checking& checking) {
  std::vector<CounterError> out;
  CO_TRY_ASSIGN(Counters before, read_counters(checking));
  CO_TRY_ASSIGN(Counters sums, sum_runs(checking));
  CO_TRY_ASSIGN(Counters after, read_counters(checking));
  // A counter that moved while the runs were being summed proves nothing; another round will.
  for (const auto& [segment, live] : before.live) {
    const auto still = after.live.find(segment);
    if (still == after.live.end() || still->second != live || sums.live[segment] == live) continue;
    out.push_back({segment, live, sums.live[segment]});
  }
  if (before.cold == after.cold && before.cold != sums.cold) out.push_back({std::nullopt, before.cold, sums.cold});
  co_return out;
}

Finding finding_of(const CounterError& error) {
  if (!error.segment) {
    return {"cold-bytes",
            fmt::format("the counter of cold bytes says {}, the runs make up {}", error.counted, error.sum),
            "`tombolo status` shows a wrong number; report this, with the log"};
  }
  return {"segment-live",
          fmt::format("segment {:016x}: its counter says {} live bytes, its runs make up {}", error.segment->value,
                      error.counted, error.sum),
          "space is given back too early or never: report this, with the log"};
}

Task<Findings> check_counters(Checking& checking) {
  Findings out;
  CO_TRY_ASSIGN(const auto errors, find_counter_errors(checking));
  for (const CounterError& error : errors) out.push_back(finding_of(error));
  co_return out;
}

}  // namespace tombolo::tiering
