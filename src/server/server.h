// Server: a cell behind its listeners.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "admin/control.h"
#include "admission/admission.h"
#include "async/scope.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "http/server.h"
#include "server/audit.h"
#include "server/cell.h"
#include "server/settings.h"
#include "server/tls_files.h"

namespace tombolo::server {

/// start() opens the listeners over an open cell; stop() drains and closes them. The cell outlives the server.
class Server final : private admin::Control {
 public:
  /// `tls` may be null: no TLS. The rest of what is referred to outlives the server as well.
  Server(Cell& cell, Settings settings, std::string admin_token, TlsFiles* tls, Clock& clock, Runtime& runtime,
         Audit& audit);
  ~Server() override;

  /// kUnavailable when an address is taken (the message says which).
  Task<void> start();
  /// From now on /healthz says 200, until stop(). Before: 503.
  void set_ready() { ready_ = true; }
  Task<void> stop();
  std::string blob_url() const;
  std::string admin_url() const;
  /// Of the TLS listeners; empty where there is none.
  std::string blob_tls_url() const;
  std::string admin_tls_url() const;

 private:
  class Doors;
  class BlobFront;
  class AdminFront;

  /// Whether an endpoint is this server itself; may be called on any thread, and blocks as its directory does.
  CheckPlace check_not_own_remote() const;
  Task<void> add_remote(admin::NewRemote remote) override;
  Task<std::vector<admin::RemoteView>> remotes() override;
  Task<void> update_remote(admin::NewRemote remote) override;
  Task<admin::RemoteTestReport> test_remote(std::string name, admin::RemoteTestLimits limits) override;
  Task<admin::Status> status() override;
  Task<tiering::FsckReport> fsck(tiering::FsckOptions options, tiering::FsckProgress progress) override;
  bool ready() const override { return ready_; }
  Task<void> audit(admin::AuditRecord record) override;
  std::string account_url(const std::string& account) const override;
  Task<admin::TlsView> tls() override;
  Task<admin::TlsView> reload_tls() override;

  /// Counts places, and keeps what it found for status().
  Task<tiering::Census> count_places();
  std::optional<admin::Exposed> exposed() const;

  Cell& cell_;
  const Settings settings_;
  const std::string admin_token_;
  TlsFiles* const tls_;
  Clock& clock_;
  Runtime& runtime_;
  Audit& audit_;
  std::atomic<bool> ready_ = false;
  mutable std::mutex counted_mutex_;
  std::optional<tiering::Census> counted_;  // under counted_mutex_
  const SteadyTime started_;
  auth::AzureVerifier verifier_;
  admission::Admission admission_;
  std::unique_ptr<BlobFront> blob_;
  std::unique_ptr<AdminFront> admin_;
  Scope background_{"server"};
};

}  // namespace tombolo::server
