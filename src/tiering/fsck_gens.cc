// Gens: their state, who holds them, and whether their rows cover every byte.
#include <fmt/format.h>

#include <algorithm>

#include "base/crc64.h"
#include "meta/ops/gens.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kRowsPerLook = 64;
constexpr const char* kLost =
    "some of its bytes are lost: find the object (its name is reported too) and write it again";
constexpr const char* kLeak = "it takes space and nothing else; report this, with the log";

void append(Findings& to, Findings more) {
  for (Finding& finding : more) to.push_back(std::move(finding));
}

std::string words_for(TenantId tenant, const meta::Gen& gen) {
  return fmt::format("gen {} of tenant {} ({} bytes)", gen.id.value, tenant.value, gen.length);
}

/// The CRC64 of granules that lie back to back.
std::uint64_t add_run(std::uint64_t crc, const meta::Run& run) {
  for (std::size_t n = 0; n < run.granule_crcs.size(); ++n) {
    const std::uint64_t begin = n * meta::kGranuleBytes;
    crc = crc64_combine(crc, run.granule_crcs[n], std::min(meta::kGranuleBytes, run.length - begin));
  }
  return crc;
}

Task<Findings> check_runs(Checking& checking, TenantId tenant, meta::Gen gen) {
  Findings out;
  std::uint64_t at = 0, crc = 0;
  bool whole = true;
  while (at < gen.length) {
    CO_TRY_ASSIGN(const auto runs, meta::list_runs(checking.services.cell, tenant, gen.id, at, kRowsPerLook));
    for (const meta::Run& run : runs) {
      const std::uint64_t granules = (run.length + meta::kGranuleBytes - 1) / meta::kGranuleBytes;
      if (run.offset != at || run.length == 0 || run.length > gen.length - at || run.granule_crcs.size() != granules) {
        whole = false;
        break;
      }
      if (!run.local && !gen.native && !gen.evicted) {
        out.push_back({"run-without-place",
                       fmt::format("{}: the run at {} is neither on flash nor in a remote", words_for(tenant, gen), at),
                       kLost});
      }
      checking.count(&FsckReport::runs);
      crc = add_run(crc, run);
      at += run.length;
      if (run.local) {
        CO_TRY_ASSIGN(Findings found, check_local_run(checking, tenant, run));
        append(out, std::move(found));
      }
    }
    if (runs.empty() || !whole) {
      out.push_back({"gen-rows", fmt::format("{} has no run for its byte {}", words_for(tenant, gen), at), kLost});
      co_return out;
    }
  }
  if (crc != gen.crc64) {
    out.push_back({"gen-rows", words_for(tenant, gen) + ": the checksums of its runs do not make up its own", kLost});
  }
  co_return out;
}

Task<Findings> check_slices(Checking& checking, TenantId tenant, meta::Gen gen) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  std::uint64_t crc = 0;
  for (std::uint64_t at = 0; at < gen.length;) {
    CO_TRY_ASSIGN(const auto slices, meta::list_slices(cell, tenant, gen.id, at, kRowsPerLook));
    bool whole = !slices.empty();
    for (const meta::Slice& slice : slices) {
      whole = whole && slice.offset == at && slice.length > 0 && slice.length <= gen.length - at;
      if (!whole) break;
      CO_TRY_ASSIGN(const auto source, meta::get_gen(cell, tenant, slice.source));
      CO_TRY_ASSIGN(const bool held, meta::has_edge(cell, tenant, slice.source, HolderId{gen.id.value}));
      if (!source || !held || slice.source_offset + slice.length > source->length) {
        out.push_back({"slice-without-gen",
                       fmt::format("{}: its bytes from {} on are those of gen {}, which {}", words_for(tenant, gen), at,
                                   slice.source.value,
                                   !source ? "is not there"
                                   : !held ? "it does not hold"
                                           : "is too short"),
                       kLost});
      }
      crc = crc64_combine(crc, slice.crc64, slice.length);
      at += slice.length;
    }
    if (!whole) {
      out.push_back({"gen-rows", fmt::format("{} has no slice for its byte {}", words_for(tenant, gen), at), kLost});
      co_return out;
    }
  }
  if (crc != gen.crc64) {
    out.push_back({"gen-rows", words_for(tenant, gen) + ": the checksums of its slices do not make up its own", kLost});
  }
  co_return out;
}

Findings check_inline(TenantId tenant, const meta::Gen& gen) {
  if (gen.inline_bytes.size() == gen.length && crc64(as_bytes(gen.inline_bytes)) == gen.crc64) return {};
  return {{"gen-rows", words_for(tenant, gen) + ": the bytes in its row do not verify", kLost}};
}

Task<Findings> check_bytes(Checking& checking, TenantId tenant, meta::Gen gen) {
  switch (gen.shape) {
    case meta::GenShape::kInline:
      co_return check_inline(tenant, gen);
    case meta::GenShape::kRuns:
      co_return co_await check_runs(checking, tenant, std::move(gen));
    case meta::GenShape::kSlices:
      co_return co_await check_slices(checking, tenant, std::move(gen));
  }
  co_return Findings{};
}

}  // namespace

Task<Findings> check_gen(Checking& checking, TenantId tenant, GenId id) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, id));
  if (!gen) co_return out;
  const bool queued = checking.dying_gens.contains({tenant, id.value});
  if (gen->state != meta::GenState::kLive) {
    const bool at_work = gen->state == meta::GenState::kStaging && gen->writer_epoch == cell.ids.process_epoch();
    if (!queued && !at_work) {
      out.push_back(
          {"gen-without-edge", words_for(tenant, *gen) + " is dead and garbage collection does not know of it", kLeak});
    }
    co_return out;
  }
  CO_TRY_ASSIGN(const auto edges, meta::list_edges(cell, tenant, id, 1));
  if (edges.empty()) {
    if (queued) co_return out;  // about to die
    out.push_back({"gen-without-edge", words_for(tenant, *gen) + " is held by nothing", kLeak});
  }
  checking.count(&FsckReport::gens);
  CO_TRY_ASSIGN(Findings bytes, check_bytes(checking, tenant, *gen));
  append(out, std::move(bytes));
  if (gen->native) {
    CO_TRY_ASSIGN(Findings native, check_native_place(checking, tenant, *gen));
    append(out, std::move(native));
  }
  co_return out;
}

Task<Findings> check_gone(Checking& checking, TenantId tenant, GenId id) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, id));
  if (gen) co_return out;
  CO_TRY_ASSIGN(const auto edges, meta::list_edges(cell, tenant, id, 1));
  if (!edges.empty()) {
    out.push_back(
        {"edge-without-gen",
         fmt::format("{} holds gen {} of tenant {}, which is not there", edges.front().value, id.value, tenant.value),
         "whatever holds it has lost its bytes: its name is reported too"});
  }
  CO_TRY_ASSIGN(const auto runs, meta::list_runs(cell, tenant, id, 0, 1));
  if (!runs.empty()) {
    out.push_back(
        {"run-without-gen", fmt::format("gen {} of tenant {} has runs and no row", id.value, tenant.value), kLeak});
  }
  co_return out;
}

}  // namespace tombolo::tiering
