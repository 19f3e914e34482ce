// Opening a commit log that was written in an order of the fuzzer's choice and then damaged: it opens or it halts, and
// when it opens it has lost nothing that a surviving record says was durable, and holds nothing that was not written.
#include "kv/log/recovery.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "async/run.h"
#include "base/log.h"
#include "disk/memory/memory_disk.h"
#include "testing/fuzz.h"

namespace tombolo::kv {
namespace {

using namespace log_format;

constexpr std::uint64_t kCell = 7, kLogId = 0x1112131415161718;
constexpr std::size_t kRecordsMax = 12, kDamagesMax = 4;
constexpr std::string_view kDirectory = "log";

boost::asio::io_context& loop() {
  static boost::asio::io_context one(1);
  return one;
}

/// A record as it was written.
struct Written {
  std::size_t file = 0;
  RecordHeader header;
  Bytes bytes;
};

/// A log as a cell writes it, and the position that its index holds.
class Log {
 public:
  Log() { start_file(0); }

  void write(fuzz::Pieces& pieces) {
    for (std::size_t i = 0; i < kRecordsMax && !pieces.empty(); ++i) {
      const std::uint8_t kind = pieces.byte();
      switch (kind % 8) {
        case 0:
          return;
        case 1:
          append({.kind = Kind::kMark, .durable_through = last_}, {});
          break;
        case 2:
          roll();
          break;
        case 3:
          applied = {.log_id = kLogId, .sequence = last_, .chain = chain_};
          if (last_.value == 0) applied = {};
          break;
        default:
          append_group(1 + kind % 3, pieces.text());
          break;
      }
    }
  }

  void damage(fuzz::Pieces& pieces) {
    for (std::size_t i = 0; i < kDamagesMax && !pieces.empty(); ++i) {
      auto& file = files[pieces.byte() % files.size()];
      if (!file || file->empty()) continue;
      damaged = true;
      const std::size_t blocks = (file->size() + kBlockBytes - 1) / kBlockBytes;
      const std::size_t block = pieces.below(blocks) * kBlockBytes, at = block + pieces.below(kBlockBytes);
      const auto end =
          file->begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(block + kBlockBytes, file->size()));
      switch (pieces.byte() % 5) {
        case 0:
          std::fill(file->begin() + static_cast<std::ptrdiff_t>(block), end, std::byte{});
          break;
        case 1:
          if (at < file->size()) (*file)[at] ^= static_cast<std::byte>(1U << pieces.below(8));
          break;
        case 2:
          file->resize(std::min(at, file->size()));
          break;
        case 3: {
          // Another block of any file, misdirected here.
          const auto& from = files[pieces.byte() % files.size()];
          if (!from || from->size() < kBlockBytes || end - file->begin() < static_cast<std::ptrdiff_t>(kBlockBytes))
            break;
          const std::size_t source = pieces.below(from->size() / kBlockBytes) * kBlockBytes;
          const Bytes copy(from->begin() + static_cast<std::ptrdiff_t>(source),
                           from->begin() + static_cast<std::ptrdiff_t>(source + kBlockBytes));
          std::copy(copy.begin(), copy.end(), file->begin() + static_cast<std::ptrdiff_t>(block));
          break;
        }
        default:
          file.reset();
          break;
      }
    }
  }

  bool survives(const Written& record) const {
    const auto& file = files[record.file];
    if (!file || file->size() < record.header.offset + record.bytes.size()) return false;
    return as_text(BytesView(*file).subspan(record.header.offset, record.bytes.size())) == as_text(record.bytes);
  }

  std::vector<std::optional<Bytes>> files;  // by number - 1; nullopt: removed
  std::vector<Written> records;
  Position applied;
  bool damaged = false;

  Sequence last() const { return last_; }

 private:
  Bytes& current() { return *files.back(); }

  void start_file(std::uint64_t previous_end) {
    const std::uint64_t number = files.size() + 1;
    nonce_ = 0x1000 + number;
    files.emplace_back(encode_header({.cell_id = kCell,
                                      .log_id = kLogId,
                                      .number = number,
                                      .nonce = nonce_,
                                      .first = {last_.value + 1},
                                      .chain_before = chain_,
                                      .previous_number = number - 1,
                                      .previous_end = previous_end}));
  }

  void append(RecordHeader header, BytesView payload) {
    header.nonce = nonce_;
    header.offset = current().size();
    header.sequence = {last_.value + 1};
    header.chain_before = chain_;
    header.payload_bytes = static_cast<std::uint32_t>(payload.size());
    Bytes bytes = to_bytes(encode_record(header, payload));
    current().insert(current().end(), bytes.begin(), bytes.end());
    if (header.kind == Kind::kGroup) {
      last_ = header.last();
      chain_ = chain_after(header, payload);
    }
    records.push_back({files.size() - 1, header, std::move(bytes)});
  }

  void append_group(std::uint32_t count, const std::string& value) {
    Bytes payload;
    for (std::uint32_t i = 0; i < count; ++i) {
      append_transaction(payload, {.sequence = {last_.value + 1 + i}, .writes = {{"key", value}}});
    }
    append({.kind = Kind::kGroup, .count = count, .durable_through = last_}, payload);
  }

  void roll() {
    const std::uint64_t end = current().size(), number = files.size() + 1;
    append({.kind = Kind::kSeal, .durable_through = last_},
           encode_seal({.successor_number = number, .successor_nonce = 0x1000 + number, .end = end}));
    start_file(end);
  }

  Sequence last_;
  std::uint64_t chain_ = kLogId;
  std::uint64_t nonce_ = 0;
};

Task<void> store(disk::Disk& disk, const Log& log) {
  CO_TRY(disk.make_directory(std::string(kDirectory)));
  for (std::size_t i = 0; i < log.files.size(); ++i) {
    if (!log.files[i]) continue;
    const std::string path = std::string(kDirectory) + "/" + file_name(i + 1);
    CO_TRY_ASSIGN(const auto file, disk.open(path, disk::Open::kCreateNew));
    CO_TRY(file->write(0, *log.files[i]));
  }
  co_return Result<void>{};
}

void check_groups(const Log& log, const RecoveredLog& recovered) {
  Sequence next;
  for (const GroupPlace& place : recovered.groups) {
    ASSERT(next.value == 0 || place.first == next);
    next = {place.last.value + 1};
    const auto group = run_to_end(loop(), read_group(place));
    ASSERT(group.ok());
    const auto written = std::find_if(log.records.begin(), log.records.end(), [&](const Written& one) {
      return one.header.kind == Kind::kGroup && one.header.sequence == place.first;
    });
    ASSERT(written != log.records.end() && written->header.last() == place.last);
    const auto original = parse_group(written->header, payload_of(written->header, written->bytes));
    ASSERT(original.ok() && original->size() == group->size());
    for (std::size_t i = 0; i < group->size(); ++i) ASSERT((*original)[i].writes == (*group)[i].writes);
  }
  if (recovered.last > log.applied.sequence) {
    ASSERT(!recovered.groups.empty() && recovered.groups.front().first.value <= log.applied.sequence.value + 1);
    ASSERT(recovered.groups.back().last == recovered.last);
  }
}

}  // namespace

FUZZ(kv_log_recovery) {
  set_log_level(LogLevel::kError);
  fuzz::Pieces pieces(input);
  Log log;
  log.write(pieces);
  log.damage(pieces);
  disk::MemoryDisk disk;
  ASSERT(run_to_end(loop(), store(disk, log)).ok());
  const auto recovered = run_to_end(loop(), recover_log(disk, std::string(kDirectory), kCell, log.applied));
  if (!recovered.ok()) {
    ASSERT(log.damaged);
    ASSERT(recovered.error().code == Code::kCorrupt || recovered.error().code == Code::kUnsupported);
    return;
  }
  ASSERT(log.damaged || recovered->last == log.last());
  ASSERT(recovered->last >= log.applied.sequence && recovered->last <= log.last());
  for (const Written& record : log.records) {
    if (log.survives(record)) ASSERT(recovered->last >= record.header.durable_through);
  }
  check_groups(log, *recovered);
}

}  // namespace tombolo::kv
