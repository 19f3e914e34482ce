// Rot in the commit log: it is named while the process lives, and a process does not start on it.
#include <fmt/format.h>

#include "testing/rot/rot.h"

namespace tombolo::testing::rot {
namespace {

constexpr unsigned kLateWrites = 60;
constexpr std::uint64_t kBlockEvery = 10;
constexpr std::uint64_t kAliveEvery = 4;  // one flip in so many while the process lives

/// Half of the flips in headers of records, which are few of their bytes.
Stretch part_of(RotCell& cell, const Stretch& stretch) {
  Stretch part = stretch;
  constexpr std::uint64_t kHeader = 64;
  if (stretch.length > kHeader && cell.random.below(2) == 0) part.length = kHeader;
  return part;
}

std::string file_name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

class LogRot {
 public:
  LogRot(RotCell& cell, std::uint64_t flips, Tally& tally) : cell_(cell), left_(flips), tally_(tally) {}

  Complaint run() {
    if (left_ == 0) return std::nullopt;
    if (const auto written = cell_.write_late(kLateWrites); !written.ok())
      return "writing: " + to_string(written.error());
    const auto status = cell_.world.life->engine->status();
    if (status.durable_through != status.committed) return "the log has no mark after a second";
    if (auto complaint = find(status.flushed)) return complaint;
    const std::uint64_t alive = left_ / kAliveEvery;
    while (left_ > 0 && done_ < alive) {
      if (auto complaint = one(true)) return complaint;
    }
    if (const auto stopped = cell_.world.stop(); !stopped.ok()) return "stopping: " + to_string(stopped.error());
    cell_.world.lose(disk::PowerLoss::Unsynced::kLost);
    while (left_ > 0) {
      if (auto complaint = one(false)) return complaint;
    }
    if (const auto opened = cell_.open(); !opened.ok()) return "it does not open: " + to_string(opened.error());
    return read_everything(cell_, tally_, [](const std::string&) { return false; });
  }

 private:
  Complaint find(kv::Sequence flushed) {
    auto found = find_in_log(cell_, flushed);
    if (!found.ok()) return "the log cannot be looked through: " + to_string(found.error());
    all_ = *std::move(found);
    for (const Stretch& stretch : all_) {
      if (stretch.offset != 0) groups_.push_back(stretch);
    }
    if (groups_.empty()) return "the log holds nothing above what is flushed";
    return std::nullopt;
  }

  Complaint one(bool alive) {
    const std::vector<Stretch>& from = alive ? groups_ : all_;
    const Stretch stretch = part_of(cell_, from[cell_.random.below(from.size())]);
    How how = How::kFlip;
    if (cell_.random.below(kBlockEvery) == 0) how = cell_.random.below(2) == 0 ? How::kStale : How::kMisdirected;
    const auto drawn = draw_damage(cell_, stretch, how, from);
    if (!drawn.ok()) return "drawing: " + to_string(drawn.error());
    if (!*drawn) return std::nullopt;
    const Damage& damage = **drawn;
    if (const auto applied = apply(cell_, damage); !applied.ok()) return "damaging: " + to_string(applied.error());
    ++tally_.of(damage).made;
    auto complaint = alive ? is_named() : is_refused(damage);
    if (complaint) return *complaint + "\n  " + damage.words();
    ++tally_.of(damage).detected;
    if (how == How::kFlip) ++done_;
    if (how == How::kFlip) --left_;
    const auto undone = undo(cell_, damage);
    return undone.ok() ? Complaint() : "undoing: " + to_string(undone.error());
  }

  Complaint is_named() {
    const auto verified = cell_.world.run(cell_.world.life->engine->verify());
    if (!verified.ok() && verified.error().code == Code::kCorrupt) return std::nullopt;
    return "a living log does not name it: " +
           (verified.ok() ? std::string("all is well") : to_string(verified.error()));
  }

  Complaint is_refused(const Damage& damage) {
    const auto opened = cell_.open();
    ++tally_.reopened;
    if (opened.ok()) return "a process has started on it";
    const bool names = opened.error().message.find(file_name_of(damage.file)) != std::string::npos;
    if (opened.error().code == Code::kCorrupt && names) return std::nullopt;
    return "what it says does not name corruption and the file: " + to_string(opened.error());
  }

  RotCell& cell_;
  std::uint64_t left_, done_ = 0;
  Tally& tally_;
  std::vector<Stretch> all_, groups_;
};

}  // namespace

Complaint rot_in_log(RotCell& cell, const Quota& quota, Tally& tally) {
  return LogRot(cell, quota[static_cast<std::size_t>(Area::kLog)], tally).run();
}

}  // namespace tombolo::testing::rot
