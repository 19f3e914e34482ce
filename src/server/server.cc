#include "server/server.h"

#include <fmt/format.h>

#include "admin/handler.h"
#include "base/log.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/usage.h"
#include "protocol/azure_blob/handler.h"
#include "protocol/azure_blob/router.h"
#include "server/gauges.h"
#include "server/own_places.h"
#include "server/request_metrics.h"
#include "server/serve.h"

namespace tombolo::server {
namespace {

http::ServerConfig listener(const Endpoint& endpoint, const Settings& settings) {
  http::ServerConfig config;
  config.address = endpoint.address;
  config.port = endpoint.port;
  config.connections_max = static_cast<std::uint32_t>(settings.connections_max);
  config.stop_grace = std::chrono::seconds(settings.stop_seconds);
  config.head_time_max = std::chrono::seconds(settings.head_seconds);
  config.keep_alive_max = std::chrono::seconds(settings.keep_alive_seconds);
  config.body_stall_max = config.write_stall_max = std::chrono::seconds(settings.stall_seconds);
  config.rate_min = settings.client_rate_min;
  return config;
}

admission::AdmissionOptions admission_options(const Settings& settings) {
  admission::AdmissionOptions options;
  options.requests_max = settings.requests_max;
  options.account_requests_max = settings.account_requests_max;
  options.account_requests_per_second = settings.account_requests_per_second;
  options.account_upload_bytes_max = settings.account_upload_bytes_max;
  return options;
}

// For people: an address that listens everywhere is shown as the machine itself.
std::string url_of(const Endpoint& endpoint, std::uint16_t port) {
  const bool everywhere = endpoint.address == "0.0.0.0" || endpoint.address == "::";
  const std::string host = everywhere ? "127.0.0.1" : endpoint.address;
  return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, port)
                                             : fmt::format("http://[{}]:{}", host, port);
}

// The system's reason, and what to do about it.
Result<void> listening(Result<void> started, std::string_view option) {
  if (started.ok()) return started;
  Error error = std::move(started).error();
  error.message += fmt::format(
      "; pass a free port of this machine with {} ADDRESS:PORT, or end what listens there "
      "(`ss -ltnp` names it)",
      option);
  return error;
}

void log_access(const azure_blob::Observation& seen) {
  log(LogLevel::kInfo, "access", "{} {} {} {} status={} error={} in={} out={} us={} request={} client_request={}{}",
      seen.peer_address, seen.operation, seen.method, seen.path, seen.status,
      seen.error_code.empty() ? "-" : seen.error_code, seen.bytes_received, seen.bytes_sent, seen.took.count(),
      seen.request_id, seen.client_request_id.empty() ? "-" : seen.client_request_id, seen.broken ? " broken" : "");
}

}  // namespace

// The listener of the Blob dialect.
class Server::BlobFront {
 public:
  BlobFront(Server& owner, const Endpoint& endpoint)
      : requests_(owner.cell_.metrics(), "azure_blob", operation_names()),
        handler_({owner.cell_.store(), owner.verifier_, owner.admission_, owner.clock_,
                  owner.cell_.services().cell.random, owner.runtime_.workers()},
                 observer(owner.settings_)),
        server_(listener(endpoint, owner.settings_), owner.runtime_.loops(), handler_, owner.clock_) {}

  http::Server& server() { return server_; }

 private:
  static std::vector<std::string_view> operation_names() {
    std::vector<std::string_view> names = {azure_blob::kUnknownOperation};
    for (const azure_blob::Operation& operation : azure_blob::operations()) names.push_back(operation.name);
    return names;
  }

  azure_blob::Observer observer(const Settings& settings) {
    return [this, log_each = settings.access_log](const azure_blob::Observation& seen) {
      requests_.count(seen);
      if (log_each) log_access(seen);
    };
  }

  RequestMetrics requests_;
  azure_blob::AzureBlobHandler handler_;
  http::Server server_;
};

// The admin API's listener.
class Server::AdminFront {
 public:
  AdminFront(Server& owner, const Endpoint& endpoint)
      : handler_({owner.cell_.services(), owner.cell_.store(), owner.cell_.accounts(), owner.cell_.jobs(),
                  owner.cell_.metrics(), owner, owner.admin_token_}),
        server_(listener(endpoint, owner.settings_), owner.runtime_.loops(), handler_, owner.clock_) {}

  http::Server& server() { return server_; }

 private:
  admin::AdminHandler handler_;
  http::Server server_;
};

Server::Server(Cell& cell, Settings settings, std::string admin_token, Clock& clock, Runtime& runtime)
    : cell_(cell),
      settings_(std::move(settings)),
      admin_token_(std::move(admin_token)),
      clock_(clock),
      runtime_(runtime),
      started_(clock.steady()),
      verifier_(cell.accounts(), clock),
      admission_(admission_options(settings_), clock) {}

Server::~Server() = default;

Task<void> Server::start() {
  CO_CHECK_ASSIGN(const Endpoint blob, parse_endpoint(settings_.listen));
  CO_CHECK_ASSIGN(const Endpoint admin, parse_endpoint(settings_.admin_listen));
  auto blob_front = std::make_unique<BlobFront>(*this, blob);
  CO_CHECK(listening(blob_front->server().start(), "--listen"));
  blob_ = std::move(blob_front);
  auto admin_front = std::make_unique<AdminFront>(*this, admin);
  CO_CHECK(listening(admin_front->server().start(), "--admin-listen"));
  admin_ = std::move(admin_front);
  ReadFronts fronts = [this] {
    return Fronts{.listeners = {{"blob", blob_->server().stats()}, {"admin", admin_->server().stats()}},
                  .requests_running = admission_.requests()};
  };
  background_.spawn(runtime_.background(), refresh_gauges(cell_, runtime_.workers(), settings_, std::move(fronts)));
  background_.spawn(runtime_.background(), take_censuses(cell_, clock_, settings_));
  co_return Result<void>{};
}

Task<void> Server::stop() {
  CO_TRY(background_.close());
  if (blob_) {
    CO_TRY(blob_->server().stop());
  }
  if (admin_) {
    CO_TRY(admin_->server().stop());
  }
  co_return Result<void>{};
}

std::string Server::blob_url() const {
  return url_of(*parse_endpoint(settings_.listen), blob_ ? blob_->server().port() : 0);
}
std::string Server::admin_url() const {
  return url_of(*parse_endpoint(settings_.admin_listen), admin_ ? admin_->server().port() : 0);
}

Result<void> Server::check_not_own_remote(const std::string& endpoint) const {
  TRY_ASSIGN(Endpoint blob, parse_endpoint(settings_.listen));
  if (blob_) blob.port = blob_->server().port();
  return check_not_own(endpoint, blob, settings_.data);
}

Task<void> Server::add_remote(admin::NewRemote remote) {
  CO_CHECK(check_not_own_remote(remote.endpoint));
  co_return co_await cell_.drivers().add(std::move(remote));
}
Task<std::vector<admin::RemoteView>> Server::remotes() {
  return cell_.drivers().views();
}
Task<void> Server::update_remote(admin::NewRemote remote) {
  CO_CHECK(check_not_own_remote(remote.endpoint));
  co_return co_await cell_.drivers().update(std::move(remote));
}
Task<admin::RemoteTestReport> Server::test_remote(std::string name, admin::RemoteTestLimits limits) {
  return cell_.drivers().test(std::move(name), limits);
}

Task<tiering::FsckReport> Server::fsck(tiering::FsckOptions options) {
  return cell_.fsck(options);
}

Task<admin::Status> Server::status() {
  admin::Status status;
  status.version = kVersion;
  status.durability = "local: acknowledged when synced on this node's flash; it dies with the node";
  status.uptime_seconds = static_cast<double>((clock_.steady() - started_).count()) / 1e6;
  CO_TRY_ASSIGN(const CellUsage usage, cell_.usage());
  status.objects = usage.objects;
  status.bytes = usage.bytes;
  status.bytes_local = usage.bytes_local;
  status.bytes_cold = usage.bytes_cold;
  status.bytes_cached = cell_.cache().stats().bytes;
  status.segment_file_bytes = cell_.segments().file_bytes();
  status.open_segment_bytes = usage.open_segment_bytes;
  CO_TRY_ASSIGN(const disk::Space space, cell_.disk().space());
  status.disk_free_bytes = space.free_bytes;
  const kv::LogEngineStatus engine = cell_.engine().status();
  status.log_bytes = engine.log.bytes;
  status.log_syncs = engine.log.syncs;
  status.committed_sequence = engine.committed.value;
  if (engine.stopped) {
    status.stopped_reason = engine.stopped->message;
  } else if (engine.stalled) {
    status.stopped_reason = engine.stalled->message;
  }
  co_return status;
}

}  // namespace tombolo::server
