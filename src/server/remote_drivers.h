// RemoteDrivers: turns the rows of configured remotes into connected Remotes.
#pragma once

#include <memory>
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

/// Thread-safe. What it is given outlives it.
class RemoteDrivers {
 public:
  RemoteDrivers(meta::Cell cell, const auth::Sealer& sealer, store::Remotes& remotes, Workers& workers,
                observe::Metrics& metrics);

  /// At start: every row. A remote that cannot be set up is logged and left out; its objects answer kUnavailable.
  Task<void> connect_all();
  /// Checks, stores (secrets sealed) and connects. kInvalid, kAlreadyExists.
  Task<void> add(admin::NewRemote remote);
  /// With their health: one HEAD each.
  Task<std::vector<admin::RemoteView>> views();
  Task<std::vector<admin::RemoteTestStep>> test(std::string name);

 private:
  struct Secret {
    std::string account, key, sas;
  };
  std::shared_ptr<remote::Remote> metered(std::shared_ptr<remote::Remote> remote) const;
  Result<std::shared_ptr<remote::Remote>> connect(const meta::RemoteConfig& config, const Secret& secret);

  const meta::Cell cell_;
  const auth::Sealer& sealer_;
  store::Remotes& remotes_;
  Workers& workers_;
  observe::Metrics& metrics_;
  std::shared_ptr<http::Client> client_;
};

}  // namespace tombolo::server
