// The properties of an account's Blob service: Azure's XML, section by section.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::azure_blob {

inline constexpr std::size_t kServicePropertiesBytesMax = 32 * 1024;

struct RetentionPolicy {
  bool enabled = false;
  std::uint32_t days = 0;  // 1 to 365 while enabled
};

/// What an account may have. The sections that only "disabled" is accepted for (CORS rules, soft delete, static
/// websites, metrics) need no member beyond what they are shown with.
struct ServiceProperties {
  std::string logging_version = "1.0";
  RetentionPolicy logging_retention;
  std::string hour_metrics_version = "1.0";
  RetentionPolicy hour_metrics_retention;
  std::string minute_metrics_version = "1.0";
  RetentionPolicy minute_metrics_retention;
  std::string default_version;  // of requests that name none; empty: the dialect's own
};

/// The body of Set Blob Service Properties: the sections in it replace those of `properties`, the others stay.
/// InvalidXmlDocument; UnsupportedXmlNode for a node that is unknown or asks for what is not built;
/// InvalidXmlNodeValue; MissingRequiredXmlNode. After an error `properties` may be half changed.
Result<void> apply_service_properties(ServiceProperties& properties, std::string_view xml);

/// Every section, as Get Blob Service Properties answers and as it is stored.
std::string service_properties_xml(const ServiceProperties& properties);

/// From what was stored; empty: nothing was ever set. kCorrupt.
Result<ServiceProperties> stored_service_properties(std::string_view stored);

}  // namespace tombolo::azure_blob
