#include "meta/ops/usage.h"

#include "base/endian.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {

Task<Usage> read_usage(Cell cell, ContainerKey container) {
  const auto snapshot = cell.engine.snapshot();
  std::vector<std::string> all;
  for (const auto metric : {keys::Metric::kObjects, keys::Metric::kBytes}) {
    for (unsigned shard = 0; shard < keys::kUsageShards; ++shard) all.push_back(keys::usage(container, metric, shard));
  }
  CO_TRY_ASSIGN(const auto values, snapshot->multi_get(std::move(all)));
  std::int64_t sums[2] = {0, 0};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    if (values[i]->size() != 8) co_return Error{Code::kCorrupt, "a usage counter is not 8 bytes long"};
    sums[i / keys::kUsageShards] += load_le<std::int64_t>(values[i]->data());
  }
  if (sums[0] < 0 || sums[1] < 0) co_return Error{Code::kCorrupt, "a usage counter is below zero"};
  co_return Usage{static_cast<std::uint64_t>(sums[0]), static_cast<std::uint64_t>(sums[1])};
}

Task<std::uint64_t> read_cold_bytes(Cell cell) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::cold_bytes()));
  if (!value) co_return std::uint64_t{0};
  if (value->size() != 8) co_return Error{Code::kCorrupt, "the counter of cold bytes is not 8 bytes long"};
  const auto bytes = load_le<std::int64_t>(value->data());
  if (bytes < 0) co_return Error{Code::kCorrupt, "the counter of cold bytes is below zero"};
  co_return static_cast<std::uint64_t>(bytes);
}

}  // namespace tombolo::meta
