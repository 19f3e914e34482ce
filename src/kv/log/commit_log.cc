#include "kv/log/commit_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/planted_bugs.h"

namespace tombolo::kv {

using log_format::FileHeader;
using log_format::kBlockBytes;
using log_format::Kind;
using log_format::RecordHeader;

namespace {

constexpr std::string_view kSpareName = "spare.tmp";

std::uint64_t draw_id(Random& random) {
  for (;;) {
    if (const std::uint64_t id = random.next64(); id != 0) return id;
  }
}

}  // namespace

Task<std::unique_ptr<CommitLog>> CommitLog::open(disk::Disk& disk, Random& random, CommitLogOptions options,
                                                 Position applied) {
  std::unique_ptr<CommitLog> log(new CommitLog(disk, random, std::move(options)));
  CO_TRY(log->create_directory());
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

Task<void> CommitLog::create_directory() {
  CO_TRY(disk_.make_directory(options_.directory));
  for (std::string at = options_.directory; !at.empty();) {
    const auto slash = at.rfind('/');
    at = slash == std::string::npos ? std::string() : at.substr(0, slash);
    CO_TRY(disk_.sync_directory(at));
  }
  co_return Result<void>{};
}

Task<void> CommitLog::start_first() {
  const std::uint64_t log_id = draw_id(random_);
  FileHeader header{.cell_id = options_.cell_id,
                    .log_id = log_id,
                    .number = 1,
                    .nonce = draw_id(random_),
                    .first = {1},
                    .chain_before = log_id};
  CO_TRY_ASSIGN(auto file, create_file(header, {}));
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
  position_ = {.log_id = log_id, .sequence = {0}, .chain = log_id};
  co_return Result<void>{};
}

Task<void> CommitLog::start_after(RecoveredLog& recovered) {
  const auto unmarked = std::partition_point(recovered.groups.begin(), recovered.groups.end(),
                                             [&](const GroupPlace& at) { return at.last <= recovered.marked; });
  const std::vector<GroupPlace> copies(unmarked, recovered.groups.end());
  const FileHeader last = recovered.files.back().header;
  FileHeader header{.cell_id = last.cell_id,
                    .log_id = last.log_id,
                    .number = last.number + 1,
                    .nonce = draw_id(random_),
                    .first = {recovered.marked.value + 1},
                    .chain_before = recovered.chain_marked,
                    .previous_number = last.number,
                    .previous_end = recovered.end_marked};
  CO_TRY_ASSIGN(auto file, create_file(header, copies));
  recovered.files.push_back(std::move(file));
  for (std::size_t i = 0; i + 1 < recovered.files.size(); ++i) {
    if (recovered.files[i].sealed) continue;
    offset_ = recovered.files[i].size;
    CO_TRY(seal(recovered.files[i], recovered.files[i + 1].header));
    recovered.files[i].size += kBlockBytes;
  }
  const std::lock_guard lock(mutex_);
  files_.assign(recovered.files.begin(), recovered.files.end());
  recovered.groups.erase(unmarked, recovered.groups.end());
  groups_.insert(groups_.begin(), recovered.groups.begin(), recovered.groups.end());
  position_ = {.log_id = last.log_id, .sequence = recovered.last, .chain = recovered.chain};
  offset_ = files_.back().size;
  durable_through_ = recovered.last.value;
  co_return Result<void>{};
}

Task<std::unique_ptr<disk::File>> CommitLog::spare_file() {
  if (has_spare_) co_return co_await disk_.open(path(kSpareName), disk::Open::kReadWrite);
  CO_TRY_ASSIGN(auto file, disk_.open(path(kSpareName), disk::Open::kCreateNew));
  const auto reserved = co_await file->reserve(options_.file_bytes);
  if (!reserved.ok() && reserved.error().code != Code::kNoSpace) co_return reserved.error();
  co_return file;
}

/// A file under its name, complete and durable: header, copies, and a mark above the copies. Its groups are added to
/// groups_.
Task<LogFile> CommitLog::create_file(FileHeader header, const std::vector<GroupPlace>& copies) {
  CO_TRY_ASSIGN(std::shared_ptr<disk::File> file, spare_file());
  has_spare_ = true;  // until it is renamed
  const Bytes block = log_format::encode_header(header);
  CO_TRY(file->write(0, block));
  std::uint64_t offset = kBlockBytes;
  RecordHeader at{.nonce = header.nonce,
                  .sequence = header.first,
                  .durable_through = {header.first.value - 1},
                  .chain_before = header.chain_before};
  std::vector<GroupPlace> places;
  for (const auto& copy : copies) {
    CO_TRY_ASSIGN(const Bytes old, read_record(copy));
    const auto found = log_format::find_record(old, copy.offset, copy.nonce);
    if (!found || found->sequence != at.sequence || found->chain_before != at.chain_before) {
      co_return Error{Code::kCorrupt, "a commit-log record changed while it was copied"};
    }
    at.offset = offset;
    at.count = found->count;
    const PageBytes record = log_format::encode_record(at, log_format::payload_of(*found, old));
    CO_TRY(disk::write_direct(*file, offset, record));
    offset += record.size();
    places.push_back({file, header.number, header.nonce, at.offset, offset, copy.first, copy.last, copy.chain_after});
    at.sequence = Sequence{copy.last.value + 1};
    at.chain_before = copy.chain_after;
  }
  if (!copies.empty()) {
    at.kind = Kind::kMark;
    at.count = 0;
    at.offset = offset;
    at.durable_through = Sequence{at.sequence.value - 1};
    const PageBytes mark = log_format::encode_record(at, {});
    CO_TRY(disk::write_direct(*file, offset, mark));
    offset += mark.size();
  }
  if (copies.empty() || !planted(PlantedBug::replay_unsynced)) {
    CO_TRY(file->sync());
  }
  CO_TRY(disk_.rename(path(kSpareName), path(log_format::file_name(header.number))));
  has_spare_ = false;
  fenced_ = true;  // until the name is durable, and for good if it cannot be made so
  if (!planted(PlantedBug::skip_directory_sync)) {
    CO_TRY(disk_.sync_directory(options_.directory));
  }
  fenced_ = false;
  const std::lock_guard lock(mutex_);
  groups_.insert(groups_.end(), places.begin(), places.end());
  stats_.syncs += 2;
  offset_ = offset;
  co_return LogFile{.header = header, .file = std::move(file), .size = offset, .sealed = false};
}

Task<void> CommitLog::seal(const LogFile& file, const FileHeader& successor) {
  const Bytes payload = log_format::encode_seal(
      {.successor_number = successor.number, .successor_nonce = successor.nonce, .end = successor.previous_end});
  const PageBytes record = log_format::encode_record({.kind = Kind::kSeal,
                                                      .nonce = file.header.nonce,
                                                      .offset = file.size,
                                                      .sequence = successor.first,
                                                      .durable_through = {successor.first.value - 1},
                                                      .chain_before = successor.chain_before},
                                                     payload);
  CO_TRY(disk::write_direct(*file.file, file.size, record));
  co_return co_await file.file->sync();
}

Result<void> CommitLog::unfenced() const {
  if (!fenced_) return {};
  return Error{Code::kUnavailable, "the commit log failed earlier and is fenced; restart to recover"};
}

Task<void> CommitLog::make_room(std::size_t payload_bytes) {
  CO_CHECK(unfenced());
  const std::uint64_t record = log_format::round_up(log_format::kRecordHeaderBytes + payload_bytes);
  const bool is_empty = offset_ == kBlockBytes;
  if (is_empty || offset_ + record + kBlockBytes <= options_.file_bytes) co_return Result<void>{};
  CO_TRY(prepare_spare());
  co_return co_await rotate();
}

Task<void> CommitLog::rotate() {
  LogFile full;
  Position at;
  {
    const std::lock_guard lock(mutex_);
    files_.back().size = offset_;
    full = files_.back();
    at = position_;
  }
  FileHeader header{.cell_id = full.header.cell_id,
                    .log_id = full.header.log_id,
                    .number = full.header.number + 1,
                    .nonce = draw_id(random_),
                    .first = {at.sequence.value + 1},
                    .chain_before = at.chain,
                    .previous_number = full.header.number,
                    .previous_end = full.size};
  auto created = co_await create_file(header, {});
  if (!created.ok()) {
    fenced_ = fenced_ || created.error().code != Code::kNoSpace;
    co_return std::move(created).error();
  }
  fenced_ = true;  // until the seal is durable
  CO_TRY(seal(full, header));
  fenced_ = false;
  durable_through_.store(at.sequence.value, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    files_.back().sealed = true;
    files_.back().size += kBlockBytes;
    files_.push_back(*std::move(created));
    ++stats_.syncs;
  }
  const auto spare = co_await prepare_spare();
  if (!spare.ok() && spare.error().code != Code::kNoSpace) {
    log(LogLevel::kWarn, "kv", "no spare commit-log file: {}", to_string(spare.error()));
  }
  co_return Result<void>{};
}

Task<void> CommitLog::prepare_spare() {
  CO_CHECK(unfenced());
  if (has_spare_) co_return Result<void>{};
  CO_TRY_ASSIGN(const auto file, disk_.open(path(kSpareName), disk::Open::kCreateNew));
  auto reserved = co_await file->reserve(options_.file_bytes);
  if (!reserved.ok()) {
    CO_TRY(disk_.remove(path(kSpareName)));
    co_return reserved;
  }
  has_spare_ = true;
  co_return Result<void>{};
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
    fenced_ = written.error().code != Code::kNoSpace;
    co_return written;
  }
  fenced_ = true;  // for good if the sync fails
  if (!planted(PlantedBug::skip_log_sync)) {
    auto synced = co_await file->sync();
    if (!synced.ok() && planted(PlantedBug::retry_failed_sync)) synced = Result<void>{};
    CO_CHECK(synced);
  }
  fenced_ = false;
  const std::lock_guard lock(mutex_);
  ++stats_.syncs;
  stats_.bytes_written += record.size();
  offset_ = offset + record.size();
  files_.back().size = offset_;
  co_return Result<void>{};
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
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    if (planted(PlantedBug::trim_log_too_far)) flushed = Sequence{flushed.value + 2};
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
