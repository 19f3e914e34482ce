#include "server/audit.h"

#include "base/log.h"

namespace tombolo::server {

using observe::Metric;

Audit::Audit(AuditFile& file, Workers& workers, Clock& clock, observe::Metrics& metrics)
    : writer_{file, metrics.counter(Metric::kAuditRecords, {}), metrics.counter(Metric::kAuditFailures, {})},
      workers_(workers),
      clock_(clock) {}

Result<void> Audit::Writer::write(const std::string& line) const {
  auto written = file.write(line);
  (written.ok() ? records : failures).add();
  // The record itself, too: it holds no secret, and this is where it is not lost.
  if (!written.ok()) log(LogLevel::kError, "audit", "{}; the record was {}", written.error().message, line);
  return written;
}

Task<void> Audit::record(admin::AuditRecord record) {
  auto work = [writer = writer_, line = admin::audit_line(record, clock_.wall())]() -> Result<int> {
    TRY(writer.write(line));
    return 0;
  };
  CO_TRY(offload(workers_, std::move(work)));
  co_return Result<void>{};
}

void Audit::record_later(const admin::AuditRecord& record) {
  const std::string line = admin::audit_line(record, clock_.wall());
  const bool taken = workers_.submit([writer = writer_, line] { static_cast<void>(writer.write(line)); });
  if (!taken) static_cast<void>(writer_.write(line));
}

Result<void> Audit::record_now(const admin::AuditRecord& record) {
  return writer_.write(admin::audit_line(record, clock_.wall()));
}

}  // namespace tombolo::server
