#include "store/gen_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/crc64.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "data/block_cache.h"
#include "data/run_reader.h"
#include "store/services.h"

namespace tombolo::store {
namespace {

constexpr std::uint32_t kWindowPieces = 64;  // with their checksums up to 256 KiB
constexpr int kFailuresMax = 8;              // places may move while they are read, not for ever

bool same(const meta::LocalPlace& a, const meta::LocalPlace& b) {
  return a.segment == b.segment && a.offset == b.offset;
}
bool same(const meta::NativePlace& a, const meta::NativePlace& b) {
  return a.remote == b.remote && a.key == b.key && a.etag == b.etag && a.version_id == b.version_id;
}

Block inline_block(std::string bytes, std::uint64_t skip, std::uint64_t length) {
  const auto owned = std::make_shared<const std::string>(std::move(bytes));
  return {owned, as_bytes(*owned).subspan(skip, length)};
}

/// Adds the granules of `run` that overlap [skip, skip + length) of it.
void add_granules(std::vector<NativeGranule>& to, const meta::Run& run, std::uint64_t skip, std::uint64_t length) {
  for (std::uint64_t n = skip / meta::kGranuleBytes; n * meta::kGranuleBytes < skip + length; ++n) {
    const std::uint64_t begin = n * meta::kGranuleBytes;
    const std::uint64_t end = std::min(begin + meta::kGranuleBytes, run.length);
    to.push_back({run.gen, run.offset + begin, static_cast<std::uint32_t>(end - begin), run.granule_crcs[n]});
  }
}

Result<void> check_run(const meta::Run& run, const meta::ReadPiece& piece) {
  const std::uint64_t granules = (run.length + meta::kGranuleBytes - 1) / meta::kGranuleBytes;
  if (piece.skip + piece.length <= run.length && run.granule_crcs.size() == granules) return {};
  return Error{Code::kCorrupt,
               fmt::format("gen {}, run at {}: the row does not fit its own length", run.gen.value, run.offset)};
}

}  // namespace

GenSource::GenSource(Services& services, OpenGen what, GenPins::Handle pin)
    : services_(services),
      what_(std::move(what)),
      admit_(what_.caching != Caching::kNone && what_.length <= services.limits.admit_bytes_max),
      admit_cold_(admit_ || what_.caching == Caching::kReadTwice),
      pin_(std::move(pin)),
      at_(what_.offset),
      end_(what_.offset + what_.length) {}

GenSource::~GenSource() = default;

Task<std::unique_ptr<GenSource>> GenSource::open(Services& services, OpenGen what) {
  std::optional<GenPins::Handle> pin = services.pins.pin(what.tenant, what.gen);
  if (!pin) co_return Error{Code::kBusy, "garbage collection looks at the gen; try again", "GenGone"};
  std::unique_ptr<GenSource> source(new GenSource(services, std::move(what), *std::move(pin)));
  CO_TRY(source->plan());
  co_return source;
}

Task<void> GenSource::prime() {
  if (primed_) co_return Result<void>{};
  CO_TRY_ASSIGN(primed_, next());
  co_return Result<void>{};
}

Task<void> GenSource::rewind() {
  at_ = what_.offset;
  primed_.reset();
  source_.reset();
  window_ = {};
  piece_ = 0;
  failures_ = 0;
  return prime();
}

Task<Block> GenSource::next() {
  if (primed_) {
    const Block block = *std::move(primed_);
    primed_.reset();
    co_return block;
  }
  while (at_ != end_) {
    Result<Block> block = co_await step();
    if (!block.ok()) {
      CO_TRY(recover(std::move(block).error()));
      continue;
    }
    if (block->empty()) continue;
    at_ += block->size();
    failures_ = 0;
    co_return block;
  }
  co_return Block();
}

/// A block from at_ on; empty when something was got ready instead.
Task<Block> GenSource::step() {
  if (source_ != nullptr) {
    CO_TRY_ASSIGN(Block block, source_->next());
    if (block.empty()) co_return Error{Code::kCorrupt, "a run ended early"};
    block = cut(std::move(block));
    if (at_ + block.size() == source_end_) source_.reset();
    co_return block;
  }
  meta::ReadPiece* const current = current_piece();
  if (current == nullptr) {
    CO_TRY(plan());
    co_return Block();
  }
  meta::ReadPiece& piece = *current;
  if (!piece.run) {
    const BytesView all = as_bytes(piece.inline_bytes);
    if (crc64(all) != piece.inline_crc64) {
      co_return Error{Code::kCorrupt, fmt::format("gen {}: the inline bytes from its byte {} on do not verify",
                                                  what_.gen.value, piece.offset)};
    }
    const bool own = window_.gen.shape == meta::GenShape::kInline;
    if (own && admit_) services_.cache.insert({.tenant = what_.tenant, .gen = what_.gen}, all);
    const std::uint64_t done = at_ - piece.offset;
    co_return inline_block(std::move(piece.inline_bytes), piece.skip + done, piece.length - done);
  }
  if (admit_cold_) {
    if (std::optional<Block> cached = find_cached(piece)) co_return *std::move(cached);
  }
  CO_CHECK(open_piece());
  co_return Block();
}

std::optional<Block> GenSource::next_at_hand() {
  if (primed_) return std::exchange(primed_, std::nullopt);
  if (!admit_cold_ || source_ != nullptr || at_ == end_) return std::nullopt;
  const meta::ReadPiece* const piece = current_piece();
  if (piece == nullptr || !piece->run) return std::nullopt;
  std::optional<Block> cached = find_cached(*piece);
  if (cached) at_ += cached->size();
  return cached;
}

/// The piece that holds at_; nullptr behind the window.
meta::ReadPiece* GenSource::current_piece() {
  while (piece_ < window_.pieces.size() && window_.pieces[piece_].offset + window_.pieces[piece_].length <= at_) {
    ++piece_;
  }
  return piece_ == window_.pieces.size() ? nullptr : &window_.pieces[piece_];
}

/// What a source gives, without the bytes before at_ and behind its end.
Block GenSource::cut(Block block) {
  const std::size_t before = std::min<std::uint64_t>(source_skip_, block.size());
  source_skip_ -= before;
  const std::size_t length = std::min<std::uint64_t>(block.size() - before, source_end_ - at_);
  return block.slice(before, length);
}

Task<void> GenSource::plan() {
  meta::ReadRange range;
  range.offset = at_;
  range.length = end_ - at_;
  range.pieces_max = kWindowPieces;
  CO_TRY_ASSIGN(std::optional<meta::ReadPlan> found, meta::plan_read(services_.cell, what_.tenant, what_.gen, range));
  if (!found) co_return Error{Code::kNotFound, "the gen is gone", "GenGone"};
  if (at_ != end_ && (found->pieces.empty() || found->pieces.front().offset > at_)) {
    co_return Error{Code::kCorrupt, fmt::format("gen {}: nothing says where byte {} is", what_.gen.value, at_)};
  }
  window_ = *std::move(found);
  piece_ = 0;
  co_return Result<void>{};
}

const meta::NativePlace* GenSource::native() const {
  if (what_.read_back) return &*what_.read_back;
  return window_.gen.native ? &*window_.gen.native : nullptr;
}

std::optional<Block> GenSource::find_cached(const meta::ReadPiece& piece) const {
  if (what_.read_back) return std::nullopt;
  const std::uint64_t in_run = piece.skip + (at_ - piece.offset);
  const std::uint64_t granule = in_run / meta::kGranuleBytes * meta::kGranuleBytes;
  data::GranuleKey key;
  key.tenant = what_.tenant;
  key.gen = piece.run->gen;
  key.gen_offset = piece.run->offset + granule;
  const std::optional<Block> cached = services_.cache.find(key);
  if (!cached || in_run - granule >= cached->size()) return std::nullopt;
  const std::uint64_t length =
      std::min<std::uint64_t>(cached->size() - (in_run - granule), piece.offset + piece.length - at_);
  return cached->slice(in_run - granule, length);
}

Result<void> GenSource::open_piece() {
  const meta::ReadPiece& piece = window_.pieces[piece_];
  reading_local_.reset();
  TRY(check_run(*piece.run, piece));
  const bool avoided = piece.run->local && avoid_ && same(*piece.run->local, *avoid_);
  if (piece.run->local && !avoided && !what_.read_back) {
    const std::uint64_t done = at_ - piece.offset;
    return open_local(piece, piece.skip + done, piece.length - done);
  }
  if (what_.places == Places::kLocalOnly && !what_.read_back) {
    return Error{Code::kUnavailable, fmt::format("gen {}: byte {} is not on flash", what_.gen.value, at_), "NotLocal"};
  }
  if (const meta::NativePlace* place = native()) return open_native(*place);
  return Error{Code::kCorrupt, fmt::format("gen {}: byte {} is in no place", what_.gen.value, at_)};
}

Result<void> GenSource::open_local(const meta::ReadPiece& piece, std::uint64_t skip, std::uint64_t length) {
  reading_local_ = piece.run->local;
  data::RunToRead run;
  run.tenant = what_.tenant;
  run.gen = piece.run->gen;
  run.gen_offset = piece.run->offset;
  run.length = piece.run->length;
  run.granule_crcs = piece.run->granule_crcs;
  run.segment = piece.run->local->segment;
  run.offset = piece.run->local->offset;
  data::RunRange range;
  range.offset = skip;
  range.length = length;
  range.admission = admit_ ? data::Admission::kAdmit : data::Admission::kBypass;
  TRY_ASSIGN(source_, data::RunReader::open(services_.segments, services_.cache, std::move(run), range));
  source_skip_ = 0;
  source_end_ = at_ + length;
  return {};
}

/// One stretch over as many pieces as lie back to back in the native place.
Result<void> GenSource::open_native(const meta::NativePlace& place) {
  reading_local_.reset();
  reading_native_ = place;
  NativeStretch stretch;
  stretch.place = place;
  std::uint64_t stretch_end = 0;  // in the native object
  std::uint64_t wanted_end = at_;
  for (std::size_t n = piece_; n < window_.pieces.size(); ++n) {
    const meta::ReadPiece& piece = window_.pieces[n];
    if (!piece.run || piece.skip > piece.offset) break;
    if (n != piece_ && piece.run->local && !what_.read_back) break;
    TRY(check_run(*piece.run, piece));
    const std::uint64_t run_begin = piece.offset - piece.skip;
    const std::uint64_t done = std::max(at_, piece.offset) - piece.offset;
    const std::uint64_t skip = piece.skip + done;
    const std::uint64_t begin = run_begin + skip / meta::kGranuleBytes * meta::kGranuleBytes;
    const std::uint64_t granules = (piece.skip + piece.length + meta::kGranuleBytes - 1) / meta::kGranuleBytes;
    const std::uint64_t end = run_begin + std::min(piece.run->length, granules * meta::kGranuleBytes);
    if (n == piece_) {
      stretch.offset = begin;
      source_skip_ = piece.offset + done - begin;
    } else if (begin != stretch_end || end - stretch.offset > services_.limits.cold_get_bytes_max) {
      break;
    }
    add_granules(stretch.granules, *piece.run, skip, piece.length - done);
    stretch_end = end;
    wanted_end = piece.offset + piece.length;
  }
  if (stretch.granules.empty()) {
    return Error{Code::kCorrupt, fmt::format("gen {}: byte {} has no native place", what_.gen.value, at_)};
  }
  TRY_ASSIGN(std::shared_ptr<remote::Remote> remote, services_.remotes.find(place.remote));
  GranuleHook admit;
  if (admit_cold_ && !what_.read_back) {
    admit = [cache = &services_.cache, tenant = what_.tenant](const NativeGranule& granule, BytesView bytes) {
      cache->insert({tenant, granule.gen, granule.gen_offset}, bytes);
    };
  }
  source_ = std::make_unique<NativeReader>(std::move(remote), std::move(stretch), std::move(admit));
  source_end_ = wanted_end;
  return {};
}

namespace {

/// As on_local_damage tells it. Empty: the error says nothing of the bytes.
std::string_view damage_of(const Error& error) {
  if (error.code == Code::kNotFound) return "missing";
  if (error.code != Code::kCorrupt) return {};
  return error.detail == data::kUnreadable ? "unreadable" : "corrupt";
}

}  // namespace

/// The place that failed may be one that the bytes have left: plan anew from at_, and see whether it still is theirs.
Task<void> GenSource::recover(Error failed) {
  const bool from_remote = source_ != nullptr && !reading_local_;
  if (from_remote && failed.code == Code::kCorrupt && services_.on_remote_rot) {
    services_.on_remote_rot(reading_native_.remote);
  }
  source_.reset();
  if (failed.code == Code::kCancelled || failed.detail == "NotLocal" || ++failures_ > kFailuresMax) co_return failed;
  if (piece_ == window_.pieces.size() || !window_.pieces[piece_].run) co_return failed;
  CO_TRY(plan());
  const meta::ReadPiece& piece = window_.pieces.front();
  if (!piece.run) co_return failed;
  if (!reading_local_) {
    const meta::NativePlace* place = native();
    const bool came_back = piece.run->local && !what_.read_back && !(avoid_ && same(*piece.run->local, *avoid_));
    if (came_back || (place != nullptr && !same(*place, reading_native_))) co_return Result<void>{};
    co_return failed;
  }
  if (!piece.run->local || !same(*piece.run->local, *reading_local_)) {
    if (planted(PlantedBug::evict_under_reader)) co_return failed;
    co_return Result<void>{};
  }
  if (const auto damage = damage_of(failed); !damage.empty() && services_.on_local_damage) {
    services_.on_local_damage(damage);
  }
  // The row still names a segment that is no more: a damage, and nothing that a client could have named wrongly.
  if (failed.code == Code::kNotFound) failed.code = Code::kCorrupt;
  if (native() == nullptr || what_.places == Places::kLocalOnly) co_return failed;
  log(LogLevel::kError, "store", "gen {}: {}; reading its native place instead", what_.gen.value, to_string(failed));
  avoid_ = reading_local_;
  co_return Result<void>{};
}

namespace {

class LateSource final : public ByteSource {
 public:
  LateSource(Services& services, OpenGen what) : services_(services), what_(std::move(what)) {}
  Task<Block> next() override {
    if (source_ == nullptr) {
      CO_TRY_ASSIGN(source_, GenSource::open(services_, what_));
    }
    co_return co_await source_->next();
  }

 private:
  Services& services_;
  const OpenGen what_;
  std::unique_ptr<GenSource> source_;
};

}  // namespace

std::unique_ptr<ByteSource> gen_source_later(Services& services, OpenGen what) {
  return std::make_unique<LateSource>(services, std::move(what));
}

}  // namespace tombolo::store
