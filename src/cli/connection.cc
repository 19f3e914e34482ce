#include "cli/connection.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "async/run.h"
#include "async/scope.h"
#include "async/sleep.h"
#include "http/client.h"

namespace tombolo::cli {
namespace {

constexpr std::size_t kAnswerMax = 64 * 1024 * 1024;
constexpr auto kDefaultUrl = "http://127.0.0.1:10080";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> first_line(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    const int reason = errno;
    return Error{reason == EACCES ? Code::kPermissionDenied : Code::kNotFound,
                 fmt::format("cannot read {}: {}", path, reason == 0 ? "it is empty" : std::strerror(reason))};
  }
  return line;
}

Result<std::string> token_of(const std::string& data) {
  auto line = first_line(data + "/admin.token");
  if (line.ok()) return line;
  Error error = std::move(line).error();
  error.message += error.code == Code::kPermissionDenied
                       ? "; run this as the user that runs the server (of the package: sudo -u tombolo tombolo …), or "
                         "set TOMBOLO_ADMIN_URL and TOMBOLO_ADMIN_TOKEN"
                       : fmt::format(
                             "; has a server run on this directory? Start one with `tombolo serve --data {}`, "
                             "or pass the --data DIR of the one that runs",
                             data);
  return error;
}

Result<std::shared_ptr<http::TlsClient>> trusted(const std::string& ca_file) {
  std::stringstream text;
  if (!ca_file.empty()) {
    std::ifstream file(ca_file);
    text << file.rdbuf();
    if (!file) return Error{Code::kNotFound, fmt::format("cannot read {}: {}", ca_file, std::strerror(errno))};
  }
  return http::TlsClient::make(text.str());
}

Task<nlohmann::json> exchange(http::Client& client, http::Request request, std::string body) {
  BlockSource source{Block(std::string(body))};
  if (!body.empty()) {
    request.body = &source;
    request.body_size = body.size();
  }
  CO_TRY_ASSIGN(http::Response response, client.send(std::move(request)));
  CO_TRY_ASSIGN(const Bytes bytes, read_all(*response.body, kAnswerMax));
  auto json = nlohmann::json::parse(as_text(bytes), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    co_return Error{Code::kUnsupported, fmt::format("the answer (HTTP {}) is no JSON: is this tombolo's admin address?",
                                                    response.head.status)};
  }
  if (response.head.status == 401) {
    co_return Error{Code::kUnauthenticated,
                    "the server refuses the token: --data DIR or TOMBOLO_DATA must name the directory of the server "
                    "that answers there, or TOMBOLO_ADMIN_TOKEN hold the line in its file admin.token"};
  }
  if (response.head.status >= 400) {
    const auto error = json.value("error", nlohmann::json::object());
    const int status = response.head.status;
    co_return Error{status == 404   ? Code::kNotFound
                    : status == 503 ? Code::kBusy
                                    : Code::kInvalid,
                    error.value("message", fmt::format("HTTP {}", status))};
  }
  co_return json;
}

// Until it is cancelled. What cannot be shown now may be the next time.
Task<void> look_on(http::Client& client, std::function<http::Request()> look, Connection::Watch watch) {
  while (true) {
    CO_TRY(sleep_for(watch.pause));
    const auto seen = co_await exchange(client, look(), {});
    if (seen.ok()) watch.show(*seen);
  }
}

Task<nlohmann::json> watched(Task<nlohmann::json> task, http::Client& client, std::function<http::Request()> look,
                             Connection::Watch watch) {
  Scope onlookers("watch");
  const auto executor = co_await boost::asio::this_coro::executor;
  onlookers.spawn(executor, look_on(client, std::move(look), std::move(watch)));
  auto answer = co_await std::move(task);
  CO_TRY(onlookers.close());
  co_return answer;
}

}  // namespace

Result<Connection> Connection::open(const Target& target) {
  std::string data = !target.data.empty() ? target.data : environment("TOMBOLO_DATA");
  std::string url = !target.url.empty() ? target.url : environment("TOMBOLO_ADMIN_URL");
  Connection made;
  made.token_ = environment("TOMBOLO_ADMIN_TOKEN");
  // Only where nothing at all is said: this machine's token is shown to no server of another address.
  const bool nothing_said = made.token_.empty() && data.empty() && url.empty();
  if (nothing_said && target.installed_data) data = target.installed_data();
  if (made.token_.empty() && data.empty()) {
    return Error{Code::kInvalid,
                 "say which server: pass --data DIR (the directory given to `tombolo serve`), or set TOMBOLO_DATA, or "
                 "TOMBOLO_ADMIN_URL and TOMBOLO_ADMIN_TOKEN"};
  }
  if (made.token_.empty()) {
    TRY_ASSIGN(made.token_, token_of(data));
  }
  if (url.empty() && !data.empty()) {
    auto written = first_line(data + "/admin.url");
    if (written.ok()) url = *written;
  }
  if (url.empty()) url = kDefaultUrl;
  const std::string scheme = url.starts_with("https://") ? "https://" : "http://";
  const std::size_t colon = url.rfind(':');
  const bool shaped = url.starts_with(scheme) && colon != std::string::npos && colon > scheme.size();
  const auto [end, error] = std::from_chars(url.data() + (shaped ? colon + 1 : 0), url.data() + url.size(), made.port_);
  if (!shaped || error != std::errc{} || (end != url.data() + url.size() && *end != '/')) {
    return Error{Code::kInvalid, fmt::format("\"{}\" is no admin URL; write it like {}", url, kDefaultUrl)};
  }
  made.host_ = url.substr(scheme.size(), colon - scheme.size());
  if (made.host_.starts_with('[') && made.host_.ends_with(']'))
    made.host_ = made.host_.substr(1, made.host_.size() - 2);
  if (scheme == "https://") {
    TRY_ASSIGN(made.tls_, trusted(!target.ca_file.empty() ? target.ca_file : environment("TOMBOLO_CA_FILE")));
  }
  return made;
}

http::Request Connection::request_for(const std::string& method, const std::string& path, bool has_body) const {
  http::Request request;
  request.host = host_;
  request.port = port_;
  if (tls_) request.tls_name = host_;
  request.method = method;
  request.target = "/v1/" + path;
  request.headers.set("Authorization", "Bearer " + token_);
  if (has_body) request.headers.set("Content-Type", "application/json");
  return request;
}

Result<nlohmann::json> Connection::call(const std::string& method, const std::string& path, const std::string& body,
                                        const Watch* watch) {
  http::ClientConfig config;
  config.first_byte_max = answer_within_;
  config.tls = tls_;
  boost::asio::io_context loop(1);  // outlives the client's connections
  http::Client client(config);
  Task<nlohmann::json> task = exchange(client, request_for(method, path, !body.empty()), body);
  if (watch != nullptr) {
    const auto look = [this, watch] { return request_for("GET", watch->watched, false); };
    task = watched(std::move(task), client, look, *watch);
  }
  auto answer = run_to_end(loop, std::move(task));
  if (!answer.ok()) return about_server(std::move(answer).error(), method);
  return answer;
}

Error Connection::about_server(Error error, const std::string& method) const {
  if (error.detail == http::kNotConnected) {
    return {Code::kUnavailable,
            fmt::format("no tombolo answers at {}:{} ({}); is `tombolo serve` running? Start it, or name another "
                        "server with --data DIR or --admin URL",
                        host_, port_, error.message),
            kNoServer};
  }
  if (error.code != Code::kUnavailable && error.code != Code::kDeadline) return error;
  if (error.code == Code::kDeadline) {
    return {Code::kUnavailable,
            fmt::format("no answer within {} s: the server at {}:{} is there, but busy, or waits for its disk or a "
                        "remote. Its log says for what (journalctl -u tombolo, or its standard error){}",
                        std::chrono::duration_cast<std::chrono::seconds>(answer_within_).count(), host_, port_,
                        method == "GET" ? "; ask again" : "; it may have been done: look before you ask again")};
  }
  return {Code::kUnavailable,
          fmt::format("the answer was lost ({}){}", error.message,
                      method == "GET" ? "; ask again" : "; it may have been done: look before you ask again")};
}

Result<nlohmann::json> Connection::get(const std::string& path) {
  return call("GET", path, "");
}
Result<nlohmann::json> Connection::post(const std::string& path, const nlohmann::json& body) {
  return call("POST", path, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}
Result<nlohmann::json> Connection::post(const std::string& path, const nlohmann::json& body, const Watch& watch) {
  return call("POST", path, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), &watch);
}
Result<nlohmann::json> Connection::patch(const std::string& path, const nlohmann::json& body) {
  return call("PATCH", path, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}
Result<nlohmann::json> Connection::remove(const std::string& path) {
  return call("DELETE", path, "");
}

}  // namespace tombolo::cli
