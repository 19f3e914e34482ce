// Audit: records go to the file by way of the workers, and what could not be written is told loudly.
#pragma once

#include "admin/audit.h"
#include "async/workers.h"
#include "observe/metrics.h"
#include "server/audit_file.h"

namespace tombolo::server {

/// Thread-safe. What it is given outlives it; file and metrics outlive the workers' threads, too.
class Audit {
 public:
  Audit(AuditFile& file, Workers& workers, Clock& clock, observe::Metrics& metrics);

  /// On the disk when it succeeds.
  Task<void> record(admin::AuditRecord record);
  /// For whoever cannot wait. Keeps the order of neither time nor calls exactly; every record has its time.
  void record_later(const admin::AuditRecord& record);
  /// Now, blocking: before event loops run and after they have stopped.
  Result<void> record_now(const admin::AuditRecord& record);

 private:
  /// What a worker needs, which may run after the Audit has gone.
  struct Writer {
    AuditFile& file;
    observe::Counter& records;
    observe::Counter& failures;
    Result<void> write(const std::string& line) const;
  };

  const Writer writer_;
  Workers& workers_;
  Clock& clock_;
};

}  // namespace tombolo::server
