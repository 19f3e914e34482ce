// Rot below a living cell: reads give the right bytes or an error that names what is lost, and fsck names each damage.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "testing/rot/rot.h"

namespace tombolo::testing::rot {
namespace {

constexpr std::size_t kAtOnceMax = 24;
constexpr std::uint64_t kAloneEvery = 8;   // one round in so many has one damage only
constexpr std::uint64_t kBlockEvery = 10;  // one damage in so many is a block
constexpr std::uint64_t kReachMax = 400;   // of a read on both sides of a damage
constexpr std::uint64_t kMendEvery = 16;   // one round in so many ends with a repair

/// A damage to a stretch.
struct Hurt {
  const Stretch* stretch = nullptr;
  std::size_t damage = 0;
};

enum class Mode { kRuns, kSegmentHeaders, kRemotes };

Mode mode_of(Area area) {
  if (area == Area::kRemote) return Mode::kRemotes;
  return area == Area::kSegmentHeader ? Mode::kSegmentHeaders : Mode::kRuns;
}

class Rounds {
 public:
  Rounds(RotCell& cell, const Quota& quota, Tally& tally) : cell_(cell), left_(quota), tally_(tally) {}

  Complaint run() {
    while (true) {
      if (stretches_.empty()) {
        auto found = find_in_use(cell_);
        if (!found.ok()) return "what is in use cannot be found: " + to_string(found.error());
        stretches_ = *std::move(found);
      }
      const auto mode = next_mode();
      if (!mode) return std::nullopt;
      if (auto complaint = round(*mode)) return complaint;
    }
  }

 private:
  std::uint64_t& left(Area area) { return left_[static_cast<std::size_t>(area)]; }

  /// The one that has most to do.
  std::optional<Mode> next_mode() {
    const std::uint64_t runs = left(Area::kRun) + left(Area::kRunHeader);
    const std::uint64_t most = std::max({runs, left(Area::kSegmentHeader), left(Area::kRemote)});
    if (most == 0) return std::nullopt;
    if (most == runs) return Mode::kRuns;
    return most == left(Area::kRemote) ? Mode::kRemotes : Mode::kSegmentHeaders;
  }

  Complaint round(Mode mode) {
    if (auto failed = draw(mode)) return failed;
    for (const Damage& damage : damages_) {
      if (const auto done = apply(cell_, damage); !done.ok()) return "damaging: " + to_string(done.error());
      ++tally_.of(damage).made;
    }
    mended_.assign(damages_.size(), false);
    const bool mends = cell_.random.below(kMendEvery) == 0;
    auto complaint = look(mode);
    if (!complaint && mends) complaint = mend();
    if (complaint) {
      for (const Damage& damage : damages_) *complaint += "\n  " + damage.words();
      return complaint;
    }
    for (std::size_t n = 0; n < damages_.size(); ++n) {
      const Damage& damage = damages_[n];
      ++tally_.of(damage).detected;
      tally_.of(damage).repaired += mended_[n] ? 1 : 0;
      if (const auto done = undo(cell_, damage); !done.ok()) return "undoing: " + to_string(done.error());
    }
    if (!mends) return std::nullopt;
    stretches_.clear();  // what was repaired lies elsewhere now
    const auto rested = cell_.come_to_rest();
    return rested.ok() ? Complaint() : "after a repair: " + to_string(rested.error());
  }

  /// At most one damage of a run and its header.
  Complaint draw(Mode mode) {
    damages_.clear();
    hurt_.clear();
    std::vector<const Stretch*> candidates;
    for (const Stretch& stretch : stretches_) {
      if (mode_of(stretch.area) == mode && left(stretch.area) > 0) candidates.push_back(&stretch);
    }
    for (std::size_t n = candidates.size(); n > 1; --n) std::swap(candidates[n - 1], candidates[cell_.random.below(n)]);
    const std::size_t most = cell_.random.below(kAloneEvery) == 0 ? 1 : 1 + cell_.random.below(kAtOnceMax);
    std::set<std::size_t> groups;
    for (const Stretch* const stretch : candidates) {
      if (damages_.size() == most || left(stretch->area) == 0) continue;
      if (groups.contains(stretch->group)) continue;
      How how = How::kFlip;
      if (cell_.random.below(kBlockEvery) == 0) how = cell_.random.below(2) == 0 ? How::kStale : How::kMisdirected;
      auto drawn = draw_damage(cell_, *stretch, how, stretches_);
      if (!drawn.ok()) return "drawing: " + to_string(drawn.error());
      if (!*drawn) continue;
      groups.insert(stretch->group);
      if (how == How::kFlip) --left(stretch->area);
      damages_.push_back(**std::move(drawn));
    }
    for (std::size_t n = 0; n < damages_.size(); ++n) {
      for (const Stretch& stretch : stretches_) {
        if (stretch.file != damages_[n].file) continue;
        if (damages_[n].first_changed(stretch.offset, stretch.length)) hurt_.push_back({&stretch, n});
      }
    }
    return std::nullopt;
  }

  Complaint look(Mode mode) {
    std::set<std::string> lost, at_risk;  // objects
    for (const Hurt& hurt : hurt_) {
      if (auto complaint = read_around(hurt, lost)) return complaint;
      if (mode == Mode::kSegmentHeaders) add_readers(hurt.stretch->file, at_risk);
    }
    const auto may_fail = [&](const std::string& name) { return lost.contains(name) || at_risk.contains(name); };
    if (auto complaint = read_everything(cell_, tally_, may_fail)) return complaint;
    return ask_fsck(mode);
  }

  void add_readers(const std::string& file, std::set<std::string>& names) const {
    for (const Stretch& stretch : stretches_) {
      if (stretch.file != file) continue;
      for (const Reader& reader : stretch.readers) names.insert(reader.object);
    }
  }

  /// Some bytes around the first changed one, through each piece of an object that has them.
  Complaint read_around(const Hurt& hurt, std::set<std::string>& lost) {
    const Stretch& stretch = *hurt.stretch;
    bool read_elsewhere = false, read_nowhere = false;
    for (const Reader& reader : stretch.readers) {
      const auto first = damages_[hurt.damage].first_changed(stretch.offset + reader.from, reader.length);
      if (!first) continue;
      const Bytes& whole = cell_.objects.at(reader.object);
      const std::uint64_t at = reader.at + (*first - stretch.offset - reader.from);
      const std::uint64_t begin = at - std::min(at - reader.at, cell_.random.below(kReachMax));
      const std::uint64_t end = std::min(reader.at + reader.length, at + 1 + cell_.random.below(kReachMax));
      const Read got = cell_.read(reader.object, store::ByteRange{begin, end - begin});
      ++tally_.reads;
      const BytesView right = BytesView(whole).subspan(begin, end - begin);
      const auto where = [&] { return fmt::format("{} bytes of {} from {}", right.size(), reader.object, begin); };
      const bool begins =
          got.bytes.size() <= right.size() && std::equal(got.bytes.begin(), got.bytes.end(), right.begin());
      if (!begins) ++tally_.wrong_reads;
      if (!begins) return "wrong bytes: " + where();
      if (!got.error && got.bytes.size() != right.size()) return "too few bytes: " + where();
      if (reader.elsewhere && got.error) {
        return fmt::format("{} are in another place too, and: {}", where(), to_string(*got.error));
      }
      (reader.elsewhere ? read_elsewhere : read_nowhere) = true;
      if (reader.elsewhere) continue;
      lost.insert(reader.object);
      if (!got.error) return "the read did not notice: " + where();
      if (auto complaint = names_what_is_lost(*got.error)) return complaint;
    }
    if (read_elsewhere && !read_nowhere) mended_[hurt.damage] = true;
    return std::nullopt;
  }

  /// Whichever of the damages the read came to.
  Complaint names_what_is_lost(const Error& error) const {
    const auto names = [&error](const Hurt& hurt) {
      const std::string& file = hurt.stretch->file;
      const bool remote = hurt.stretch->area == Area::kRemote;
      return error.message.find(remote ? file : file.substr(file.rfind('/') + 1, 16)) != std::string::npos;
    };
    if (error.code == Code::kCorrupt && std::any_of(hurt_.begin(), hurt_.end(), names)) return std::nullopt;
    return "the error names no damage: " + to_string(error);
  }

  /// Whether the damage leaves enough to heal it from.
  bool can_be_mended(const Hurt& hurt) const {
    const Stretch& stretch = *hurt.stretch;
    const auto elsewhere = [](const Stretch& of) {
      const auto is = [](const Reader& reader) { return reader.elsewhere; };
      return of.area == Area::kRemote ? std::all_of(of.readers.begin(), of.readers.end(), is)
                                      : std::any_of(of.readers.begin(), of.readers.end(), is);
    };
    // A block may be the whole header of another segment, which a repair leaves.
    if (stretch.area == Area::kSegmentHeader) return damages_[hurt.damage].how == How::kFlip;
    if (stretch.area != Area::kRunHeader) return elsewhere(stretch);
    const bool bytes_too = std::any_of(hurt_.begin(), hurt_.end(), [&](const Hurt& other) {
      return other.stretch->area == Area::kRun && other.stretch->group == stretch.group;
    });
    return !bytes_too || elsewhere(stretches_[stretch.group]);
  }

  /// fsck --repair: only what had no other copy is left, and the rest is as if nothing had been.
  Complaint mend() {
    tiering::FsckOptions options;
    options.depth = tiering::Depth::kAll;
    options.mending = tiering::Mending::kYes;
    const auto report = cell_.fsck(options);
    if (!report.ok()) return "the repair failed: " + to_string(report.error());
    std::set<std::string> lost;
    std::size_t left = 0;
    for (const Hurt& hurt : hurt_) {
      if (can_be_mended(hurt)) {
        ++tally_.mended;
        continue;
      }
      ++left;
      add_readers(hurt.stretch->file, lost);
    }
    const bool headers = !hurt_.empty() && hurt_.front().stretch->area == Area::kSegmentHeader;
    if (left != report->findings_total && !(headers && left > 0)) {
      std::string words =
          fmt::format("of {} damages {} cannot be mended, and fsck --repair leaves:", hurt_.size(), left);
      for (const tiering::Finding& finding : report->findings) words += "\n  " + finding.kind + ": " + finding.what;
      return words;
    }
    return read_everything(cell_, tally_, [&](const std::string& name) { return lost.contains(name); });
  }

  static bool fits(const tiering::Finding& finding, const Stretch& stretch) {
    const auto is = [&](std::string_view kind) { return finding.kind == kind; };
    bool kind = false;
    if (stretch.area == Area::kRun) kind = is("run-checksum");
    if (stretch.area == Area::kRunHeader) kind = is("run-header") || is("run-misplaced");
    if (stretch.area == Area::kSegmentHeader) kind = is("segment-header");
    if (stretch.area == Area::kRemote) kind = is("remote-bytes");
    return kind && finding.what.find(stretch.named) != std::string::npos;
  }

  Complaint ask_fsck(Mode mode) {
    tiering::FsckOptions options;
    options.depth = mode == Mode::kRemotes ? tiering::Depth::kAll : tiering::Depth::kBytes;
    const auto report = cell_.fsck(options);
    if (!report.ok()) return "fsck failed: " + to_string(report.error());
    ++tally_.fsck_runs;
    for (const Hurt& hurt : hurt_) {
      const bool named = std::any_of(report->findings.begin(), report->findings.end(),
                                     [&](const tiering::Finding& finding) { return fits(finding, *hurt.stretch); });
      if (!named) return "fsck does not name " + damages_[hurt.damage].words();
    }
    // Without its header a segment's runs cannot be read either, once its file is opened anew.
    if (mode == Mode::kSegmentHeaders || report->findings_total == hurt_.size()) return std::nullopt;
    std::string words = fmt::format("{} stretches are damaged, and fsck says:", hurt_.size());
    for (const tiering::Finding& finding : report->findings) words += "\n  " + finding.kind + ": " + finding.what;
    return words;
  }

  RotCell& cell_;
  Quota left_;
  Tally& tally_;
  std::vector<Stretch> stretches_;
  std::vector<Damage> damages_;
  std::vector<Hurt> hurt_;
  std::vector<bool> mended_;  // of each damage: read well from elsewhere
};

}  // namespace

Complaint read_everything(RotCell& cell, Tally& tally, const std::function<bool(const std::string&)>& may_fail) {
  for (const auto& [name, right] : cell.objects) {
    const Read got = cell.read(name);
    ++tally.reads;
    const bool begins =
        got.bytes.size() <= right.size() && std::equal(got.bytes.begin(), got.bytes.end(), right.begin());
    if (!begins) ++tally.wrong_reads;
    if (!begins) return "wrong bytes of " + name;
    if (!got.error && got.bytes.size() != right.size()) return "too few bytes of " + name;
    if (got.error && (!may_fail(name) || got.error->code != Code::kCorrupt)) {
      return fmt::format("{} cannot be read: {}", name, to_string(*got.error));
    }
  }
  const auto names = cell.list();
  if (!names.ok() && (!may_fail("") || names.error().code != Code::kCorrupt)) {
    return "it cannot be listed: " + to_string(names.error());
  }
  if (!names.ok()) return std::nullopt;
  const bool complete = std::equal(names->begin(), names->end(), cell.objects.begin(), cell.objects.end(),
                                   [](const std::string& name, const auto& object) { return name == object.first; });
  if (!complete) return "a listing is not complete, and no error";
  return std::nullopt;
}

Complaint rot_in_use(RotCell& cell, const Quota& quota, Tally& tally) {
  return Rounds(cell, quota, tally).run();
}

}  // namespace tombolo::testing::rot
