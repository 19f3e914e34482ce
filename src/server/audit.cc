#include "server/audit.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "async/sleep.h"
#include "base/log.h"
#include "server/refusals.h"

namespace tombolo::server {

using observe::Metric;

namespace {

constexpr auto kLookForLeftOut = std::chrono::seconds(1);
// Of those who wait. The thread cannot wake them: they may have gone, and it may hang.
constexpr Duration kLook = std::chrono::milliseconds(1);

admin::AuditRecord left_out_record(const Refusals::LeftOut& left_out) {
  admin::AuditRecord record;
  record.action = "refused.left-out";
  record.target = left_out.account;
  record.who = "the service itself";
  record.result = "ok";
  record.details.emplace_back("count", std::to_string(left_out.count));
  record.details.emplace_back("within_seconds", std::to_string(left_out.within / std::chrono::seconds(1)));
  return record;
}

// The record itself, too: it holds no secret, and this is where it is not lost.
void log_failure(const Error& why, std::string_view line) {
  log(LogLevel::kError, "audit", "{}; the record was {}", why.message, line);
}

}  // namespace

struct Audit::Pending {
  const std::string line;
  std::optional<Result<void>> result;
  bool given_up = false;  // has been counted as a failure
};

// What the thread has hold of, also when the Audit has left it behind in a call that hangs.
struct Audit::Shared {
  Shared(std::shared_ptr<AuditFile> to, Clock& time, observe::Metrics& metrics, AuditOptions given)
      : file(std::move(to)),
        options(given),
        clock(time),
        records(metrics.counter(Metric::kAuditRecords, {})),
        failures(metrics.counter(Metric::kAuditFailures, {})) {}

  static void run(const std::shared_ptr<Shared>& shared);
  void add_left_out();                                           // requires: mutex held
  std::vector<std::string> settle(const Result<void>& written);  // requires: mutex held; lines to log

  const std::shared_ptr<AuditFile> file;
  const AuditOptions options;
  std::mutex mutex;
  std::condition_variable wake, answered;
  // Under the mutex. What is referred to is not touched once `abandoned`.
  Clock& clock;
  observe::Counter& records;
  observe::Counter& failures;
  std::vector<std::shared_ptr<Pending>> waiting, writing;
  Refusals refusals;
  bool reopen = false, ending = false, ended = false, abandoned = false;
};

Audit::Audit(std::shared_ptr<AuditFile> file, Clock& clock, observe::Metrics& metrics, AuditOptions options)
    : shared_(std::make_shared<Shared>(std::move(file), clock, metrics, options)),
      thread_([shared = shared_] { Shared::run(shared); }) {}

Audit::~Audit() {
  std::vector<std::shared_ptr<Pending>> left;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->ending = true;
    shared_->wake.notify_one();
    shared_->answered.wait_for(lock, shared_->options.wait_max, [this] { return shared_->ended; });
    shared_->abandoned = !shared_->ended;
    if (shared_->abandoned) {
      left = std::exchange(shared_->writing, {});
      left.insert(left.end(), shared_->waiting.begin(), shared_->waiting.end());
    }
  }
  if (!shared_->abandoned) {
    thread_.join();
    return;
  }
  thread_.detach();
  for (const auto& pending : left) static_cast<void>(outcome(*pending));
}

Result<void> Audit::failed(Error why, std::string_view line) {
  shared_->failures.add();
  log_failure(why, line);
  return why;
}

Result<std::shared_ptr<Audit::Pending>> Audit::enqueue(const admin::AuditRecord& record) {
  auto pending = std::make_shared<Pending>(Pending{.line = admin::audit_line(record, shared_->clock.wall())});
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting.size() < shared_->options.waiting_max) {
      shared_->waiting.push_back(pending);
      shared_->wake.notify_one();
      return pending;
    }
  }
  const Error full{Code::kBusy, "too many records wait for the audit log: is its disk slow or gone?"};
  return failed(full, pending->line).error();
}

Result<void> Audit::outcome(Pending& pending) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (pending.result) return *pending.result;
    if (std::exchange(pending.given_up, true)) return {};
  }
  const auto seconds = static_cast<double>(shared_->options.wait_max.count()) / 1e6;
  return failed(Error{Code::kDeadline, fmt::format("the audit log {} does not take a record within {} s: does its disk "
                                                   "hang? What waits is written if it comes back",
                                                   shared_->file->path(), seconds)},
                pending.line);
}

Task<void> Audit::record(admin::AuditRecord record) {
  CO_CHECK_ASSIGN(const auto pending, enqueue(record));
  for (Duration waited{0}; waited < shared_->options.wait_max; waited += kLook) {
    CO_TRY(sleep_for(kLook));
    const std::lock_guard lock(shared_->mutex);
    if (pending->result) co_return *pending->result;
  }
  co_return outcome(*pending);
}

Result<void> Audit::record_now(const admin::AuditRecord& record) {
  TRY_ASSIGN(const auto pending, enqueue(record));
  {
    std::unique_lock lock(shared_->mutex);
    shared_->answered.wait_for(lock, shared_->options.wait_max, [&] { return pending->result.has_value(); });
  }
  return outcome(*pending);
}

void Audit::note(const admin::AuditRecord& record) {
  static_cast<void>(enqueue(record));  // it has told
}

void Audit::refused(const std::string& account, const admin::AuditRecord& record) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->refusals.admit(account, shared_->clock.steady())) return;
  }
  note(record);
}

void Audit::reopen() {
  const std::lock_guard lock(shared_->mutex);
  shared_->reopen = true;
  shared_->wake.notify_one();
}

void Audit::Shared::add_left_out() {
  const SteadyTime now = clock.steady();
  for (const auto& left_out : ending ? refusals.take_all(now) : refusals.take_left_out(now)) {
    waiting.push_back(
        std::make_shared<Pending>(Pending{.line = admin::audit_line(left_out_record(left_out), clock.wall())}));
  }
}

void Audit::Shared::run(const std::shared_ptr<Shared>& shared) {
  Shared& own = *shared;
  std::unique_lock lock(own.mutex);
  while (true) {
    own.wake.wait_for(lock, kLookForLeftOut, [&] { return own.ending || own.reopen || !own.waiting.empty(); });
    own.add_left_out();
    if (own.ending && own.waiting.empty()) break;
    const bool reopen = std::exchange(own.reopen, false);
    own.writing = std::exchange(own.waiting, {});
    std::string lines;
    for (const auto& pending : own.writing) lines += pending->line;
    lock.unlock();
    const auto opened = reopen ? own.file->open() : Result<void>{};
    const auto written = lines.empty() ? Result<void>{} : own.file->write(lines);
    lock.lock();
    if (own.abandoned) return;
    const std::vector<std::string> unwritten = own.settle(written);
    lock.unlock();
    if (!opened.ok()) log(LogLevel::kError, "audit", "{}", opened.error().message);
    for (const std::string& line : unwritten) log_failure(written.error(), line);
    lock.lock();
    if (own.abandoned) return;
  }
  own.ended = true;
  own.answered.notify_all();
}

std::vector<std::string> Audit::Shared::settle(const Result<void>& written) {
  std::vector<std::string> unwritten;
  if (written.ok()) records.add(writing.size());
  for (const auto& pending : std::exchange(writing, {})) {
    pending->result = written;
    if (written.ok() || pending->given_up) continue;
    failures.add();
    unwritten.push_back(pending->line);
  }
  answered.notify_all();
  return unwritten;
}

}  // namespace tombolo::server
