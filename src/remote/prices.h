// Prices: what reading from a store of each kind costs, for estimates. docs/remotes.md shows this table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tombolo::remote {

/// One class of storage, US dollars.
struct PriceClass {
  std::string_view name;       // "hot"
  double per_million_writes;   // put requests
  double per_million_reads;    // get requests
  double per_gb_retrieved;     // GB = 10^9 bytes
  double per_gb_month;         // stored
  std::uint32_t days_min = 0;  // stored for less is paid as if it were so many
};

/// Where the numbers are from, and what they leave out.
inline constexpr std::string_view kPriceSource =
    "estimated from US list prices; regions, contracts and time change them, and traffic out of the cloud's region "
    "comes on top";

/// The classes of a kind of remote; empty where reading costs nothing ("file").
std::span<const PriceClass> prices_of(std::string_view kind);

/// What `reads` cold reads of `bytes` each cost: requests and retrieval.
double cost_of_reads(const PriceClass& price, std::uint64_t reads, std::uint64_t bytes);

}  // namespace tombolo::remote
