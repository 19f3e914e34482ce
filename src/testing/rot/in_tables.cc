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
    auto index = take_image(cell_, std::string(SimDisk::kIndexDirectory));
    auto log = take_image(cell_, "log");
    if (!index.ok() || !log.ok()) return "the index cannot be looked through";
    index_ = *std::move(index);
    log_ = *std::move(log);
    const auto tables = find_needed();
    if (!tables.ok()) return "looking for tables: " + to_string(tables.error());
    while (left_ > 0) {
      if (auto complaint = one(*tables)) return complaint;
      if (auto complaint = undo()) return complaint;
    }
    if (const auto opened = cell_.open(); !opened.ok()) return "it does not open: " + to_string(opened.error());
    return read_everything(cell_, tally_, [](const std::string&) { return false; });
  }

 private:
  /// Others may lie there too: the output of a compaction that the end of a process cut off, or tables that it had done
  /// with; RocksDB removes them when it opens, or takes their number again.
  Result<std::vector<Stretch>> find_needed() {
    TRY_ASSIGN(auto tables, find_in_tables(cell_));
    std::vector<Stretch> needed;
    for (Stretch& table : tables) {
      TRY_ASSIGN(const bool opens, opens_without(table.file));
      if (!opens) needed.push_back(std::move(table));
      if (const auto complaint = undo()) return Error{Code::kInternal, *complaint};
    }
    if (needed.empty()) return Error{Code::kInternal, "none is needed"};
    return needed;
  }

  /// RocksDB does not open without a table that it refers to.
  Result<bool> opens_without(const std::string& table) {
    TRY(cell_.world.disk.remove_now(table));
    return cell_.open().ok();
  }

  Complaint one(const std::vector<Stretch>& tables) {
    const Stretch& table = tables[cell_.random.below(tables.size())];
    How how = How::kFlip;
    if (cell_.random.below(kBlockEvery) == 0) how = cell_.random.below(2) == 0 ? How::kStale : How::kMisdirected;
    const auto drawn = draw_damage(cell_, table, how, tables);
    if (!drawn.ok()) return "drawing: " + to_string(drawn.error());
    if (!*drawn) return std::nullopt;
    if (const auto applied = apply(cell_, **drawn); !applied.ok()) return "damaging: " + to_string(applied.error());
    ++tally_.of(**drawn).made;
    const auto noticed = look();
    if (!noticed.ok()) return noticed.error().message + "\n  " + (*drawn)->words();
    if (!*noticed) {
      const auto needed = is_needed_still(**drawn);
      if (!needed.ok()) return to_string(needed.error());
      if (*needed) return "all is well, it says, with\n  " + (*drawn)->words();
      --tally_.of(**drawn).made;
      ++tally_.compacted_away;
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

  /// Whether RocksDB still refers to what was damaged after the life that did not notice. Not so after a compaction: it
  /// reads, and verifies, all rows of its tables, but neither their filters nor their properties, and removes them.
  Result<bool> is_needed_still(const Damage& damage) {
    if (cell_.world.alive()) {
      TRY(cell_.world.close());
    }
    cell_.world.lose(disk::PowerLoss::Unsynced::kLost);
    TRY_ASSIGN(const bool is_there, is_applied(cell_, damage));
    if (!is_there) return false;
    TRY_ASSIGN(const bool opens, opens_without(damage.file));
    return !opens;
  }

  /// Whether a life notices; false when all is well to its mind. The error: it does not as it should.
  Result<bool> look() {
    const auto opened = cell_.open();
    ++tally_.reopened;
    if (!opened.ok()) return named(opened.error());
    if (auto complaint = read_everything(cell_, tally_, [](const std::string&) { return true; })) {
      return Error{Code::kInternal, *std::move(complaint)};
    }
    const auto verified = cell_.world.run(cell_.world.life->engine->verify());
    if (!verified.ok()) return named(verified.error());
    return false;
  }

  /// Of most damages RocksDB names the file; of some, in a table's properties say, only that it is in its own. Its own
  /// compaction may come upon one first: then the cell stops under whatever its start was about to commit.
  static Result<bool> named(const Error& error) {
    const bool names = error.message.find("RocksDB") != std::string::npos;
    if (names && (error.code == Code::kCorrupt || error.code == Code::kUnknownOutcome)) return true;
    return Error{Code::kInternal, "what it says names neither corruption nor the index: " + to_string(error)};
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
