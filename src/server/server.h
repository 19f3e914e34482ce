// Server: a cell behind its listeners.
#pragma once

#include <memory>
#include <string>

#include "admin/control.h"
#include "admission/admission.h"
#include "async/scope.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "http/server.h"
#include "server/cell.h"
#include "server/settings.h"

namespace tombolo::server {

/// start() opens the listeners over an open cell; stop() drains and closes them. The cell outlives the server.
class Server final : private admin::Control {
 public:
  Server(Cell& cell, Settings settings, std::string admin_token, Clock& clock, Runtime& runtime);
  ~Server() override;

  /// kUnavailable when an address is taken (the message says which).
  Task<void> start();
  Task<void> stop();
  std::string blob_url() const override;
  std::string admin_url() const;

 private:
  class BlobFront;
  class AdminFront;

  Result<void> check_not_own_remote(const std::string& endpoint) const;
  Task<void> add_remote(admin::NewRemote remote) override;
  Task<std::vector<admin::RemoteView>> remotes() override;
  Task<void> update_remote(admin::NewRemote remote) override;
  Task<admin::RemoteTestReport> test_remote(std::string name, admin::RemoteTestLimits limits) override;
  Task<admin::Status> status() override;
  Task<tiering::FsckReport> fsck(tiering::FsckOptions options) override;

  Cell& cell_;
  const Settings settings_;
  const std::string admin_token_;
  Clock& clock_;
  Runtime& runtime_;
  const SteadyTime started_;
  auth::AzureVerifier verifier_;
  admission::Admission admission_;
  std::unique_ptr<BlobFront> blob_;
  std::unique_ptr<AdminFront> admin_;
  Scope background_{"server"};
};

}  // namespace tombolo::server
