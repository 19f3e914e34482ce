// What runs in the background, and what is done to disk and remote.
#include <fmt/format.h>

#include <algorithm>

#include "async/sleep.h"
#include "testing/model/sequence.h"
#include "tiering/fsck.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::testing::model {

Complaint Sequence::upkeep(Result<void> result, std::string_view what, Needs needs) {
  note(result.ok() ? 0 : 1 + static_cast<std::uint64_t>(result.error().code));
  if (!heard() || result.ok() || result.error().code == Code::kBusy) return std::nullopt;
  return failed(what, result.error(), needs);
}

Complaint Sequence::gc_pass(bool& changed) {
  const auto pass = world_.run(world_.life->collector->pass());
  changed = pass.ok() && *pass;
  return upkeep(pass.ok() ? Result<void>() : pass.error(), "garbage collection", Needs::kRemote);
}

Complaint Sequence::gc() {
  bool changed = false;
  return gc_pass(changed);
}

Complaint Sequence::job(const Operation& operation) {
  Life& life = *world_.life;
  Result<JobId> id;
  if (operation.kind == Kind::kRecall) {
    tiering::RecallSpec spec{.container = box(), .prefix = operation.text};
    id = world_.run(tiering::submit_recall(*life.jobs, *life.services, spec));
  } else {
    tiering::OffloadSpec spec{.container = box(), .prefix = operation.text, .remote = kRemoteName};
    if (operation.kind == Kind::kEvict) spec.evict = tiering::Evict::kYes;
    id = world_.run(tiering::submit_offload(*life.jobs, *life.services, spec));
  }
  if (!id.ok()) return upkeep(id.error(), "submitting a job", Needs::kRemote);
  // On a disk without any space left a job cannot even record that it has ended: it goes on when space is back.
  const int tries_max = full_ ? 100 : 20'000;
  for (int tries = 0; tries < tries_max && heard() && !world_.stopped(); ++tries) {
    const auto job = world_.run(life.jobs->get(*id));
    if (!job.ok()) return upkeep(job.error(), "looking at a job", Needs::kFlash);
    if (jobs::ended(job->state)) {
      note(job->progress.objects_done);
      if (job->state == jobs::JobState::kFailed && !excused(Needs::kRemote)) {
        return "a job failed for no reason: " + job->error;
      }
      if (at_rest_ && job->progress.objects_failed > 0 && !excused(Needs::kRemote)) {
        return "a job failed for some objects for no reason: " + job->error;
      }
      return std::nullopt;
    }
    const auto waited = world_.run(sleep_for(std::chrono::milliseconds(5)));
    if (auto complaint = upkeep(waited, "waiting", Needs::kFlash)) return complaint;
  }
  if (heard() && !world_.stopped() && !full_) return "a job does not end";
  return std::nullopt;
}

Complaint Sequence::fsck() {
  tiering::FsckOptions options;
  options.depth = chaos_ ? tiering::Depth::kRows : tiering::Depth::kAll;
  options.pause = std::chrono::milliseconds(1);
  const auto report = world_.run(tiering::fsck(*world_.life->services, options));
  if (!heard()) return std::nullopt;
  if (!report.ok()) return failed("fsck", report.error(), Needs::kRemote);
  note(report->findings_total);
  // What the remote said was gone, and is not, nobody asks for again; fsck names it.
  auto findings = report->findings;
  if (lied_) std::erase_if(findings, [](const auto& finding) { return finding.kind == "remote-without-row"; });
  if (findings.empty() || disk_failed_lately()) return std::nullopt;
  return fmt::format("fsck found {} things; {}: {}", findings.size(), findings[0].kind, findings[0].what);
}

Complaint Sequence::fail(const Operation& operation) {
  SimMachine& machine = world_.machine;
  switch (operation.kind) {
    case Kind::kFailRead:
      machine.fail_read(operation.number);
      break;
    case Kind::kFailChange:
      machine.fail_change(operation.number, operation.text == "no_space" ? Code::kNoSpace : Code::kUnavailable);
      break;
    case Kind::kFailSync: {
      SyncFault fault = SyncFault::kPagesKept;
      if (operation.text == "reverted") fault = SyncFault::kPagesReverted;
      if (operation.text == "late") fault = SyncFault::kToldLate;
      machine.fail_sync(operation.number, fault);
      break;
    }
    case Kind::kFull:
      world_.disk.set_limit(world_.disk.used_bytes() + operation.number);
      full_ = true;
      break;
    default:
      space_is_back();
  }
  return std::nullopt;
}

void Sequence::space_is_back() {
  world_.disk.set_limit(std::nullopt);
  if (full_) {
    space_back_ = world_.clock.steady();
    rocks_may_be_failing_ = world_.engine == EngineKind::kRocks;
  }
  full_ = false;
}

Complaint Sequence::remote_fault(const Operation& operation) {
  const std::size_t colon = operation.text.find(':');
  ChaosRule rule;
  bool known = false;
  for (unsigned fault = 0; fault < kRemoteFaults; ++fault) {
    std::string word(name_of(static_cast<RemoteFault>(fault)));
    std::replace(word.begin(), word.end(), ' ', '_');
    if (word != operation.text.substr(0, colon)) continue;
    rule.fault = static_cast<RemoteFault>(fault);
    known = true;
  }
  for (const RemoteOp op : kRemoteOps) {
    if (colon != std::string::npos && name_of(op) == operation.text.substr(colon + 1)) rule.op = op;
  }
  if (!known) return "there is no such fault of a remote";
  rule.times = static_cast<int>(operation.number);
  chaos_ = true;
  const bool of_removal = !rule.op || rule.op == RemoteOp::kRemove;
  lied_ = lied_ || (rule.fault == RemoteFault::kClaimed && of_removal) ||
          (rule.fault == RemoteFault::kNotFound && (of_removal || rule.op == RemoteOp::kHead));
  return upkeep(world_.run(world_.chaos->add(rule)), "telling the remote to fail", Needs::kRemote);
}

void Sequence::end_faults() {
  tainted_ = tainted_ || world_.machine.has_failed();
  world_.machine.clear();
  world_.chaos->heal();
  chaos_ = false;
}

/// Nothing is excused after it but a full disk.
Complaint Sequence::heal() {
  if (armed_) return std::nullopt;  // else the death would be forgotten too
  note_faults();
  end_faults();
  return upkeep(world_.run(sleep_for(std::chrono::seconds(10))), "waiting", Needs::kFlash);
}

}  // namespace tombolo::testing::model
