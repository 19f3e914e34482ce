// Audit: records go to the file by way of a thread of their own, those that wait together with one sync, and what could
// not be written is told loudly.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "admin/audit.h"
#include "async/one_shot.h"
#include "async/task.h"
#include "observe/metrics.h"
#include "server/audit_file.h"
#include "server/refusals.h"

namespace tombolo::server {

struct AuditOptions {
  std::size_t waiting_max = 8'192;  // records that wait for the file; past it they fail
};

/// Thread-safe. What it is given outlives it. The destructor writes what still waits. Its thread is its own: a slow
/// audit log keeps nobody waiting but those who wait for a record.
class Audit {
 public:
  Audit(AuditFile& file, Clock& clock, observe::Metrics& metrics, AuditOptions options = {});
  ~Audit();
  Audit(const Audit&) = delete;

  /// On the disk when it succeeds. kBusy, and counted as a failure, when too many wait.
  Task<void> record(admin::AuditRecord record);
  /// Of a request of `account` that was refused: nobody waits for it, and of very many only their number is recorded
  /// (Refusals).
  void refused(const std::string& account, const admin::AuditRecord& record);
  /// Now, blocking: never on an event loop.
  Result<void> record_now(const admin::AuditRecord& record);

 private:
  struct Waiting {
    std::string line;
    std::optional<OneShot<void>> done;
  };

  Result<void> enqueue(Waiting waiting);
  void run();
  void add_left_out(SteadyTime now);  // requires: mutex_ held
  void write(const std::vector<Waiting>& batch);
  Result<void> failed(Error why, std::string_view line);

  AuditFile& file_;
  Clock& clock_;
  observe::Counter& records_;
  observe::Counter& failures_;
  const AuditOptions options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
  Refusals refusals_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tombolo::server
