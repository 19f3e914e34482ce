// What List Containers and List Blobs have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

struct Listing {
  std::initializer_list<XmlWriter::Attribute> of;  // what is listed
  std::string_view entries;                        // the element around the entries
  const std::optional<std::string>& next;          // behind what the next page starts; nullopt at the end
};
/// The document: `write_entries` writes what stands inside `entries`; around it are Prefix, Marker, MaxResults and
/// Delimiter, as far as they were asked for, and NextMarker.
std::string render_listing(const Query& query, const Listing& listing,
                           const std::function<void(XmlWriter&)>& write_entries);

void write_metadata(XmlWriter& xml, const meta::Metadata& metadata, WithMetadata with_metadata);

}  // namespace tombolo::azure_blob
