// Rot in RocksDB's tables: a process refuses to start on it, or names it and serves nothing that it cannot verify.
#include <fmt/format.h>

#include "testing/rot/rot.h"

namespace tombolo::testing::rot {
namespace {

constexpr std::uint64_t kBlockEvery = 10;

class TableRot {
 public:
  TableRot(RotCell& cell, std::uint64_t flips, Tally& tally) : cell_(cell), left_(flips), tally_(tally) {}

  Complaint run() {
    if (left_ == 0) return std::nullopt;
    if (const auto closed = cell_.world.close(); !closed.ok()) return "closing: " + to_string(closed.error());
    cell_.world.lose(disk::PowerLoss::Unsynced::kLost);
    auto tables = find_in_tables(cell_);
    auto index = take_image(cell_, std::string(SimDisk::kIndexDirectory));
    auto log = take_image(cell_, "log");
    if (!tables.ok() || !index.ok() || !log.ok() || tables->empty()) return "the index cannot be looked through";
    index_ = *std::move(index);
    log_ = *std::move(log);
    while (left_ > 0) {
      if (auto complaint = one(*tables)) return complaint;
      if (auto complaint = undo()) return complaint;
    }
    if (const auto opened = cell_.open(); !opened.ok()) return "it does not open: " + to_string(opened.error());
    return read_everything(cell_, tally_, [](const std::string&) { return false; });
  }

 private:
  Complaint one(const std::vector<Stretch>& tables) {
    const Stretch& table = tables[cell_.random.below(tables.size())];
    How how = How::kFlip;
    if (cell_.random.below(kBlockEvery) == 0) how = cell_.random.below(2) == 0 ? How::kStale : How::kMisdirected;
    const auto drawn = draw_damage(cell_, table, how, tables);
    if (!drawn.ok()) return "drawing: " + to_string(drawn.error());
    if (!*drawn) return std::nullopt;
    if (const auto applied = apply(cell_, **drawn); !applied.ok()) return "damaging: " + to_string(applied.error());
    ++tally_.of(**drawn).made;
    auto complaint = look();
    if (complaint) {
      const auto needed = is_needed(table);
      if (!needed.ok()) return to_string(needed.error());
      if (*needed) return *complaint + "\n  " + (*drawn)->words();
      --tally_.of(**drawn).made;
      return std::nullopt;
    }
    ++tally_.of(**drawn).detected;
    if (how == How::kFlip) --left_;
    return std::nullopt;
  }

  /// The disk as it was before the damage, and nobody alive.
  Complaint undo() {
    if (cell_.world.alive()) {
      if (const auto stopped = cell_.world.stop(); !stopped.ok()) return "stopping: " + to_string(stopped.error());
    }
    cell_.world.lose(disk::PowerLoss::Unsynced::kLost);
    if (!put_back(cell_, index_).ok() || !put_back(cell_, log_).ok()) return "the index cannot be put back";
    return std::nullopt;
  }

  /// RocksDB does not open without a table that it refers to. Others may lie there too: the output of a compaction that
  /// the end of a process cut off, or tables that it had done with; it removes them, or takes their number again.
  Result<bool> is_needed(const Stretch& table) {
    if (const auto complaint = undo()) return Error{Code::kInternal, *complaint};
    TRY(cell_.world.disk.remove_now(table.file));
    return !cell_.open().ok();
  }

  Complaint look() {
    const auto opened = cell_.open();
    ++tally_.reopened;
    // RocksDB's own compaction may come upon it first: the cell stops, and its log says why.
    if (!opened.ok() && opened.error().code == Code::kUnknownOutcome) return std::nullopt;
    if (!opened.ok()) return named(opened.error());
    if (auto complaint = read_everything(cell_, tally_, [](const std::string&) { return true; })) return complaint;
    const auto verified = cell_.world.run(cell_.world.life->engine->verify());
    return verified.ok() ? Complaint("all is well, it says") : named(verified.error());
  }

  /// Of most damages RocksDB names the file; of some, in a table's properties say, only that it is in its own.
  static Complaint named(const Error& error) {
    const bool names = error.message.find("RocksDB") != std::string::npos;
    if (error.code == Code::kCorrupt && names) return std::nullopt;
    return "what it says names neither corruption nor the index: " + to_string(error);
  }

  RotCell& cell_;
  std::uint64_t left_;
  Tally& tally_;
  Image index_, log_;
};

}  // namespace

Complaint rot_in_tables(RotCell& cell, const Quota& quota, Tally& tally) {
  return TableRot(cell, quota[static_cast<std::size_t>(Area::kTable)], tally).run();
}

}  // namespace tombolo::testing::rot
