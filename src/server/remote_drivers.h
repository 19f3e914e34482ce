// RemoteDrivers: turns the rows of configured remotes into connected Remotes.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/control.h"
#include "async/workers.h"
#include "auth/seal.h"
#include "http/client.h"
#include "meta/cell.h"
#include "meta/model/account.h"
#include "observe/metrics.h"
#include "remote/remote.h"
#include "store/remotes.h"

namespace tombolo::server {

struct RemotePatience {
  Duration first_byte_max = std::chrono::seconds(30);
  Duration stall_max = std::chrono::seconds(30);
  Duration operation_max = std::chrono::seconds(60);  // as AzureConfig's
  int tries_max = 5;
};

/// Thread-safe. What it is given outlives it.
class RemoteDrivers {
 public:
  /// `trust`: whose certificates https remotes may have.
  RemoteDrivers(meta::Cell cell, const auth::Sealer& sealer, store::Remotes& remotes, RemotePatience patience,
                std::shared_ptr<const http::TlsClient> trust, observe::Metrics& metrics);

  /// At start: every row. A remote that cannot be set up is logged and down; its objects answer kUnavailable.
  Task<void> connect_all();
  /// Checks, stores (secrets sealed) and connects. kInvalid, kAlreadyExists.
  Task<void> add(admin::NewRemote remote);
  /// With their health: one HEAD each.
  Task<std::vector<admin::RemoteView>> views();
  /// Replaces what is not empty; the next operation uses it. kNotFound, kInvalid.
  Task<void> update(admin::NewRemote remote);
  /// Over a connection of its own, which tries again only once: what is told is what the remote did. One that is down
  /// is taken into use again if it can be. kNotFound.
  Task<admin::RemoteTestReport> test(std::string name, admin::RemoteTestLimits limits);

 private:
  struct Secret {
    std::string account, key, sas;
  };
  std::shared_ptr<remote::Remote> metered(std::shared_ptr<remote::Remote> remote) const;
  // kNewPlace: for service too, at a place that was just named and may be empty.
  enum class Use { kService, kNewPlace, kTest };
  Result<std::shared_ptr<remote::Remote>> connect(const meta::RemoteConfig& config, const Secret& secret, Use use);
  /// The one in use. One that is down is connected again, and in use when that succeeds.
  Result<std::shared_ptr<remote::Remote>> in_use(const meta::RemoteConfig& row, const Secret& secret);
  Result<Secret> secret_of(const meta::RemoteConfig& row) const;
  std::string sealed(const std::string& name, const Secret& secret) const;

  const meta::Cell cell_;
  const auth::Sealer& sealer_;
  store::Remotes& remotes_;
  const RemotePatience patience_;
  observe::Metrics& metrics_;
  std::shared_ptr<http::Client> client_;
  std::mutex mutex_;
  // Of one file remote each, guarded by mutex_: calls on a mount that hangs wait for ever, and nobody else's with them.
  std::vector<std::unique_ptr<Workers>> file_workers_;
};

}  // namespace tombolo::server
