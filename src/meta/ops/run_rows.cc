#include "meta/ops/run_rows.h"

namespace tombolo::meta {

Task<std::vector<std::optional<Run>>> reread_runs(kv::Transaction& txn, TenantId tenant, const std::vector<Run>& runs) {
  std::vector<std::string> rows;
  for (const Run& run : runs) rows.push_back(keys::run(tenant, run.gen, run.offset));
  CO_TRY_ASSIGN(const auto values, txn.multi_get(std::move(rows)));
  std::vector<std::optional<Run>> out(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!values[i]) continue;
    CO_CHECK_ASSIGN(out[i], decode_run(runs[i].gen, runs[i].offset, *values[i]));
  }
  co_return out;
}

}  // namespace tombolo::meta
