#include "server/server.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/handler.h"
#include "async/side_by_side.h"
#include "base/log.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/usage.h"
#include "protocol/azure_blob/handler.h"
#include "protocol/azure_blob/router.h"
#include "server/descriptors.h"
#include "server/gauges.h"
#include "server/own_places.h"
#include "server/request_metrics.h"
#include "server/rights_audit.h"
#include "server/serve.h"

namespace tombolo::server {
namespace {

enum class Transport { kPlain, kTls };

http::ServerConfig listener(const Endpoint& endpoint, const Settings& settings, std::uint64_t connections_max) {
  http::ServerConfig config;
  config.address = endpoint.address;
  config.port = endpoint.port;
  config.connections_max = static_cast<std::uint32_t>(std::min(connections_max, settings.connections_max));
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
std::string url_of(const Endpoint& endpoint, std::uint16_t port, Transport transport) {
  const std::string_view scheme = transport == Transport::kTls ? "https" : "http";
  const bool everywhere = endpoint.address == "0.0.0.0" || endpoint.address == "::";
  const std::string host = everywhere ? "127.0.0.1" : endpoint.address;
  return host.find(':') == std::string::npos ? fmt::format("{}://{}:{}", scheme, host, port)
                                             : fmt::format("{}://[{}]:{}", scheme, host, port);
}

// The system's reason, and what to do about it.
Result<void> listening(Result<void> started, std::string_view option) {
  if (started.ok()) return started;
  Error error = std::move(started).error();
  if (error.code == Code::kPermissionDenied) {
    error.message += fmt::format(
        "; a port below 1024 takes the capability CAP_NET_BIND_SERVICE (systemctl edit tombolo: docs/tls.md), or pass "
        "one above with {} ADDRESS:PORT",
        option);
    return error;
  }
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

// One handler behind one listener, or two: plain, and TLS.
class Server::Doors {
 public:
  Doors(Server& owner, const Endpoint& plain, const std::string& tls, http::Handler& handler,
        std::uint64_t connections_max)
      : tls_text_(tls) {
    plain_.emplace(listener(plain, owner.settings_, connections_max), owner.runtime_.loops(), handler, owner.clock_);
    if (tls.empty()) return;
    http::ServerConfig config = listener(*parse_endpoint(tls), owner.settings_, connections_max);
    config.tls = owner.tls_->server();
    tls_.emplace(std::move(config), owner.runtime_.loops(), handler, owner.clock_);
  }

  /// The options are what an error names to pass instead.
  Task<void> start(std::string plain_option, std::string tls_option) {
    CO_CHECK(listening(plain_->start(), plain_option));
    plain_started_ = true;
    if (!tls_) co_return Result<void>{};
    CO_CHECK(listening(tls_->start(), tls_option));
    tls_started_ = true;
    co_return Result<void>{};
  }
  /// Side by side; what runs has `grace`.
  Task<void> stop(Duration grace) {
    std::vector<Task<void>> stops;
    if (tls_started_) stops.push_back(tls_->stop(grace));
    if (plain_started_) stops.push_back(plain_->stop(grace));
    co_return co_await side_by_side("server stop", std::move(stops));
  }
  std::uint16_t port() const { return plain_->port(); }
  std::uint16_t tls_port() const { return tls_ ? tls_->port() : 0; }
  void read(const std::string& listener, Fronts& into) const {
    into.listeners[listener] = plain_->stats();
    if (tls_) into.listeners[listener + "_tls"] = tls_->stats();
  }
  std::string tls_url() const { return tls_ ? url_of(*parse_endpoint(tls_text_), tls_->port(), Transport::kTls) : ""; }

 private:
  const std::string tls_text_;
  std::optional<http::Server> plain_, tls_;
  bool plain_started_ = false, tls_started_ = false;
};

// The listeners of the Blob dialect.
class Server::BlobFront {
 public:
  BlobFront(Server& owner, const Endpoint& endpoint)
      : requests_(owner.cell_.metrics(), "azure_blob", operation_names()),
        handler_({owner.cell_.store(), owner.verifier_, owner.admission_, owner.clock_,
                  owner.cell_.services().cell.random, owner.runtime_.workers()},
                 observer(requests_, owner), witness(owner.audit_)),
        doors_(owner, endpoint, owner.settings_.tls_listen, handler_, owner.settings_.connections_max) {}

  Doors& doors() { return doors_; }

 private:
  static std::vector<std::string_view> operation_names() {
    std::vector<std::string_view> names = {azure_blob::kUnknownOperation};
    for (const azure_blob::Operation& operation : azure_blob::operations()) names.push_back(operation.name);
    return names;
  }

  static azure_blob::Observer observer(RequestMetrics& requests, Server& owner) {
    return
        [&requests, &audit = owner.audit_, log_each = owner.settings_.access_log](const azure_blob::Observation& seen) {
          requests.count(seen);
          if (log_each) log_access(seen);
          if (!seen.error_code.empty()) record_failure(audit, seen);
        };
  }

  static azure_blob::Witness witness(Audit& audit) {
    return [&audit](const azure_blob::Observation& seen) -> std::optional<Task<void>> {
      auto record = rights_record(seen);
      if (!record) return std::nullopt;
      return audit.record(*std::move(record));
    };
  }

  RequestMetrics requests_;
  azure_blob::AzureBlobHandler handler_;
  Doors doors_;
};

// The admin API's listeners.
class Server::AdminFront {
 public:
  AdminFront(Server& owner, const Endpoint& endpoint)
      : handler_({owner.cell_.services(), owner.cell_.store(), owner.cell_.accounts(), owner.cell_.jobs(),
                  owner.cell_.metrics(), owner, owner.admin_token_}),
        doors_(owner, endpoint, owner.settings_.tls_admin_listen, handler_, kAdminConnectionsMax) {}

  Doors& doors() { return doors_; }

 private:
  admin::AdminHandler handler_;
  Doors doors_;
};

Server::Server(Cell& cell, Settings settings, std::string admin_token, TlsFiles* tls, Clock& clock, Runtime& runtime,
               Audit& audit)
    : cell_(cell),
      settings_(std::move(settings)),
      admin_token_(std::move(admin_token)),
      tls_(tls),
      clock_(clock),
      runtime_(runtime),
      audit_(audit),
      started_(clock.steady()),
      verifier_(cell.accounts(), clock),
      admission_(admission_options(settings_), clock) {}

Server::~Server() = default;

Task<void> Server::start() {
  CO_CHECK_ASSIGN(const Endpoint blob, parse_endpoint(settings_.listen));
  CO_CHECK_ASSIGN(const Endpoint admin, parse_endpoint(settings_.admin_listen));
  blob_ = std::make_unique<BlobFront>(*this, blob);
  CO_TRY(blob_->doors().start("--listen", "tls.listen ="));
  admin_ = std::make_unique<AdminFront>(*this, admin);
  CO_TRY(admin_->doors().start("--admin-listen", "tls.admin_listen ="));
  ReadFronts fronts = [this] {
    Fronts read;
    blob_->doors().read("blob", read);
    admin_->doors().read("admin", read);
    read.requests_running = admission_.requests();
    return read;
  };
  const std::shared_ptr<http::TlsServer> shown = tls_ == nullptr ? nullptr : tls_->server();
  background_.spawn(runtime_.background(),
                    refresh_gauges(cell_, runtime_.workers(), settings_, std::move(fronts), shown));
  if (settings_.census_seconds != 0) {
    TakeCensus take = [this] { return count_places(); };
    background_.spawn(runtime_.background(), take_censuses(std::move(take), cell_.metrics(), clock_,
                                                           std::chrono::seconds(settings_.census_seconds)));
  }
  co_return Result<void>{};
}

Task<void> Server::stop() {
  ready_ = false;
  CO_TRY(background_.close());
  // The admin API last: /healthz says 503 and /metrics answers while clients are waited for. server.stop_seconds is how
  // long all of it may take.
  const SteadyTime end = clock_.steady() + std::chrono::seconds(settings_.stop_seconds);
  Result<void> clients, admin;
  if (blob_) clients = co_await blob_->doors().stop(end - clock_.steady());
  if (admin_) admin = co_await admin_->doors().stop(std::max(Duration{}, end - clock_.steady()));
  co_return clients.ok() ? admin : clients;
}

std::string Server::blob_url() const {
  return url_of(*parse_endpoint(settings_.listen), blob_ ? blob_->doors().port() : 0, Transport::kPlain);
}
std::string Server::admin_url() const {
  return url_of(*parse_endpoint(settings_.admin_listen), admin_ ? admin_->doors().port() : 0, Transport::kPlain);
}
std::string Server::blob_tls_url() const {
  return blob_ ? blob_->doors().tls_url() : "";
}
std::string Server::admin_tls_url() const {
  return admin_ ? admin_->doors().tls_url() : "";
}
std::string Server::account_url(const std::string& account) const {
  return server::account_url(settings_, blob_url(), account);
}

Task<admin::TlsView> Server::tls() {
  if (tls_ == nullptr) {
    co_return Error{Code::kInvalid, "TLS is not set up: see tls.cert_file in `tombolo serve --help-settings`"};
  }
  const http::TlsCertificate certificate = tls_->server()->certificate();
  const http::TlsServer::Counts counts = tls_->server()->counts();
  admin::TlsView view;
  view.certificate_file = tls_->paths().certificate;
  view.subject = certificate.subject;
  view.names = certificate.names;
  view.sha256 = certificate.sha256;
  view.not_before = certificate.not_before;
  view.not_after = certificate.not_after;
  view.handshakes = counts.done;
  view.handshakes_failed = counts.failed;
  co_return view;
}

Task<admin::TlsView> Server::reload_tls() {
  if (tls_ != nullptr) {
    auto reload = [files = tls_] { return files->reload(); };
    CO_TRY(offload(runtime_.workers(), reload));
  }
  co_return co_await tls();
}

CheckPlace Server::check_not_own_remote() const {
  std::vector<Endpoint> own;
  for (const bool tls : {false, true}) {
    auto listener = parse_endpoint(tls ? settings_.tls_listen : settings_.listen);
    if (!listener.ok()) continue;
    if (blob_) listener->port = tls ? blob_->doors().tls_port() : blob_->doors().port();
    own.push_back(*std::move(listener));
  }
  return [own, data = settings_.data](const std::string& endpoint) -> Result<void> {
    for (const Endpoint& listener : own) {
      TRY(check_not_own(endpoint, listener, data));
    }
    return {};
  };
}

Task<void> Server::add_remote(admin::NewRemote remote) {
  return cell_.drivers().add(std::move(remote), check_not_own_remote());
}
Task<std::vector<admin::RemoteView>> Server::remotes() {
  return cell_.drivers().views();
}
Task<void> Server::update_remote(admin::NewRemote remote) {
  return cell_.drivers().update(std::move(remote), check_not_own_remote());
}
Task<admin::RemoteTestReport> Server::test_remote(std::string name, admin::RemoteTestLimits limits) {
  return cell_.drivers().test(std::move(name), limits);
}

Task<tiering::FsckReport> Server::fsck(tiering::FsckOptions options, tiering::FsckProgress progress) {
  return cell_.fsck(options, std::move(progress));
}

Task<void> Server::audit(admin::AuditRecord record) {
  return audit_.record(std::move(record));
}

Task<tiering::Census> Server::count_places() {
  const auto census = co_await cell_.census();
  if (census.ok()) {
    const std::lock_guard lock(counted_mutex_);
    counted_ = *census;
  }
  co_return census;
}

std::optional<admin::Exposed> Server::exposed() const {
  const std::lock_guard lock(counted_mutex_);
  if (!counted_) return std::nullopt;
  admin::Exposed exposed{
      .objects = counted_->local.objects, .bytes = counted_->local.bytes, .counted = counted_->finished};
  if (counted_->oldest_exposed) exposed.oldest_seconds = age_seconds(*counted_->oldest_exposed, clock_.wall());
  return exposed;
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
  status.exposed = exposed();
  status.bytes_cached = cell_.cache().stats().bytes;
  status.segment_file_bytes = cell_.segments().file_bytes();
  status.open_segment_bytes = usage.open_segment_bytes;
  CO_TRY_ASSIGN(const disk::Space space, cell_.disk().space());
  status.disk_free_bytes = space.free_bytes;
  const kv::LogEngineStatus engine = cell_.engine().status();
  status.log_bytes = engine.log.bytes;
  status.log_syncs = engine.log.syncs;
  status.committed_sequence = engine.committed.value;
  CO_TRY_ASSIGN(status.stopped_reason, cell_.why_no_writes());
  co_return status;
}

}  // namespace tombolo::server
