// What List Containers and List Blobs have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/model/container.h"
#include "protocol/azure_blob/query.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {

inline constexpr std::uint32_t kListMax = 5'000;

enum class WithMetadata { kNo, kYes };

struct ListParams {
  std::string prefix;
  std::string start_after;  // out of the marker
  std::uint32_t limit = kListMax;
  std::vector<std::string> include;  // lower case, each one allowed
  WithMetadata metadata = WithMetadata::kNo;

  bool has(std::string_view name) const;
};

/// `allowed`: values of include that can be answered completely. InvalidQueryParameterValue: a foreign marker, another
/// value of include, a maxresults that is no number; OutOfRangeQueryParameterValue: maxresults 0. Above 5,000 it is
/// 5,000.
Result<ListParams> parse_list_params(const Query& query, std::span<const std::string_view> allowed);

/// Prefix, Marker, MaxResults and Delimiter, as far as they were asked for.
void write_list_params(XmlWriter& xml, const Query& query);

void write_metadata(XmlWriter& xml, const meta::Metadata& metadata, WithMetadata with_metadata);

}  // namespace tombolo::azure_blob
