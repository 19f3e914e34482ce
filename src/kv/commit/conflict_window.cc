#include "kv/commit/conflict_window.h"

#include <algorithm>

namespace tombolo::kv {

bool ConflictWindow::changed(Kind kind, Fingerprint key, Sequence since) const {
  const auto found = last_[kind].find(key);
  return found != last_[kind].end() && found->second > since;
}

bool ConflictWindow::stands_back(const CommitRequest& request, SteadyTime now) const {
  if (wanted_.empty()) return false;
  return std::any_of(request.guards_shared.begin(), request.guards_shared.end(), [&](Fingerprint key) {
    const auto found = wanted_.find(key);
    return found != wanted_.end() && now < found->second;
  });
}

Result<void> ConflictWindow::check(const CommitRequest& request, SteadyTime now) {
  if (request.read < forgotten_) return Error{Code::kConflict, "the transaction took too long; run it again"};
  const auto any = [&](const std::vector<Fingerprint>& keys, Kind kind) {
    return std::any_of(keys.begin(), keys.end(), [&](Fingerprint key) { return changed(kind, key, request.read); });
  };
  if (any(request.reads, kWrite)) return Error{Code::kConflict, "a row that was read has changed; run it again"};
  if (any(request.guards_exclusive, kShared)) {
    for (const Fingerprint key : request.guards_exclusive) wanted_[key] = now + kStandBack;
    return Error{Code::kConflict, "a guard is shared by others; run it again"};
  }
  if (any(request.guards_shared, kExclusive) || any(request.guards_exclusive, kExclusive) ||
      stands_back(request, now)) {
    return Error{Code::kConflict, "a guard was taken by another transaction; run it again"};
  }
  return {};
}

void ConflictWindow::remember(Kind kind, Fingerprint key, Sequence sequence, SteadyTime now) {
  last_[kind][key] = sequence;
  entries_.push_back({key, sequence, now, kind});
}

void ConflictWindow::record(const CommitRequest& request, Sequence sequence, SteadyTime now) {
  for (const auto& [key, write] : request.writes) remember(kWrite, fingerprint(key), sequence, now);
  for (const auto key : request.guards_shared) remember(kShared, key, sequence, now);
  for (const auto key : request.guards_exclusive) {
    remember(kExclusive, key, sequence, now);
    wanted_.erase(key);
  }
}

void ConflictWindow::trim(Sequence oldest_read, SteadyTime now) {
  if (!wanted_.empty()) erase_if(wanted_, [now](const auto& wanted) { return wanted.second <= now; });
  while (!entries_.empty()) {
    const Entry& entry = entries_.front();
    const bool needless = entry.sequence <= oldest_read;
    if (!needless && now - entry.at < kAgeMax && entries_.size() <= entries_max_) return;
    if (!needless) forgotten_ = std::max(forgotten_, entry.sequence);
    auto& last = last_[entry.kind];
    const auto found = last.find(entry.key);
    if (found != last.end() && found->second == entry.sequence) last.erase(found);
    entries_.pop_front();
  }
}

}  // namespace tombolo::kv
