#include "remote/prices.h"

namespace tombolo::remote {
namespace {

// Azure Blob, block blobs, locally redundant.
constexpr PriceClass kAzure[] = {
    {.name = "hot", .per_million_writes = 5.5, .per_million_reads = 0.4, .per_gb_retrieved = 0, .per_gb_month = 0.018},
    {.name = "cool",
     .per_million_writes = 10,
     .per_million_reads = 1,
     .per_gb_retrieved = 0.01,
     .per_gb_month = 0.01,
     .days_min = 30},
    {.name = "cold",
     .per_million_writes = 18,
     .per_million_reads = 10,
     .per_gb_retrieved = 0.03,
     .per_gb_month = 0.0036,
     .days_min = 90},
};

}  // namespace

std::span<const PriceClass> prices_of(std::string_view kind) {
  if (kind == "azure") return kAzure;
  return {};
}

double cost_of_reads(const PriceClass& price, std::uint64_t reads, std::uint64_t bytes) {
  const double count = static_cast<double>(reads);
  return count * price.per_million_reads / 1e6 + count * static_cast<double>(bytes) * price.per_gb_retrieved / 1e9;
}

}  // namespace tombolo::remote
