#include "testing/rot/stretches.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "data/layout.h"
#include "kv/log/format.h"
#include "meta/ops/gens.h"
#include "meta/ops/walk_rows.h"

namespace tombolo::testing::rot {
namespace {

constexpr std::uint32_t kRowsMax = 1'000;  // a cell of ours has fewer
constexpr const char* kLogDirectory = "log";

using Place = std::pair<std::uint64_t, std::uint64_t>;  // segment, offset

Place place_of(const meta::LocalPlace& place) {
  return {place.segment.value, place.offset};
}

class Finder {
 public:
  explicit Finder(RotCell& cell) : cell_(cell) {}

  Result<std::vector<Stretch>> find() {
    const meta::Cell rows = cell_.world.life->services->cell;
    TRY_ASSIGN(const auto gens, cell_.world.run(meta::walk_gens(rows, model::kTenant, {}, kRowsMax)));
    for (const meta::Gen& gen : gens.rows) {
      if (gen.state != meta::GenState::kLive || gen.shape != meta::GenShape::kRuns) continue;
      TRY(add_runs(gen));
    }
    for (const auto& [name, bytes] : cell_.objects) {
      TRY(add_object(name));
    }
    for (const std::uint64_t segment : segments_) {
      const std::string path = data::segment_path(SegmentId{segment});
      out_.push_back({Area::kSegmentHeader, path, 0, data::kSegmentHeaderBytes, {}, path, out_.size()});
    }
    return std::move(out_);
  }

 private:
  Result<void> add_runs(const meta::Gen& gen) {
    const meta::Cell rows = cell_.world.life->services->cell;
    TRY_ASSIGN(const auto runs, cell_.world.run(meta::list_runs(rows, model::kTenant, gen.id, 0, kRowsMax)));
    for (const meta::Run& run : runs) {
      if (!run.local) continue;
      const std::string path = data::segment_path(run.local->segment);
      const std::string named =
          fmt::format("gen {} of tenant {}, run at {} (", run.gen.value, model::kTenant.value, run.offset);
      const std::size_t group = out_.size();
      segments_.insert(run.local->segment.value);
      runs_[place_of(*run.local)] = group;
      out_.push_back({Area::kRun, path, data::data_offset(run.local->offset), run.length, {}, named, group});
      out_.push_back({Area::kRunHeader, path, run.local->offset, data::kRunHeaderBytes, {}, named, group});
    }
    return {};
  }

  Result<void> add_object(const std::string& name) {
    model::Life& life = *cell_.world.life;
    TRY_ASSIGN(const meta::Object object, cell_.world.run(life.store->head_object({model::box(), name}, {})));
    meta::ReadRange range{.offset = 0, .length = object.length, .pieces_max = kRowsMax};
    auto planned = cell_.world.run(meta::plan_read(life.services->cell, model::kTenant, object.gen, range));
    if (!planned.ok()) return planned.error();
    if (!*planned) return Error{Code::kInternal, name + " has no gen"};
    const meta::ReadPlan& plan = **planned;
    std::vector<Reader> of_copy;  // what lies in rows or on flash is read from there
    for (const meta::ReadPiece& piece : plan.pieces) {
      of_copy.push_back({name, piece.offset, piece.offset, piece.length, !piece.run || piece.run->local});
      if (!piece.run || !piece.run->local) continue;
      Stretch& run = out_[runs_.at(place_of(*piece.run->local))];
      run.readers.push_back({name, piece.offset, piece.skip, piece.length, plan.gen.native.has_value()});
    }
    if (!plan.gen.native || object.length == 0) return {};
    const std::string& key = plan.gen.native->key;
    const std::string named =
        fmt::format("\"{}\" in remote \"{}\", the copy of gen {}", key, model::kRemoteName, object.gen.value);
    out_.push_back({Area::kRemote, key, 0, object.length, std::move(of_copy), named, out_.size()});
    return {};
  }

  RotCell& cell_;
  std::vector<Stretch> out_;
  std::map<Place, std::size_t> runs_;
  std::set<std::uint64_t> segments_;
};

Result<Bytes> read_file(RotCell& cell, const std::string& path) {
  TRY_ASSIGN(const auto file, cell.world.disk.open_now(path, disk::Open::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size_now());
  Bytes bytes(size);
  TRY(file->read_now(0, bytes));
  return bytes;
}

/// The groups of a file that hold anything above `flushed`.
void add_groups(const std::string& path, BytesView bytes, std::uint64_t nonce, kv::Sequence flushed,
                std::vector<Stretch>& out) {
  using namespace kv::log_format;
  for (std::uint64_t at = kBlockBytes; at < bytes.size();) {
    const auto record = find_record(bytes.subspan(at), at, nonce);
    if (!record) {
      at += kBlockBytes;
      continue;
    }
    if (record->kind == Kind::kGroup && record->last() > flushed) {
      const std::uint64_t length = kRecordHeaderBytes + record->payload_bytes;
      out.push_back({Area::kLog, path, at, length, {}, ".log", out.size()});
    }
    at = record->end();
  }
}

}  // namespace

std::string_view name_of(Area area) {
  switch (area) {
    case Area::kRun:
      return "runs";
    case Area::kRunHeader:
      return "run_headers";
    case Area::kSegmentHeader:
      return "segment_headers";
    case Area::kRemote:
      return "remote_objects";
    case Area::kLog:
      return "commit_log";
    case Area::kTable:
      return "index_tables";
  }
  return "?";
}

Result<std::vector<Stretch>> find_in_use(RotCell& cell) {
  return Finder(cell).find();
}

Result<std::vector<Stretch>> find_in_log(RotCell& cell, kv::Sequence flushed) {
  using namespace kv::log_format;
  TRY_ASSIGN(const auto entries, cell.world.disk.list_now(kLogDirectory));
  struct Found {
    std::string path;
    Bytes bytes;
    FileHeader header;
  };
  std::vector<Found> files;
  for (const disk::Entry& entry : entries) {
    if (!parse_file_name(entry.name)) continue;
    Found found;
    found.path = fmt::format("{}/{}", kLogDirectory, entry.name);
    TRY_ASSIGN(found.bytes, read_file(cell, found.path));
    TRY_ASSIGN(found.header, parse_header(BytesView(found.bytes).first(kBlockBytes)));
    files.push_back(std::move(found));
  }
  std::vector<Stretch> out;
  for (std::size_t n = 0; n < files.size(); ++n) {
    // Of files that end below what is flushed the header is not needed either.
    if (n + 1 < files.size() && files[n + 1].header.first.value <= flushed.value + 1) continue;
    out.push_back({Area::kLog, files[n].path, 0, kBlockBytes, {}, ".log", out.size()});
    add_groups(files[n].path, files[n].bytes, files[n].header.nonce, flushed, out);
  }
  return out;
}

Result<std::vector<Stretch>> find_in_tables(RotCell& cell) {
  const std::string directory(SimDisk::kIndexDirectory);
  TRY_ASSIGN(const auto entries, cell.world.disk.list_now(directory));
  std::vector<Stretch> out;
  for (const disk::Entry& entry : entries) {
    if (!entry.name.ends_with(".sst")) continue;
    const std::string path = directory + "/" + entry.name;
    TRY_ASSIGN(const Bytes bytes, read_file(cell, path));
    out.push_back({Area::kTable, path, 0, bytes.size(), {}, entry.name, out.size()});
  }
  return out;
}

}  // namespace tombolo::testing::rot
