// tombolo tls show | reload
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

int print(const Invocation& invocation, const nlohmann::json& tls) {
  if (invocation.json()) {
    print_json(tls);
    return 0;
  }
  print_table({{"certificate", tls.at("certificate_file")},
               {"subject", tls.at("subject")},
               {"names", tls.at("names")},
               {"valid", fmt::format("{} to {}", tls.at("not_before").get<std::string>(),
                                     tls.at("not_after").get<std::string>())},
               {"SHA-256", tls.at("sha256")},
               {"handshakes", fmt::format("{}, and {} failed", tls.at("handshakes").get<std::uint64_t>(),
                                          tls.at("handshakes_failed").get<std::uint64_t>())}});
  return 0;
}

}  // namespace

Result<int> tls_show(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto tls, connection.get("tls"));
  return print(invocation, tls);
}

Result<int> tls_reload(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto tls, connection.post("tls/reload", nlohmann::json::object()));
  return print(invocation, tls);
}

}  // namespace tombolo::cli
