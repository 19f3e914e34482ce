#include "server/settings.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

#include "base/nearest.h"
#include "base/sizes.h"
#include "server/settings_bounds.h"

namespace tombolo::server {
namespace {

constexpr std::string_view kAccountPlace = "ACCOUNT";  // in server.public_url

Error dev_on_loopback_only() {
  return Error{Code::kInvalid,
               "--dev makes an account whose key everybody knows, so it serves loopback only; drop --dev or listen "
               "on 127.0.0.1"};
}

Result<void> assign(std::string& member, std::string_view text) {
  member = text;
  return {};
}
Result<void> assign(std::uint64_t& member, std::string_view text) {
  TRY_ASSIGN(member, parse_size(text));
  return {};
}
Result<void> assign(bool& member, std::string_view text) {
  if (text != "true" && text != "false") return Error{Code::kInvalid, "true or false"};
  member = text == "true";
  return {};
}

std::string text_of(std::string_view value) {
  return std::string(value);
}
std::string text_of(std::uint64_t value) {
  return std::to_string(value);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}

Result<void> apply_table(Settings& settings, const toml::table& table, const std::string& prefix,
                         std::string_view where) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const toml::table* inner = node.as_table()) {
      TRY(apply_table(settings, *inner, key + ".", where));
      continue;
    }
    std::string text;
    if (const auto* s = node.as_string()) {
      text = s->get();
    } else if (const auto* i = node.as_integer()) {
      text = std::to_string(i->get());
    } else if (const auto* b = node.as_boolean()) {
      text = b->get() ? "true" : "false";
    } else {
      return Error{Code::kInvalid, fmt::format("{}: {} must be a text, a whole number or true/false", where, key)};
    }
    if (auto done = set(settings, key, text); !done.ok()) {
      return Error{Code::kInvalid, fmt::format("{}: {}", where, done.error().message)};
    }
  }
  return {};
}

}  // namespace

const std::vector<SettingInfo>& setting_table() {
  static const Settings defaults;
  static const std::vector<std::string> texts = {
#define X(member, ...) text_of(defaults.member),
      TOMBOLO_SETTINGS(X)
#undef X
  };
  static const std::vector<SettingInfo> all = [] {
    std::vector<SettingInfo> made = {
#define X(member, type, key, value, unit, effect) {key, #type, {}, unit, effect},
        TOMBOLO_SETTINGS(X)
#undef X
    };
    for (std::size_t i = 0; i < made.size(); ++i) made[i].default_text = texts[i];
    return made;
  }();
  return all;
}

std::vector<std::pair<std::string, std::string>> changed_settings(const Settings& settings) {
  const Settings defaults;
  std::vector<std::pair<std::string, std::string>> changed;
#define X(member, type, key, ...) \
  if (settings.member != defaults.member) changed.emplace_back(key, text_of(settings.member));
  TOMBOLO_SETTINGS(X)
#undef X
  return changed;
}

std::string settings_page() {
  std::string page =
      "# Configuration\n\n"
      "`tombolo serve` needs no configuration file. What it reads, the later over the earlier: the TOML file of\n"
      "`--config`, environment variables (`server.listen` is `TOMBOLO_SERVER_LISTEN`), flags (`--set KEY=VALUE` takes\n"
      "any key). Sizes may end in KiB, MiB, GiB or TiB. A key that is not in this table is an error; a variable of "
      "one\n"
      "of its sections that names none is warned of in the log and passed over, what Kubernetes makes of services\n"
      "without a word. This page is what `tombolo serve --help-settings` prints.\n\n"
      "| key | default | unit | effect |\n|---|---|---|---|\n";
  for (const SettingInfo& info : setting_table()) {
    page +=
        fmt::format("| `{}` | {} | {} | {} |\n", info.key,
                    info.default_text.empty() ? "–" : fmt::format("`{}`", info.default_text), info.unit, info.effect);
  }
  return page;
}

Result<void> set(Settings& settings, std::string_view key, std::string_view text) {
  const auto checked = [&](Result<void> result) -> Result<void> {
    if (result.ok()) return result;
    return Error{Code::kInvalid, fmt::format("{} = \"{}\" is not {}", key, text, result.error().message)};
  };
#define X(member, type, name, ...) \
  if (key == name) return checked(assign(settings.member, text));
  TOMBOLO_SETTINGS(X)
#undef X
  std::vector<std::string_view> keys;
  for (const SettingInfo& info : setting_table()) keys.push_back(info.key);
  const std::string suggestion = did_you_mean(key, keys);
  return Error{Code::kInvalid, fmt::format("there is no setting \"{}\"{} `tombolo serve --help-settings` lists them",
                                           key, suggestion.empty() ? ";" : suggestion)};
}

Result<void> apply_toml(Settings& settings, std::string_view document, std::string_view where) {
  try {
    const toml::table table = toml::parse(document, where);
    return apply_table(settings, table, "", where);
  } catch (const toml::parse_error& error) {
    return Error{Code::kInvalid,
                 fmt::format("{}:{}: {}", where, error.source().begin.line, std::string(error.description()))};
  }
}

namespace {

// Of the command line, although they look like settings.
constexpr std::array<std::string_view, 2> kNoSettings = {"TOMBOLO_REMOTE_KEY", "TOMBOLO_REMOTE_SAS"};

// Of the service "tombolo-server": TOMBOLO_SERVER_SERVICE_HOST, …_SERVICE_PORT_HTTP, …_PORT, …_PORT_80_TCP_ADDR
// (Kubernetes, "Accessing the Service: Environment variables").
bool is_service_link(std::string_view variable) {
  return variable.ends_with("_SERVICE_HOST") || variable.find("_SERVICE_PORT") != std::string_view::npos ||
         variable.ends_with("_PORT") || variable.find("_PORT_") != std::string_view::npos;
}

// "server.listen" of TOMBOLO_SERVER_LISTEN; nothing where the variable is not in a section of the table.
std::optional<std::string> key_of(std::string_view variable) {
  constexpr std::string_view kPrefix = "TOMBOLO_";
  if (!variable.starts_with(kPrefix)) return std::nullopt;
  if (std::find(kNoSettings.begin(), kNoSettings.end(), variable) != kNoSettings.end()) return std::nullopt;
  std::string key(variable.substr(kPrefix.size()));
  const std::size_t end = key.find('_');
  if (end == std::string::npos) return std::nullopt;
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  key[end] = '.';
  const std::string_view section = std::string_view(key).substr(0, end + 1);
  for (const SettingInfo& info : setting_table()) {
    if (info.key.starts_with(section)) return key;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::string>> apply_environment(Settings& settings,
                                                   const std::map<std::string, std::string>& environment) {
  std::vector<std::string> keys, warnings;
  for (const SettingInfo& info : setting_table()) keys.emplace_back(info.key);
  for (const auto& [variable, text] : environment) {
    const std::optional<std::string> key = key_of(variable);
    if (!key) continue;
    if (std::find(keys.begin(), keys.end(), *key) == keys.end()) {
      if (is_service_link(variable)) continue;
      const std::string suggestion = did_you_mean(*key, {keys.begin(), keys.end()});
      warnings.push_back(fmt::format("environment variable {} is passed over: there is no setting \"{}\"{}", variable,
                                     *key, suggestion));
      continue;
    }
    if (auto done = set(settings, *key, text); !done.ok()) {
      return Error{Code::kInvalid, fmt::format("environment variable {}: {}", variable, done.error().message)};
    }
  }
  return warnings;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  if (colon != std::string_view::npos) {
    std::string_view address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']')
      address = address.substr(1, address.size() - 2);
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    boost::system::error_code bad;
    boost::asio::ip::make_address(std::string(address), bad);
    if (error == std::errc{} && end == port.data() + port.size() && !port.empty() && !bad) {
      endpoint.address = address;
      return endpoint;
    }
  }
  return Error{Code::kInvalid,
               fmt::format("\"{}\" is no address:port; write it like 127.0.0.1:10000 or [::1]:10000", text)};
}

bool is_loopback(const Endpoint& endpoint) {
  boost::system::error_code bad;
  const auto address = boost::asio::ip::make_address(endpoint.address, bad);
  return !bad && address.is_loopback();
}

std::string account_url(const Settings& settings, const std::string& otherwise, const std::string& account) {
  std::string url = settings.public_url.empty() ? otherwise : settings.public_url;
  const std::size_t at = url.find(kAccountPlace);
  if (at == std::string::npos) return url + "/" + account;
  return url.replace(at, kAccountPlace.size(), account);
}

namespace {

Result<void> validate_public_url(const std::string& url) {
  if (url.empty()) return {};
  const std::size_t scheme = url.starts_with("https://") ? 8 : (url.starts_with("http://") ? 7 : 0);
  const bool plain = url.find_first_of("?# \\\"<>@") == std::string::npos;
  if (scheme == 0 || url.size() == scheme || !plain || url.ends_with('/')) {
    return Error{
        Code::kInvalid,
        fmt::format("server.public_url = \"{}\" is no URL of a service; write it like https://blob.example.com "
                    "or https://ACCOUNT.blob.example.com, without a slash at its end",
                    url)};
  }
  return {};
}

Result<void> validate_tls(const Settings& settings) {
  const bool listens = !settings.tls_listen.empty() || !settings.tls_admin_listen.empty();
  if (settings.tls_cert_file.empty() != settings.tls_key_file.empty()) {
    return Error{Code::kInvalid, "tls.cert_file and tls.key_file go together: set both"};
  }
  if (listens && settings.tls_cert_file.empty()) {
    return Error{Code::kInvalid, "TLS needs a certificate: set tls.cert_file and tls.key_file"};
  }
  if (!listens && !settings.tls_cert_file.empty()) {
    return Error{Code::kInvalid, "nothing would show the certificate: set tls.listen, for example to 0.0.0.0:10443"};
  }
  if (!settings.tls_listen.empty()) {
    TRY_ASSIGN(const Endpoint blob, parse_endpoint(settings.tls_listen));
    if (settings.dev && !is_loopback(blob)) return dev_on_loopback_only();
  }
  if (!settings.tls_admin_listen.empty()) {
    TRY(parse_endpoint(settings.tls_admin_listen));
  }
  return {};
}

}  // namespace

Result<void> validate(const Settings& settings) {
  if (settings.data.empty()) {
    return Error{Code::kInvalid, "no data directory is named: pass --data DIR (or set server.data in the config file)"};
  }
  TRY_ASSIGN(const Endpoint blob, parse_endpoint(settings.listen));
  TRY(parse_endpoint(settings.admin_listen));
  if (settings.dev && !is_loopback(blob)) return dev_on_loopback_only();
  TRY(validate_public_url(settings.public_url));
  TRY(validate_tls(settings));
  const auto levels = {"debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), settings.log_level) == levels.end()) {
    return Error{Code::kInvalid, "server.log_level must be debug, info, warn or error"};
  }
  return check_bounds(settings);
}

std::vector<std::string> unwise(const Settings& settings) {
  const auto admin = parse_endpoint(settings.admin_listen);
  if (!admin.ok() || is_loopback(*admin)) return {};
  return {
      fmt::format("server.admin_listen = \"{}\" lets the admin token, which may do everything, travel over the network "
                  "in clear: keep it on 127.0.0.1, and listen beyond this machine with TLS (tls.admin_listen, "
                  "tls.cert_file, tls.key_file)",
                  settings.admin_listen)};
}

}  // namespace tombolo::server
