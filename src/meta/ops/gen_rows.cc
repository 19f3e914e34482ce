#include "meta/ops/gen_rows.h"

#include <algorithm>

namespace tombolo::meta {
namespace {

using KeyAt = std::string (*)(TenantId, GenId, std::uint64_t);

Result<void> append(std::vector<Run>& out, const kv::Row& row) {
  TRY_ASSIGN(const auto at, keys::offset_of(row.key));
  TRY_ASSIGN(Run run, decode_run(at.gen, at.offset, row.value));
  out.push_back(std::move(run));
  return {};
}

Result<void> append(std::vector<Slice>& out, const kv::Row& row) {
  TRY_ASSIGN(const auto at, keys::offset_of(row.key));
  TRY_ASSIGN(Slice slice, decode_slice(at.offset, row.value));
  out.push_back(std::move(slice));
  return {};
}

// Rows are keyed by where they begin: the one that holds `offset` is the last that begins at or before it.
template <class RowType>
Task<std::vector<RowType>> rows_from(kv::Snapshot& from, RowsFrom which, KeyAt key_at) {
  std::vector<RowType> out;
  kv::RangeQuery first;
  first.begin = key_at(which.tenant, which.gen, 0);
  first.end = key_at(which.tenant, which.gen, which.offset) + '\0';
  first.limit = 1;
  first.direction = kv::Direction::kReverse;
  CO_TRY_ASSIGN(const auto head, from.range(std::move(first)));
  std::uint64_t next = which.offset;
  if (!head.rows.empty()) {
    CO_CHECK(append(out, head.rows.front()));
    next = out.back().offset + out.back().length;
    if (next <= which.offset) out.clear();  // it ends before: a hole, or the end
    next = std::max(next, which.offset);
  }
  if (next >= which.end || out.size() >= which.limit) co_return out;
  kv::RangeQuery rest;
  rest.begin = key_at(which.tenant, which.gen, next);
  rest.end = key_at(which.tenant, which.gen, which.end);
  for (bool more = true; more && out.size() < which.limit;) {  // a page may end before its limit, at so many bytes
    rest.limit = which.limit - static_cast<std::uint32_t>(out.size());
    CO_TRY_ASSIGN(const auto page, from.range(rest));
    for (const kv::Row& row : page.rows) {
      CO_CHECK(append(out, row));
    }
    more = page.more;
    if (more) rest.begin = page.rows.back().key + '\0';
  }
  co_return out;
}

}  // namespace

Task<std::vector<Run>> runs_from(kv::Snapshot& from, RowsFrom which) {
  return rows_from<Run>(from, which, keys::run);
}

Task<std::vector<Slice>> slices_from(kv::Snapshot& from, RowsFrom which) {
  return rows_from<Slice>(from, which, keys::slice);
}

}  // namespace tombolo::meta
