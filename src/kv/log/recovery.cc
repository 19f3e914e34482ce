#include "kv/log/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "base/planted_bugs.h"

namespace tombolo::kv {

using log_format::FileHeader;
using log_format::kBlockBytes;
using log_format::Kind;
using log_format::RecordHeader;

namespace {

struct FoundGroup {
  RecordHeader header;
  std::uint64_t chain_after = 0;
};

/// One file with everything that verifies in it.
struct Scanned {
  LogFile file;
  std::vector<FoundGroup> groups;  // in order of offset
  std::optional<log_format::Seal> seal;
  Sequence mark;
};

Error halt(std::uint64_t number, std::string why) {
  return {Code::kCorrupt, fmt::format("commit log {}: {}; the cell does not open, so that nothing acknowledged is lost "
                                      "silently",
                                      log_format::file_name(number), why)};
}

std::string path_of(const std::string& directory, std::uint64_t number) {
  return directory + "/" + log_format::file_name(number);
}

/// Numbers of the log's files, ascending; removes unfinished files.
Task<std::vector<std::uint64_t>> list_files(disk::Disk& disk, std::string directory) {
  std::vector<std::uint64_t> numbers;
  auto entries = co_await disk.list(directory);
  if (!entries.ok() && entries.error().code == Code::kNotFound) co_return numbers;
  if (!entries.ok()) co_return std::move(entries).error();
  for (const auto& entry : *entries) {
    if (entry.is_directory) continue;
    if (entry.name.ends_with(".tmp")) {
      CO_TRY(disk.remove(directory + "/" + entry.name));
    } else if (const auto number = log_format::parse_file_name(entry.name)) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  co_return numbers;
}

Task<LogFile> open_file(disk::Disk& disk, std::string directory, std::uint64_t number) {
  CO_TRY_ASSIGN(std::shared_ptr<disk::File> file, disk.open(path_of(directory, number), disk::Open::kReadWrite));
  CO_TRY_ASSIGN(const std::uint64_t size, file->size());
  Bytes block(kBlockBytes);
  if (size < block.size()) co_return halt(number, "its header is missing");
  CO_TRY(file->read(0, block));
  auto header = log_format::parse_header(block);
  if (!header.ok() && header.error().code == Code::kCorrupt) co_return halt(number, "its header does not verify");
  if (!header.ok()) co_return std::move(header).error();
  if (header->number != number) co_return halt(number, "its header names another file");
  co_return LogFile{.header = *header, .file = std::move(file), .size = log_format::round_up(size), .sealed = false};
}

/// Finds every record, boundary by boundary past whatever does not verify.
void find_records(BytesView bytes, Scanned& into) {
  const FileHeader& header = into.file.header;
  into.mark = Sequence{header.first.value - 1};
  for (std::uint64_t offset = kBlockBytes; offset < bytes.size();) {
    const auto record = log_format::find_record(bytes.subspan(offset), offset, header.nonce);
    if (!record) {
      offset += kBlockBytes;
      continue;
    }
    const BytesView payload = log_format::payload_of(*record, bytes.subspan(offset));
    into.mark = std::max(into.mark, record->durable_through);
    if (record->kind == Kind::kGroup) into.groups.push_back({*record, log_format::chain_after(*record, payload)});
    if (record->kind == Kind::kSeal) into.seal = log_format::parse_seal(payload);
    offset = record->end();
  }
  into.file.sealed = into.seal.has_value();
}

Task<Scanned> scan(LogFile file) {
  Scanned scanned{.file = std::move(file), .groups = {}, .seal = {}, .mark = {}};
  if (!scanned.file.file) co_return scanned;
  CO_TRY_ASSIGN(const std::uint64_t size, scanned.file.file->size());
  Bytes bytes(size);
  CO_TRY(scanned.file.file->read(0, bytes));
  find_records(bytes, scanned);
  co_return scanned;
}

/// Each file must continue its predecessor, seals must name what follows, and the last file must not be sealed.
Result<void> check_succession(const std::vector<Scanned>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const FileHeader& at = files[i].file.header;
    const auto& seal = files[i].seal;
    if (i + 1 == files.size()) {
      if (!seal) return {};
      return halt(at.number, fmt::format("the successor {} that its seal names is missing",
                                         log_format::file_name(seal->successor_number)));
    }
    const FileHeader& next = files[i + 1].file.header;
    if (next.previous_number != at.number || next.log_id != at.log_id || next.cell_id != at.cell_id) {
      return halt(next.number, "it does not continue the file before it");
    }
    const bool readable = files[i + 1].file.file != nullptr;
    if (seal && (seal->successor_number != next.number ||
                 (readable && (seal->successor_nonce != next.nonce || seal->end != next.previous_end)))) {
      return halt(at.number, "the successor that its seal names is missing: another file stands in its place");
    }
  }
  return {};
}

/// Walks the groups of the files in order.
class Walk {
 public:
  Walk(const std::vector<Scanned>& files, Position applied, RecoveredLog& out)
      : files_(files), applied_(applied), out_(out) {}

  Result<void> run() {
    for (const auto& file : files_) mark_ = std::max(mark_, file.mark);
    mark_ = std::max(mark_, applied_.sequence);
    TRY(confirm_applied());
    for (std::size_t i = 0; i < files_.size(); ++i) {
      TRY(walk(i));
    }
    return {};
  }

 private:
  std::uint64_t end_of(std::size_t i) const {
    return i + 1 < files_.size() ? files_[i + 1].file.header.previous_end : files_[i].file.size;
  }

  /// Looks in the first file for what `applied` names, or for what continues from it.
  Result<void> confirm_applied() {
    const Scanned& file = files_.front();
    const FileHeader& header = file.file.header;
    const bool nothing = applied_ == Position{};
    const std::uint64_t chain = nothing ? header.log_id : applied_.chain;
    bool confirmed = header.first.value == applied_.sequence.value + 1 && header.chain_before == chain;
    for (const auto& [group, chain_after] : file.groups) {
      if (group.end() > end_of(0)) break;
      confirmed = confirmed || (group.last() == applied_.sequence && chain_after == chain) ||
                  (group.sequence.value == applied_.sequence.value + 1 && group.chain_before == chain);
    }
    if (!confirmed || (!nothing && applied_.log_id != header.log_id)) {
      return halt(header.number, fmt::format("the index and the commit log do not belong together: the index holds "
                                             "transaction {}, which this log does not confirm",
                                             applied_.sequence.value));
    }
    next_ = header.first;
    chain_ = header.chain_before;
    return {};
  }

  Result<void> walk(std::size_t i) {
    const Scanned& file = files_[i];
    std::uint64_t offset = kBlockBytes;  // where the next group belongs
    cut_here(offset);
    for (const auto& [group, chain_after] : file.groups) {
      if (group.end() > end_of(i) || is_void(group, i)) break;
      if (group.sequence != next_ || group.chain_before != chain_) {
        if (next_ > applied_.sequence) break;
        if (!resumes_at_applied(group, chain_after)) continue;
      }
      out_.groups.push_back({file.file.file, file.file.header.number, file.file.header.nonce, group.offset, group.end(),
                             group.sequence, group.last(), chain_after});
      next_ = Sequence{group.last().value + 1};
      chain_ = chain_after;
      offset = group.end();
      cut_here(offset);
    }
    const bool last_file = i + 1 == files_.size();
    const bool complete =
        last_file ? next_ > mark_
                  : files_[i + 1].file.header.first == next_ && files_[i + 1].file.header.chain_before == chain_;
    if (!complete && !planted(PlantedBug::cut_log_below_mark)) {
      return halt(
          file.file.header.number,
          fmt::format("the record of transaction {} at offset {} is damaged, and transactions up to {} are known "
                      "to have been durable",
                      next_.value, offset, mark_.value));
    }
    out_.last = Sequence{next_.value - 1};
    out_.chain = chain_;
    return {};
  }

  /// What is broken at or below `applied` is not needed: true for the group to go on with then.
  bool resumes_at_applied(const RecordHeader& group, std::uint64_t chain_after) {
    const bool names = group.last() == applied_.sequence && chain_after == applied_.chain;
    const bool follows = group.sequence.value == applied_.sequence.value + 1 && group.chain_before == applied_.chain;
    if (!names && !follows) return false;
    log(LogLevel::kWarn, "kv", "commit log: damaged records below transaction {}, which the index holds",
        applied_.sequence.value);
    out_.groups.clear();
    next_ = group.sequence;
    chain_ = group.chain_before;
    if (follows) cut_here(group.offset);
    return true;
  }

  /// Copied into the file behind.
  bool is_void(const RecordHeader& group, std::size_t i) const {
    return i + 1 < files_.size() && group.sequence >= files_[i + 1].file.header.first;
  }

  /// What has been taken so far ends at `offset` of this file.
  void cut_here(std::uint64_t offset) {
    const LogCut here{.sequence = {next_.value - 1}, .chain = chain_, .end = offset};
    if (here.sequence <= mark_) out_.marked = here;
  }

  const std::vector<Scanned>& files_;
  const Position applied_;
  RecoveredLog& out_;
  Sequence mark_;
  Sequence next_;
  std::uint64_t chain_ = 0;
};

/// In the place of a file that cannot be read, and about which the one behind it says that it holds nothing: its first
/// sync may have failed, which was told when its first record was synced.
std::optional<LogFile> empty_before(const std::vector<LogFile>& behind, std::uint64_t number) {
  if (behind.empty()) return std::nullopt;
  FileHeader header = behind.front().header;
  if (header.previous_number != number || header.previous_end != kBlockBytes) return std::nullopt;
  header.number = number;
  header.previous_number = number - 1;
  header.previous_end = std::numeric_limits<std::uint64_t>::max();  // its predecessor's groups end where its own begin
  return LogFile{.header = header, .file = nullptr, .size = 0, .sealed = true};
}

/// Headers of the files in `numbers`, from the last one back to the one where the transaction after `applied` belongs.
Task<std::vector<LogFile>> open_needed(disk::Disk& disk, std::string directory, std::vector<std::uint64_t> numbers,
                                       std::uint64_t cell_id, Position applied) {
  std::vector<LogFile> files;
  for (std::size_t i = numbers.size(); i-- > 0;) {
    auto opened = co_await open_file(disk, directory, numbers[i]);
    if (!opened.ok() && opened.error().code == Code::kCorrupt) {
      if (auto empty = empty_before(files, numbers[i])) {
        log(LogLevel::kWarn, "kv", "commit log {} cannot be read, and its successor says that it holds nothing",
            log_format::file_name(numbers[i]));
        opened = *std::move(empty);
      }
    }
    CO_CHECK_ASSIGN(LogFile file, std::move(opened));
    if (file.header.cell_id != cell_id) co_return halt(numbers[i], "it belongs to another cell");
    const bool enough = file.header.first.value <= applied.sequence.value + 1;
    files.insert(files.begin(), std::move(file));
    if (enough) co_return files;
    if (i > 0 && numbers[i - 1] + 1 != numbers[i]) co_return halt(numbers[i] - 1, "the file is missing");
  }
  co_return halt(numbers.front(), fmt::format("the log begins at transaction {}, but the index holds only {}",
                                              files.front().header.first.value, applied.sequence.value));
}

/// Files that only readers of the log may still want, oldest first: those right before `start`. Others are removed.
Task<std::vector<LogFile>> open_older(disk::Disk& disk, std::string directory, std::vector<std::uint64_t> numbers,
                                      FileHeader start) {
  std::vector<LogFile> older;
  FileHeader next = start;
  for (std::size_t i = numbers.size(); i-- > 0;) {
    if (numbers[i] >= start.number) continue;
    if (numbers[i] + 1 != next.number) {
      CO_TRY(disk.remove(path_of(directory, numbers[i])));
      continue;
    }
    auto file = co_await open_file(disk, directory, numbers[i]);
    if (!file.ok()) {  // not needed; it goes when its successor's turn comes
      log(LogLevel::kWarn, "kv", "{}", to_string(file.error()));
      FileHeader unknown{.number = numbers[i], .first = next.first};
      file = LogFile{.header = unknown, .file = nullptr, .size = 0, .sealed = true};
    }
    next = file->header;
    older.insert(older.begin(), *std::move(file));
  }
  co_return older;
}

}  // namespace

Task<RecoveredLog> recover_log(disk::Disk& disk, std::string directory, std::uint64_t cell_id, Position applied) {
  RecoveredLog out;
  CO_TRY_ASSIGN(const auto numbers, list_files(disk, directory));
  if (numbers.empty()) {
    if (applied == Position{}) co_return out;
    co_return Error{Code::kCorrupt,
                    fmt::format("the commit log in '{}' is missing, but the index holds transactions up "
                                "to {} of it",
                                directory, applied.sequence.value)};
  }
  CO_TRY_ASSIGN(auto needed, open_needed(disk, directory, numbers, cell_id, applied));
  std::vector<Scanned> scanned;
  for (auto& file : needed) {
    CO_TRY_ASSIGN(auto one, scan(std::move(file)));
    scanned.push_back(std::move(one));
  }
  CO_CHECK(check_succession(scanned));
  CO_CHECK(Walk(scanned, applied, out).run());
  CO_TRY_ASSIGN(out.files, open_older(disk, directory, numbers, scanned.front().file.header));
  for (auto& file : scanned) out.files.push_back(std::move(file.file));
  co_return out;
}

Task<Bytes> read_record(GroupPlace place) {
  CO_TRY_ASSIGN(const std::uint64_t size, place.file->size());
  Bytes record(place.end - place.offset);
  const std::uint64_t there = std::min(size, place.end) - std::min(size, place.offset);
  CO_TRY(place.file->read(place.offset, MutableBytes(record).first(there)));
  co_return record;
}

Task<std::vector<LogEntry>> read_group(GroupPlace place) {
  CO_TRY_ASSIGN(const Bytes record, read_record(place));
  const auto header = log_format::find_record(record, place.offset, place.nonce);
  if (!header || header->kind != Kind::kGroup || header->sequence != place.first || header->last() != place.last) {
    co_return Error{Code::kCorrupt,
                    fmt::format("the commit-log record of transaction {} does not verify any more", place.first.value)};
  }
  co_return log_format::parse_group(*header, log_format::payload_of(*header, record));
}

}  // namespace tombolo::kv
