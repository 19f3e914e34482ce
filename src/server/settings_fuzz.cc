// The configuration file: what was understood reads the same when it is written anew.
#include "server/settings.h"

#include <fmt/format.h>

#include "base/sizes.h"
#include "testing/fuzz.h"

namespace tombolo::server {
namespace {

/// As a TOML string that holds any text.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '"' || c == '\\') {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

FUZZ(server_settings) {
  const fuzz::Exact copy(as_text(input));
  Settings settings;
  const auto applied = apply_toml(settings, copy.text(), "fuzzed");
  if (!applied.ok()) {
    ASSERT(applied.error().code == Code::kInvalid && applied.error().message.starts_with("fuzzed:"));
  } else {
    const auto changed = changed_settings(settings);
    std::string document;
    for (const auto& [key, text] : changed) document += key + " = " + toml_string(text) + "\n";
    Settings again;
    ASSERT(apply_toml(again, document, "written").ok() && changed_settings(again) == changed);
    ASSERT(validate(again).ok() == validate(settings).ok());
  }
  if (const auto endpoint = parse_endpoint(copy.text()); endpoint.ok()) {
    const bool bracketed = endpoint->address.find(':') != std::string::npos;
    const auto again = parse_endpoint(
        fmt::format("{}{}{}:{}", bracketed ? "[" : "", endpoint->address, bracketed ? "]" : "", endpoint->port));
    ASSERT(again.ok() && again->address == endpoint->address && again->port == endpoint->port);
  }
  if (const auto size = parse_size(copy.text()); size.ok()) ASSERT(*parse_size(std::to_string(*size)) == *size);
}

}  // namespace tombolo::server
