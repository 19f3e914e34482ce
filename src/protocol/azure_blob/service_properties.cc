#include "protocol/azure_blob/service_properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/xml.h"
#include "protocol/azure_blob/xml_input.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::string_view kRoot = "StorageServiceProperties";
constexpr std::size_t kDepthMax = 4;   // root, section, rule or policy, value
constexpr std::size_t kTagsMax = 256;  // all sections with five CORS rules have about 130
constexpr std::uint32_t kDaysMax = 365;

Error bad_value(const pugi::xml_node& node, std::string_view right) {
  return refuse(codes::kInvalidXmlNodeValue, fmt::format("{} must be {}.", node.name(), right));
}

Error unbuilt(std::string_view section, std::string_view feature) {
  return refuse(codes::kUnsupportedXmlNode,
                fmt::format("{} can only be disabled: {} not built yet.", section, feature));
}

// The children of a section by name.
class Section {
 public:
  static Result<Section> open(const pugi::xml_node& element, std::initializer_list<std::string_view> known) {
    for (const pugi::xml_node& child : element.children()) {
      if (child.type() == pugi::node_comment) continue;
      if (child.type() != pugi::node_element) {
        return malformed_xml(fmt::format("There is text between the nodes of {}.", element.name()));
      }
      const std::string_view name = child.name();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return refuse(codes::kUnsupportedXmlNode, fmt::format("{} has no node {}.", element.name(), name));
      }
      if (child != element.child(child.name())) return malformed_xml(fmt::format("{} is given twice.", name));
    }
    return Section(element);
  }

  pugi::xml_node find(const char* name) const { return element_.child(name); }

  Result<pugi::xml_node> get(const char* name) const {
    const pugi::xml_node node = find(name);
    if (!node) {
      return refuse(codes::kMissingRequiredXmlNode, fmt::format("{} needs the node {}.", element_.name(), name));
    }
    return node;
  }
  Result<bool> flag(const char* name) const {
    TRY_ASSIGN(const pugi::xml_node node, get(name));
    TRY_ASSIGN(const std::string text, only_text(node));
    if (text != "true" && text != "false") return bad_value(node, "true or false");
    return text == "true";
  }
  /// Of an optional node: false when absent.
  Result<bool> flag_or_false(const char* name) const { return find(name) ? flag(name) : Result<bool>(false); }

 private:
  explicit Section(const pugi::xml_node& element) : element_(element) {}
  pugi::xml_node element_;
};

Result<std::uint32_t> days_in(const pugi::xml_node& node) {
  TRY_ASSIGN(const std::string text, only_text(node));
  std::uint32_t days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc{} || end != text.data() + text.size() || days == 0 || days > kDaysMax) {
    return bad_value(node, "1 to 365");
  }
  return days;
}

Result<RetentionPolicy> retention_in(const Section& section) {
  TRY_ASSIGN(const pugi::xml_node node, section.get("RetentionPolicy"));
  TRY_ASSIGN(const Section policy, Section::open(node, {"Enabled", "Days"}));
  RetentionPolicy out;
  TRY_ASSIGN(out.enabled, policy.flag("Enabled"));
  if (!out.enabled && !policy.find("Days")) return out;
  TRY_ASSIGN(const pugi::xml_node days, policy.get("Days"));
  TRY_ASSIGN(out.days, days_in(days));
  if (!out.enabled) out.days = 0;  // a policy that is off has no days: Azure drops them, too
  return out;
}

Result<std::string> version_in(const Section& section, std::initializer_list<std::string_view> known) {
  TRY_ASSIGN(const pugi::xml_node node, section.get("Version"));
  TRY_ASSIGN(std::string text, only_text(node));
  if (std::find(known.begin(), known.end(), text) == known.end()) return bad_value(node, "a known version, like 1.0");
  return text;
}

Result<void> apply_logging(ServiceProperties& properties, const pugi::xml_node& node) {
  TRY_ASSIGN(const Section section, Section::open(node, {"Version", "Delete", "Read", "Write", "RetentionPolicy"}));
  TRY_ASSIGN(properties.logging_version, version_in(section, {"1.0", "2.0"}));
  for (const char* operation : {"Delete", "Read", "Write"}) {
    TRY_ASSIGN(const bool wanted, section.flag(operation));
    if (wanted) return unbuilt("Logging", "logs in $logs are");
  }
  TRY_ASSIGN(properties.logging_retention, retention_in(section));
  return {};
}

Result<void> apply_metrics(std::string& version, RetentionPolicy& retention, const pugi::xml_node& node) {
  TRY_ASSIGN(const Section section, Section::open(node, {"Version", "Enabled", "IncludeAPIs", "RetentionPolicy"}));
  TRY_ASSIGN(version, version_in(section, {"1.0"}));
  TRY_ASSIGN(const bool enabled, section.flag("Enabled"));
  TRY(section.flag_or_false("IncludeAPIs"));
  if (enabled) return unbuilt(node.name(), "tables of metrics are (/metrics of the admin listener has them)");
  TRY_ASSIGN(retention, retention_in(section));
  return {};
}

Result<void> apply_cors(const pugi::xml_node& node) {
  if (node.child("CorsRule")) return unbuilt("Cors", "rules are");
  TRY(Section::open(node, {}));
  return {};
}

Result<void> apply_default_version(ServiceProperties& properties, const pugi::xml_node& node) {
  TRY_ASSIGN(std::string text, only_text(node));
  if (!is_service_version(text)) return bad_value(node, "a version like 2021-12-02");
  properties.default_version = std::move(text);
  return {};
}

Result<void> refuse_soft_delete(const pugi::xml_node& node) {
  TRY_ASSIGN(const Section section, Section::open(node, {"Enabled", "Days", "AllowPermanentDelete"}));
  TRY_ASSIGN(const bool enabled, section.flag("Enabled"));
  TRY_ASSIGN(const bool permanent, section.flag_or_false("AllowPermanentDelete"));
  if (enabled || permanent) return unbuilt("DeleteRetentionPolicy", "soft delete is");
  if (const auto days = section.find("Days")) {
    TRY(days_in(days));
  }
  return {};
}

Result<void> refuse_website(const pugi::xml_node& node) {
  TRY_ASSIGN(const Section section,
             Section::open(node, {"Enabled", "IndexDocument", "ErrorDocument404Path", "DefaultIndexDocumentPath"}));
  TRY_ASSIGN(const bool enabled, section.flag("Enabled"));
  if (enabled) return unbuilt("StaticWebsite", "static websites are");
  for (const char* name : {"IndexDocument", "ErrorDocument404Path", "DefaultIndexDocumentPath"}) {
    if (section.find(name)) return bad_value(section.find(name), "left out of a website that is disabled");
  }
  return {};
}

void write_retention(XmlWriter& xml, const RetentionPolicy& policy) {
  xml.open("RetentionPolicy");
  xml.element("Enabled", policy.enabled ? "true" : "false");
  if (policy.enabled) xml.element("Days", std::uint64_t{policy.days});
  xml.close("RetentionPolicy");
}

void write_metrics(XmlWriter& xml, std::string_view name, std::string_view version, const RetentionPolicy& retention) {
  xml.open(name);
  xml.element("Version", version);
  xml.element("Enabled", "false");
  write_retention(xml, retention);
  xml.close(name);
}

void write_disabled(XmlWriter& xml, std::string_view name) {
  xml.open(name);
  xml.element("Enabled", "false");
  xml.close(name);
}

}  // namespace

Result<void> apply_service_properties(ServiceProperties& properties, std::string_view xml) {
  pugi::xml_document document;
  TRY_ASSIGN(const pugi::xml_node root,
             load_xml(document, xml, {.root = kRoot, .depth_max = kDepthMax, .tags_max = kTagsMax}));
  TRY_ASSIGN(const Section all,
             Section::open(root, {"Logging", "HourMetrics", "MinuteMetrics", "Cors", "DefaultServiceVersion",
                                  "DeleteRetentionPolicy", "StaticWebsite"}));
  if (const auto node = all.find("Logging")) {
    TRY(apply_logging(properties, node));
  }
  if (const auto node = all.find("HourMetrics")) {
    TRY(apply_metrics(properties.hour_metrics_version, properties.hour_metrics_retention, node));
  }
  if (const auto node = all.find("MinuteMetrics")) {
    TRY(apply_metrics(properties.minute_metrics_version, properties.minute_metrics_retention, node));
  }
  if (const auto node = all.find("Cors")) {
    TRY(apply_cors(node));
  }
  if (const auto node = all.find("DefaultServiceVersion")) {
    TRY(apply_default_version(properties, node));
  }
  if (const auto node = all.find("DeleteRetentionPolicy")) {
    TRY(refuse_soft_delete(node));
  }
  if (const auto node = all.find("StaticWebsite")) {
    TRY(refuse_website(node));
  }
  return {};
}

std::string service_properties_xml(const ServiceProperties& properties) {
  XmlWriter xml;
  xml.open(kRoot);
  xml.open("Logging");
  xml.element("Version", properties.logging_version);
  for (const char* operation : {"Read", "Write", "Delete"}) xml.element(operation, "false");
  write_retention(xml, properties.logging_retention);
  xml.close("Logging");
  write_metrics(xml, "HourMetrics", properties.hour_metrics_version, properties.hour_metrics_retention);
  write_metrics(xml, "MinuteMetrics", properties.minute_metrics_version, properties.minute_metrics_retention);
  xml.empty("Cors");
  if (!properties.default_version.empty()) xml.element("DefaultServiceVersion", properties.default_version);
  write_disabled(xml, "DeleteRetentionPolicy");
  write_disabled(xml, "StaticWebsite");
  xml.close(kRoot);
  return std::move(xml).finish();
}

Result<ServiceProperties> stored_service_properties(std::string_view stored) {
  ServiceProperties properties;
  if (stored.empty()) return properties;
  const auto applied = apply_service_properties(properties, stored);
  if (!applied.ok()) {
    return Error{Code::kCorrupt, fmt::format("stored service properties: {}", applied.error().message)};
  }
  return properties;
}

}  // namespace tombolo::azure_blob
