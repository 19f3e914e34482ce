#include "server/audit.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace tombolo::server {

using observe::Metric;

namespace {

constexpr auto kLookForLeftOut = std::chrono::seconds(1);

admin::AuditRecord left_out_record(const std::string& account, std::uint64_t count) {
  admin::AuditRecord record;
  record.action = "refused.left-out";
  record.target = account;
  record.who = "the service itself";
  record.result = "ok";
  record.details.emplace_back("count", std::to_string(count));
  record.details.emplace_back("within_seconds", std::to_string(Refusals::kWindow / std::chrono::seconds(1)));
  return record;
}

}  // namespace

Audit::Audit(AuditFile& file, Clock& clock, observe::Metrics& metrics, AuditOptions options)
    : file_(file),
      clock_(clock),
      records_(metrics.counter(Metric::kAuditRecords, {})),
      failures_(metrics.counter(Metric::kAuditFailures, {})),
      options_(options),
      thread_([this] { run(); }) {}

Audit::~Audit() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<void> Audit::failed(Error why, std::string_view line) {
  failures_.add();
  // The record itself, too: it holds no secret, and this is where it is not lost.
  log(LogLevel::kError, "audit", "{}; the record was {}", why.message, line);
  return why;
}

Result<void> Audit::enqueue(Waiting waiting) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < options_.waiting_max) {
      waiting_.push_back(std::move(waiting));
      wake_.notify_one();
      return {};
    }
  }
  return failed(Error{Code::kBusy, "too many records wait for the audit log: is its disk slow or gone?"}, waiting.line);
}

Task<void> Audit::record(admin::AuditRecord record) {
  OneShot<void> done;
  Waiting waiting{admin::audit_line(record, clock_.wall()), done};
  CO_CHECK(enqueue(std::move(waiting)));
  co_return co_await done.wait();
}

void Audit::refused(const std::string& account, const admin::AuditRecord& record) {
  {
    const std::lock_guard lock(mutex_);
    if (!refusals_.admit(account, clock_.steady())) return;
  }
  static_cast<void>(enqueue({admin::audit_line(record, clock_.wall()), std::nullopt}));  // it has told
}

Result<void> Audit::record_now(const admin::AuditRecord& record) {
  const std::string line = admin::audit_line(record, clock_.wall());
  auto written = file_.write(line);
  if (!written.ok()) return failed(std::move(written).error(), line);
  records_.add();
  return {};
}

void Audit::add_left_out(SteadyTime now) {
  for (const auto& [account, count] : refusals_.take_left_out(now)) {
    waiting_.push_back({admin::audit_line(left_out_record(account, count), clock_.wall()), std::nullopt});
  }
}

void Audit::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait_for(lock, kLookForLeftOut, [this] { return ending_ || !waiting_.empty(); });
    add_left_out(ending_ ? clock_.steady() + Refusals::kWindow : clock_.steady());
    if (waiting_.empty() && ending_) return;
    const std::vector<Waiting> batch = std::exchange(waiting_, {});
    lock.unlock();
    if (!batch.empty()) write(batch);
    lock.lock();
  }
}

void Audit::write(const std::vector<Waiting>& batch) {
  std::string lines;
  for (const Waiting& one : batch) lines += one.line;
  const auto written = file_.write(lines);
  if (written.ok()) records_.add(batch.size());
  for (const Waiting& one : batch) {
    const auto result = written.ok() ? written : failed(written.error(), one.line);
    if (one.done) one.done->set(result);
  }
}

}  // namespace tombolo::server
