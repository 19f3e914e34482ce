// AdminHandler: authenticates an admin request and hands it to its resource.
#pragma once

#include <optional>

#include "admin/audit.h"
#include "admin/context.h"
#include "admin/reply.h"
#include "http/exchange.h"

namespace tombolo::admin {

/// GET /healthz and GET /metrics need no token; everything under /v1/ does (`Authorization: Bearer`).
class AdminHandler final : public http::Handler {
 public:
  explicit AdminHandler(Context context)
      : context_(std::move(context)), refused_(context_.metrics.counter(observe::Metric::kAdminRefused, {})) {}
  Task<void> handle(http::Exchange& exchange) override;

 private:
  /// Fills `record` in when the request is one that is audited.
  Task<Reply> answer(http::Exchange& exchange, std::optional<AuditRecord>& record);
  Context context_;
  observe::Counter& refused_;  // requests without the token
};

// One resource a file.
Task<Reply> accounts_resource(Context& context, Call call);    // accounts, accounts/NAME/keys
Task<Reply> containers_resource(Context& context, Call call);  // accounts/NAME/containers…
Task<Reply> sas_resource(Context& context, Call call);         // accounts/NAME/sas
Task<Reply> remotes_resource(Context& context, Call call);     // remotes…
Task<Reply> jobs_resource(Context& context, Call call);        // jobs…
Task<Reply> status_resource(Context& context, Call call);      // status
Task<Reply> fsck_resource(Context& context, Call call);        // fsck, fsck/NAME
Task<Reply> tls_resource(Context& context, Call call);         // tls, tls/reload

/// What a POST to fsck asks for. Also for `tombolo fsck --data`, as the next two.
Result<tiering::FsckOptions> fsck_options(const nlohmann::json& asked);
/// Also for `tombolo fsck --data`, which runs without a server.
nlohmann::json fsck_json(const tiering::FsckReport& report);
/// While it runs.
nlohmann::json fsck_json(const tiering::FsckCounts& counts);

}  // namespace tombolo::admin
