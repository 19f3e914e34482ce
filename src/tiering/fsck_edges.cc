// Edges whose holder is gone: they keep bytes that nobody can read.
#include <fmt/format.h>

#include <algorithm>

#include "meta/ops/gens.h"
#include "meta/ops/list_objects.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr std::size_t kEdgesAtOnce = 1'000'000;  // 16 MiB; each batch walks all names once
constexpr std::uint32_t kNamesPerPage = 500;

bool before(const meta::Edge& a, const meta::Edge& b) {
  return a.holder.value != b.holder.value ? a.holder.value < b.holder.value : a.gen.value < b.gen.value;
}

/// Edges, in order, and which of them somebody was found for.
class Lookout {
 public:
  explicit Lookout(std::vector<meta::Edge> edges) : edges_(std::move(edges)), met_(edges_.size()) {
    std::sort(edges_.begin(), edges_.end(), before);
  }
  void met(meta::Edge edge) {
    const auto place = std::lower_bound(edges_.begin(), edges_.end(), edge, before);
    if (place != edges_.end() && !before(edge, *place)) met_[static_cast<std::size_t>(place - edges_.begin())] = true;
  }
  std::vector<meta::Edge> others() const {
    std::vector<meta::Edge> out;
    for (std::size_t n = 0; n < edges_.size(); ++n) {
      if (!met_[n]) out.push_back(edges_[n]);
    }
    return out;
  }

 private:
  std::vector<meta::Edge> edges_;
  std::vector<bool> met_;
};

Task<void> meet_names(meta::Cell cell, meta::ContainerKey container, Lookout& lookout) {
  meta::ObjectQuery query;
  query.limit = kNamesPerPage;
  while (true) {
    CO_TRY_ASSIGN(const auto page, meta::list_objects(cell, container, query));
    for (const meta::ObjectEntry& entry : page.entries) {
      if (entry.object) lookout.met({entry.object->gen, entry.object->holder});
    }
    if (!page.next) break;
    query.start_after = *page.next;
  }
  std::string from;
  do {
    CO_TRY_ASSIGN(const auto page, meta::walk_upload_blocks(cell, container, from));
    for (const meta::UploadBlock& block : page.rows) {
      lookout.met({block.block.gen, HolderId{block.upload.value}});
    }
    from = page.next;
  } while (!from.empty());
  co_return Result<void>{};
}

}  // namespace

Task<LonelyEdges> find_lonely_edges(Checking& checking, TenantId tenant, std::string from) {
  const meta::Cell cell = checking.services.cell;
  std::vector<meta::Edge> edges;
  do {
    CO_TRY_ASSIGN(const auto page, meta::walk_edges(cell, tenant, from));
    for (const meta::Edge& edge : page.rows) {
      CO_TRY_ASSIGN(const auto holder, meta::get_gen(cell, tenant, GenId{edge.holder.value}));
      if (!holder) edges.push_back(edge);
    }
    from = page.next;
  } while (!from.empty() && edges.size() < kEdgesAtOnce);
  // Names after edges: a name that comes meanwhile brings an edge of its own, one that goes takes its edge along.
  Lookout lookout(std::move(edges));
  CO_TRY_ASSIGN(const auto containers, meta::list_data_containers(cell, tenant));
  for (const meta::ContainerKey& container : containers) {
    CO_TRY(meet_names(cell, container, lookout));
  }
  LonelyEdges out;
  out.edges = lookout.others();
  out.next = std::move(from);
  co_return out;
}

Task<Findings> check_edge(Checking& checking, TenantId tenant, GenId id, HolderId holder) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  CO_TRY_ASSIGN(const bool there, meta::has_edge(cell, tenant, id, holder));
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, id));
  CO_TRY_ASSIGN(const auto holding, meta::get_gen(cell, tenant, GenId{holder.value}));
  if (!there || !gen || holding) co_return out;  // an edge without a gen is check_gone's
  out.push_back({"edge-without-holder",
                 fmt::format("gen {} of tenant {} ({} bytes) is held by {}, which no name, upload or gen has", id.value,
                             tenant.value, gen->length, holder.value),
                 "if nothing else holds it, it takes space and nothing else; report this, with the log"});
  co_return out;
}

}  // namespace tombolo::tiering
