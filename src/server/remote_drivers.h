// RemoteDrivers: turns the rows of configured remotes into connected Remotes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/control.h"
#include "async/mutex.h"
#include "async/scope.h"
#include "auth/seal.h"
#include "http/client.h"
#include "meta/cell.h"
#include "meta/model/account.h"
#include "observe/metrics.h"
#include "remote/remote.h"
#include "server/directory_opener.h"
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

  /// At start: every row. Waits for directories as long as `patience`; those that take longer, on a mount that hangs
  /// say, are down until they have been opened in the background. A remote that cannot be set up is logged and down;
  /// its objects answer kUnavailable.
  Task<void> connect_all(Duration patience);
  /// Ends what the calls above and below began; waits for ever where a mount hangs. Before destruction.
  Task<void> close();

  /// Checks, stores (secrets sealed) and connects. kInvalid, kAlreadyExists, kDeadline.
  Task<void> add(admin::NewRemote remote, CheckPlace check_place);
  /// With their health: one HEAD each, side by side, which get a few seconds.
  Task<std::vector<admin::RemoteView>> views();
  /// Replaces what is not empty; the next operation uses it. kNotFound, kInvalid, kDeadline.
  Task<void> update(admin::NewRemote remote, CheckPlace check_place);
  /// Over a connection of its own, which tries again only once: what is told is what the remote did. One that is down
  /// is taken into use again if it can be. kNotFound.
  Task<admin::RemoteTestReport> test(std::string name, admin::RemoteTestLimits limits);

 private:
  struct Secret {
    std::string account, key, sas;
  };
  std::shared_ptr<remote::Remote> metered(std::shared_ptr<remote::Remote> remote);
  /// What metered() was given.
  std::shared_ptr<remote::Remote> uncounted(const std::shared_ptr<remote::Remote>& metered) const;
  // kNewPlace: for service too, at a place that was just named and may be empty.
  enum class Use { kService, kNewPlace, kTest };
  struct Wanted {
    meta::RemoteConfig config;
    Secret secret;
    Use use = Use::kService;
    CheckPlace check_place = {};
  };
  Task<std::shared_ptr<remote::Remote>> connect(Wanted wanted);
  /// The same, or kDeadline.
  Task<std::shared_ptr<remote::Remote>> connect_soon(Wanted wanted);
  Result<std::shared_ptr<remote::Remote>> make_azure(const meta::RemoteConfig& config, const Secret& secret, Use use);
  /// How it is, into `view`, which names it. Waits for it no longer than a few seconds.
  Task<void> look(admin::RemoteView& view);
  static Task<void> connect_at_start(RemoteDrivers& drivers, Wanted wanted);
  /// Remotes::set, shown to whoever watches.
  void take_into_use(const std::string& name, std::shared_ptr<remote::Remote> remote);
  void show(const std::string& name);
  /// The one in use. One that is down is connected again, and in use when that succeeds.
  Task<std::shared_ptr<remote::Remote>> in_use(std::string name);
  Result<Secret> secret_of(const meta::RemoteConfig& row) const;
  std::string sealed(const std::string& name, const Secret& secret) const;

  const meta::Cell cell_;
  const auth::Sealer& sealer_;
  store::Remotes& remotes_;
  const RemotePatience patience_;
  observe::Metrics& metrics_;
  std::shared_ptr<http::Client> client_;
  DirectoryOpener directories_;
  mutable std::mutex uncounted_mutex_;
  std::map<const remote::Remote*, std::weak_ptr<remote::Remote>> uncounted_;  // under uncounted_mutex_, by what counts
  Scope scope_{"remotes"};
  AsyncMutex changes_;  // from a row that was read to the row, and the driver in use, that come of it
};

}  // namespace tombolo::server
