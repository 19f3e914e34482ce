// Connection: the admin API of a running server.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "http/tls.h"

namespace tombolo::cli {

/// Where the server is and what to show it. Of both, the first that is set: the option, the environment
/// (TOMBOLO_ADMIN_URL, TOMBOLO_ADMIN_TOKEN, TOMBOLO_CA_FILE, TOMBOLO_DATA), the files admin.url and admin.token of the
/// data directory.
struct Target {
  std::string data;     // --data
  std::string url;      // --admin
  std::string ca_file;  // --ca-file: who signed the server's certificate, besides the system's CAs (https only)
  /// The data directory of the server that this machine's package runs, asked for when nothing else says which; empty:
  /// there is none. May be null.
  std::function<std::string()> installed_data = {};
};

/// Error::detail where no connection could be made, so that nothing was done.
inline constexpr std::string_view kNoServer = "NoServer";

inline constexpr Duration kAnswerWithin = std::chrono::seconds(60);

class Connection {
 public:
  /// kInvalid, with what to pass, when nothing says where the server is.
  static Result<Connection> open(const Target& target);

  /// How long the server may take to begin an answer; kAnswerWithin unless a command knows that its own takes longer.
  void wait_for_answers(Duration most) { answer_within_ = most; }

  /// Errors: kNoServer; kUnavailable, the answer was lost; kBusy, 503; others are the server's.
  Result<nlohmann::json> get(const std::string& path);
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
  /// The same; while it runs, `show` is given what `watched` answers, every `pause`.
  struct Watch {
    std::string watched;  // a path
    Duration pause;
    std::function<void(const nlohmann::json&)> show;
  };
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body, const Watch& watch);
  Result<nlohmann::json> patch(const std::string& path, const nlohmann::json& body);
  Result<nlohmann::json> remove(const std::string& path);

 private:
  http::Request request_for(const std::string& method, const std::string& path, bool has_body) const;
  Result<nlohmann::json> call(const std::string& method, const std::string& path, const std::string& body,
                              const Watch* watch = nullptr);
  Error about_server(Error error, const std::string& method) const;

  std::shared_ptr<const http::TlsClient> tls_;  // null: plain
  std::string host_;
  std::uint16_t port_ = 0;
  std::string token_;
  Duration answer_within_ = kAnswerWithin;
};

}  // namespace tombolo::cli
