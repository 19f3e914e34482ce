// The files of a commit log: how they begin, follow one another and end.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/planted_bugs.h"
#include "base/server_fault.h"
#include "kv/log/commit_log.h"

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
  CO_TRY(sync_name());
  const std::lock_guard lock(mutex_);
  offset_ = file.size;
  files_.push_back(std::move(file));
  position_ = {.log_id = log_id, .sequence = {0}, .chain = log_id};
  co_return Result<void>{};
}

/// A file behind the last one, with copies of the groups above the mark.
Task<LogFile> CommitLog::continue_from(const RecoveredLog& recovered) {
  const LogCut& cut = recovered.marked;
  const auto above = std::partition_point(recovered.groups.begin(), recovered.groups.end(),
                                          [&](const GroupPlace& at) { return at.last <= cut.sequence; });
  const FileHeader& last = recovered.files.back().header;
  const FileHeader header{.cell_id = last.cell_id,
                          .log_id = last.log_id,
                          .number = last.number + 1,
                          .nonce = draw_id(random_),
                          .first = {cut.sequence.value + 1},
                          .chain_before = cut.chain,
                          .previous_number = last.number,
                          .previous_end = cut.end};
  CO_TRY_ASSIGN(LogFile file, create_file(header, {above, recovered.groups.end()}));
  CO_TRY(sync_name());
  co_return file;
}

Task<void> CommitLog::start_after(RecoveredLog& recovered) {
  CO_TRY_ASSIGN(LogFile file, continue_from(recovered));
  const FileHeader header = file.header;
  begun_at_ = header.first;
  recovered.files.push_back(std::move(file));
  const auto kept = std::partition_point(recovered.groups.begin(), recovered.groups.end(),
                                         [&](const GroupPlace& at) { return at.last < header.first; });
  const std::lock_guard lock(mutex_);
  files_.assign(recovered.files.begin(), recovered.files.end());
  groups_.insert(groups_.begin(), recovered.groups.begin(), kept);
  position_ = {.log_id = header.log_id, .sequence = recovered.last, .chain = recovered.chain};
  offset_ = files_.back().size;
  durable_through_ = recovered.last.value;
  co_return Result<void>{};
}

Task<std::unique_ptr<disk::File>> CommitLog::open_spare() {
  for (auto mode = has_spare_ ? disk::Open::kReadWrite : disk::Open::kCreateNew;; mode = disk::Open::kReadWrite) {
    auto opened = co_await disk_.open(path(kSpareName), mode);
    // One that got no space, and could not be removed, is there nevertheless.
    const bool left_behind = !opened.ok() && opened.error().code == Code::kAlreadyExists;
    if (!left_behind || mode == disk::Open::kReadWrite) co_return opened;
  }
}

Task<std::unique_ptr<disk::File>> CommitLog::spare_file() {
  CO_TRY_ASSIGN(auto file, open_spare());
  if (std::exchange(has_spare_, true)) co_return file;  // until it is renamed
  const auto reserved = co_await file->reserve(options_.file_bytes);
  if (!reserved.ok() && reserved.error().code != Code::kNoSpace) co_return reserved.error();
  co_return file;
}

/// A file under its name, complete: header, copies, and a mark above the copies. All but the name is durable. Its
/// groups are added to groups_.
Task<LogFile> CommitLog::create_file(FileHeader header, const std::vector<GroupPlace>& copies) {
  CO_TRY_ASSIGN(std::shared_ptr<disk::File> file, spare_file());
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
  const std::lock_guard lock(mutex_);
  groups_.insert(groups_.end(), places.begin(), places.end());
  ++stats_.syncs;
  co_return LogFile{.header = header, .file = std::move(file), .size = offset, .sealed = false};
}

/// Makes the name of the file that create_file gave durable.
Task<void> CommitLog::sync_name() {
  if (!planted(PlantedBug::skip_directory_sync)) {
    CO_TRY(or_fenced(disk_.sync_directory(options_.directory)));
  }
  const std::lock_guard lock(mutex_);
  ++stats_.syncs;
  co_return Result<void>{};
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

/// Those found unsealed that hold nothing above `flushed`.
Task<void> CommitLog::seal_older(Sequence flushed) {
  struct Unsealed {
    LogFile file;
    FileHeader successor;
  };
  std::vector<Unsealed> unsealed;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i + 1 < files_.size() && files_[i + 1].header.first.value <= flushed.value + 1; ++i) {
      if (!files_[i].sealed) unsealed.push_back({files_[i], files_[i + 1].header});
    }
  }
  for (const auto& [file, successor] : unsealed) {
    const auto sealed = co_await seal(file, successor);
    if (!sealed.ok()) {
      log(LogLevel::kError, "kv", "a commit-log file stays unsealed: {}", to_string(sealed.error()));
      continue;
    }
    const std::lock_guard lock(mutex_);
    const auto kept = std::find_if(files_.begin(), files_.end(),
                                   [&](const LogFile& one) { return one.header.number == file.header.number; });
    if (kept == files_.end()) continue;
    kept->sealed = true;
    kept->size += kBlockBytes;
  }
  co_return Result<void>{};
}

Task<void> CommitLog::make_room(std::size_t payload_bytes) {
  auto made = co_await extend(payload_bytes);
  if (!made.ok()) co_return server_fault(std::move(made).error());
  co_return made;
}

Task<void> CommitLog::extend(std::size_t payload_bytes) {
  CO_CHECK(unfenced());
  if (successor_) co_return co_await finish_rotation();
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
  // A sync may be told late that it failed, which takes along what it had made durable. It is told now, while this is
  // the last file, which the next start copies; once the file has a successor, nobody asks again.
  CO_TRY(or_fenced(full.file->sync()));
  auto created = co_await create_file(header, {});
  if (!created.ok()) {
    fenced_ = !may_pass(created.error());
    co_return std::move(created).error();
  }
  successor_ = *std::move(created);
  co_return co_await finish_rotation();
}

/// From the name of the next file on there is no way back: its header says where the last one ends.
Task<void> CommitLog::finish_rotation() {
  LogFile full;
  {
    const std::lock_guard lock(mutex_);
    full = files_.back();
  }
  CO_TRY(sync_name());
  CO_TRY(or_fenced(seal(full, successor_->header)));
  durable_through_.store(successor_->header.first.value - 1, std::memory_order_release);
  offset_ = successor_->size;
  {
    const std::lock_guard lock(mutex_);
    files_.back().sealed = true;
    files_.back().size += kBlockBytes;
    files_.push_back(*std::exchange(successor_, std::nullopt));
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
  CO_TRY_ASSIGN(const auto file, open_spare());
  auto reserved = co_await file->reserve(options_.file_bytes);
  if (!reserved.ok()) {
    (void)co_await disk_.remove(path(kSpareName));  // the next one takes what stays
    co_return reserved;
  }
  has_spare_ = true;
  co_return Result<void>{};
}

}  // namespace tombolo::kv
