#include "kv/log/commit_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/planted_bugs.h"

namespace tombolo::kv {

using log_format::kBlockBytes;
using log_format::Kind;
using log_format::RecordHeader;

Task<std::unique_ptr<CommitLog>> CommitLog::open(disk::Disk& disk, Random& random, CommitLogOptions options,
                                                 Position applied) {
  std::unique_ptr<CommitLog> log(new CommitLog(disk, random, std::move(options)));
  CO_TRY(log->create_directory());
  // The last process may have ended between a file's name and the sync that makes it durable. A later file must not be
  // what is left of the two.
  CO_TRY(disk.sync_directory(log->options_.directory));
  CO_TRY_ASSIGN(auto recovered, recover_log(disk, log->options_.directory, log->options_.cell_id, applied));
  if (recovered.files.empty()) {
    CO_TRY(log->start_first());
  } else {
    CO_TRY(log->start_after(recovered));
  }
  const auto spare = co_await log->prepare_spare();
  if (!spare.ok() && spare.error().code != Code::kNoSpace) co_return spare.error();
  co_return log;
}

Result<void> CommitLog::unfenced() const {
  if (!fenced_) return {};
  return Error{Code::kUnavailable, "the commit log failed earlier and is fenced; restart to recover"};
}

/// Fenced while the sync is under way, and for good unless it succeeds or gives kBusy: then it was not tried.
Task<void> CommitLog::or_fenced(Task<void> sync) {
  fenced_ = true;
  auto synced = co_await std::move(sync);
  fenced_ = !synced.ok() && synced.error().code != Code::kBusy;
  co_return synced;
}

RecordHeader CommitLog::next_record(Kind kind) const {
  const std::lock_guard lock(mutex_);
  return {.kind = kind,
          .nonce = files_.back().header.nonce,
          .offset = offset_,
          .sequence = {position_.sequence.value + 1},
          .durable_through = position_.sequence,
          .chain_before = position_.chain};
}

Task<void> CommitLog::write_synced(std::uint64_t offset, PageBytes record) {
  CO_CHECK(unfenced());
  std::shared_ptr<disk::File> file;
  {
    const std::lock_guard lock(mutex_);
    file = files_.back().file;
  }
  if (planted(PlantedBug::rewrite_synced_block) && offset > kBlockBytes) {
    PageBytes both(kBlockBytes);
    CO_TRY(file->read(offset - kBlockBytes, both));
    both.insert(both.end(), record.begin(), record.end());
    CO_TRY(disk::write_direct(*file, offset - kBlockBytes, both));
  }
  const auto written = co_await disk::write_direct(*file, offset, record);
  if (!written.ok()) {
    fenced_ = !may_pass(written.error());
    co_return written;
  }
  CO_TRY(or_fenced(sync_record(*file)));
  const std::lock_guard lock(mutex_);
  ++stats_.syncs;
  stats_.bytes_written += record.size();
  offset_ = offset + record.size();
  files_.back().size = offset_;
  co_return Result<void>{};
}

/// The sync of a record: where bugs are planted.
Task<void> CommitLog::sync_record(disk::File& file) {
  if (planted(PlantedBug::skip_log_sync)) co_return Result<void>{};
  auto synced = co_await file.sync();
  if (!synced.ok() && planted(PlantedBug::retry_failed_sync)) co_return Result<void>{};
  co_return synced;
}

CommitLog::NextGroup CommitLog::next_group(const std::vector<LogEntry>& group) const {
  ASSERT(!group.empty());
  NextGroup next{.header = next_record(Kind::kGroup), .payload = {}, .chain_after = 0};
  ASSERT(group.front().sequence == next.header.sequence);
  next.header.count = static_cast<std::uint32_t>(group.size());
  for (const auto& entry : group) log_format::append_transaction(next.payload, entry);
  next.header.payload_bytes = static_cast<std::uint32_t>(next.payload.size());
  next.chain_after = log_format::chain_after(next.header, next.payload);
  return next;
}

Position CommitLog::position_after(const std::vector<LogEntry>& group) const {
  const NextGroup next = next_group(group);
  return {.log_id = position().log_id, .sequence = next.header.last(), .chain = next.chain_after};
}

Task<Position> CommitLog::append(const std::vector<LogEntry>& group) {
  const auto [header, payload, chain] = next_group(group);
  CO_TRY(write_synced(header.offset, log_format::encode_record(header, payload)));
  durable_through_.store(header.durable_through.value, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  groups_.push_back({files_.back().file, files_.back().header.number, header.nonce, header.offset, header.end(),
                     header.sequence, header.last(), chain});
  position_.sequence = header.last();
  position_.chain = chain;
  co_return position_;
}

Task<void> CommitLog::mark() {
  const RecordHeader header = next_record(Kind::kMark);
  if (header.durable_through == durable_through()) co_return Result<void>{};
  CO_TRY(make_room(0));  // may rotate: a header is a mark too
  if (header.durable_through == durable_through()) co_return Result<void>{};
  CO_TRY(write_synced(header.offset, log_format::encode_record(header, {})));
  durable_through_.store(header.durable_through.value, std::memory_order_release);
  co_return Result<void>{};
}

Task<void> CommitLog::replay(Index& index) {
  const Position applied = index.applied();
  std::vector<GroupPlace> places;
  {
    const std::lock_guard lock(mutex_);
    places.assign(groups_.begin(), groups_.end());
  }
  for (const auto& place : places) {
    if (place.last <= applied.sequence) continue;
    CO_TRY_ASSIGN(const auto group, read_group(place));
    CO_TRY(index.apply(group, {.log_id = position().log_id, .sequence = place.last, .chain = place.chain_after}));
  }
  co_return Result<void>{};
}

Task<void> CommitLog::trim(Sequence flushed) {
  if (planted(PlantedBug::trim_log_too_far)) flushed = Sequence{flushed.value + 2};
  CO_TRY(seal_older(flushed));
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    while (files_.size() > 1 && files_[1].header.first <= flushed) {
      while (!groups_.empty() && groups_.front().file == files_.front().file) groups_.pop_front();
      numbers.push_back(files_.front().header.number);
      files_.pop_front();
    }
  }
  for (const auto number : numbers) {
    CO_TRY(disk_.remove(path(log_format::file_name(number))));
  }
  co_return Result<void>{};
}

Task<std::vector<LogEntry>> CommitLog::read(Sequence after, std::uint32_t limit) {
  std::vector<GroupPlace> places;
  {
    const std::lock_guard lock(mutex_);
    if (after >= position_.sequence) co_return std::vector<LogEntry>{};
    if (groups_.empty() || groups_.front().first.value > after.value + 1) {
      co_return Error{Code::kNotFound, fmt::format("the commit log no longer holds transaction {}", after.value + 1)};
    }
    auto at = std::partition_point(groups_.begin(), groups_.end(),
                                   [&](const GroupPlace& place) { return place.last <= after; });
    for (std::uint64_t end = after.value + limit; at != groups_.end() && at->first.value <= end; ++at) {
      places.push_back(*at);
    }
  }
  std::vector<LogEntry> out;
  for (const auto& place : places) {
    CO_TRY_ASSIGN(auto group, read_group(place));
    for (auto& entry : group) {
      if (entry.sequence > after && out.size() < limit) out.push_back(std::move(entry));
    }
  }
  co_return out;
}

Task<void> CommitLog::verify() {
  std::vector<GroupPlace> places;
  {
    const std::lock_guard lock(mutex_);
    places.assign(groups_.begin(), groups_.end());
  }
  for (const auto& place : places) {
    CO_TRY(read_group(place));
  }
  co_return Result<void>{};
}

Position CommitLog::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

CommitLogStats CommitLog::stats() const {
  const std::lock_guard lock(mutex_);
  CommitLogStats stats = stats_;
  stats.files = files_.size();
  for (const auto& file : files_) stats.bytes += file.size;
  return stats;
}

}  // namespace tombolo::kv
