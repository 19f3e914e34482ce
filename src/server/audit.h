// Audit: records go to the file by way of a thread of their own, those that wait together with one sync, and what could
// not be written is told loudly.
#pragma once

#include <memory>
#include <string_view>
#include <thread>

#include "admin/audit.h"
#include "async/task.h"
#include "observe/metrics.h"
#include "server/audit_file.h"

namespace tombolo::server {

struct AuditOptions {
  std::size_t waiting_max = 8'192;  // records that wait for the file; past it they fail
  /// How long anybody waits for the file, and the destructor for its thread. A record that nobody waits for any more is
  /// counted as a failure, and still written when the disk comes back.
  Duration wait_max = std::chrono::seconds(5);
};

/// Thread-safe. What it is given by reference outlives it. The destructor writes what still waits; where the file hangs
/// it leaves the thread behind, which then touches nothing but what it owns. Its thread is its own: a slow audit log
/// keeps nobody waiting but those who wait for a record, and these not for long.
class Audit {
 public:
  Audit(std::shared_ptr<AuditFile> file, Clock& clock, observe::Metrics& metrics, AuditOptions options = {});
  ~Audit();
  Audit(const Audit&) = delete;

  /// On the disk when it succeeds. kBusy when too many wait, kDeadline; both counted as failures.
  Task<void> record(admin::AuditRecord record);
  /// The same, blocking: never on an event loop.
  Result<void> record_now(const admin::AuditRecord& record);
  /// The same, and nobody waits for it.
  void note(const admin::AuditRecord& record);
  /// Of a request of `account` that was refused: nobody waits for it, and of very many only their number is recorded
  /// (Refusals).
  void refused(const std::string& account, const admin::AuditRecord& record);
  /// Opens the file anew, soon; logs when that fails.
  void reopen();

 private:
  struct Pending;
  struct Shared;

  Result<std::shared_ptr<Pending>> enqueue(const admin::AuditRecord& record);
  /// What came of it; when nothing has yet, it is given up.
  Result<void> outcome(Pending& pending);
  Result<void> failed(Error why, std::string_view line);

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace tombolo::server
