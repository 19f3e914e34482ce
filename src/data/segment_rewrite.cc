// A segment's file written anew: whole after a sync of it has failed, its header where fsck repairs it.
#include <algorithm>

#include "base/log.h"
#include "base/planted_bugs.h"
#include "data/segment_store_state.h"

namespace tombolo::data {

namespace {

constexpr std::size_t kStep = kMiB;
// A fault that passes is over after a few tries. What fails then fails for long, and each try writes a whole segment to
// a disk that is failing.
constexpr std::uint32_t kQuickTries = 3;
constexpr Duration kPauseFirst = std::chrono::seconds(1);  // doubled with each failure
constexpr Duration kPauseMax = std::chrono::hours(1);

/// Requires the segment's mutex.
void put_off(Segment& segment, const Error& why, SteadyTime now) {
  if (why.code == Code::kNoSpace || why.code == Code::kBusy) return;  // nothing was written, and they pass
  const std::uint32_t failed = ++segment.rescues_failed;
  if (failed < kQuickTries) return;
  segment.rescue_at = now + std::min(kPauseMax, kPauseFirst * (1u << std::min(failed - kQuickTries, 16u)));
}

Task<void> copy(std::shared_ptr<disk::File> from, std::shared_ptr<disk::File> to, std::uint64_t size) {
  CO_TRY(to->reserve(size));
  Bytes buffer(std::min<std::uint64_t>(size, kStep));
  for (std::uint64_t at = 0; at < size; at += kStep) {
    const auto part = MutableBytes(buffer).first(std::min<std::uint64_t>(size - at, kStep));
    CO_TRY(from->read(at, part));
    CO_TRY(to->write(at, part));
  }
  co_return co_await to->sync();
}

}  // namespace

/// Names and places stay: what is read comes from the page cache as before, and from the new file once it is there.
Task<std::shared_ptr<disk::File>> SegmentStore::State::write_anew(SegmentId id, std::shared_ptr<disk::File> file) {
  const std::string path = segment_path(id);
  const std::string unfinished = path + std::string(kUnfinishedSuffix);
  CO_TRY_ASSIGN(const std::uint64_t size, file->size());
  const auto left_over = co_await disk.remove(unfinished);
  if (!left_over.ok() && left_over.error().code != Code::kNotFound) co_return left_over.error();
  CO_TRY_ASSIGN(std::shared_ptr<disk::File> made, disk.open(unfinished, disk::Open::kCreateNew));
  const auto copied = co_await copy(std::move(file), made, size);
  if (!copied.ok()) {
    (void)co_await disk.remove(unfinished);  // the next start removes it else
    co_return copied.error();
  }
  CO_TRY(disk.rename(unfinished, path));
  CO_TRY(disk.sync_directory(std::string(kSegmentsDirectory)));
  co_return made;
}

void SegmentStore::State::fence(const std::shared_ptr<Segment>& segment, const Error& why) {
  log(LogLevel::kError, "data", "{}: {}; new runs go to another segment", segment->name(), why.message);
  {
    const std::lock_guard lock(segment->mutex);
    segment->fenced = segment->suspect = true;
  }
  retire(segment);
  (void)scope.spawn(*executor, rescue(segment));  // reap() tries again, and so does the next start
}

Task<void> SegmentStore::State::rescue(std::shared_ptr<Segment> segment) {
  CO_TRY_ASSIGN(const auto turn, reaping.lock());  // else a file that goes would come back
  SegmentPin pin;
  {
    const std::lock_guard lock(segment->mutex);
    if (!segment->suspect) co_return Result<void>{};
    const bool goes = segment->life == Life::kReleased || segment->life == Life::kGone;
    if (goes || planted(PlantedBug::trust_segment_file)) {
      segment->suspect = false;
      co_return Result<void>{};
    }
    pin = SegmentPin(segment, PinKind::kReader);
  }
  CO_TRY_ASSIGN(auto file, file_of(segment));
  auto made = co_await write_anew(segment->id, std::move(file));
  if (!made.ok()) {
    log(LogLevel::kError, "data", "{} could not be written anew: {}; losing power may lose bytes of it",
        segment->name(), made.error().message);
    const std::lock_guard lock(segment->mutex);
    put_off(*segment, made.error(), clock.steady());
    co_return made.error();
  }
  log(LogLevel::kWarn, "data", "{} was written anew", segment->name());
  const std::lock_guard lock(segment->mutex);
  segment->suspect = false;
  segment->file = *std::move(made);
  co_return Result<void>{};
}

Task<void> SegmentStore::State::rescue_found(std::shared_ptr<Segment> segment, std::shared_ptr<disk::File> file) {
  SegmentPin pin;
  {
    const std::lock_guard lock(segment->mutex);
    pin = SegmentPin(segment, PinKind::kReader);
    segment->suspect = true;
    segment->file = std::move(file);
  }
  // Where that fails the file stays as it is, and unsynced: what was acknowledged of it is perhaps in the page cache
  // alone, and a sync that fails may take it away.
  (void)co_await rescue(segment);
  co_return Result<void>{};
}

Task<void> SegmentStore::State::rescue_all() {
  std::vector<std::shared_ptr<Segment>> suspects;
  {
    const SteadyTime now = clock.steady();
    const std::lock_guard lock(mutex);
    for (const auto& [id, segment] : segments) {
      const std::lock_guard segment_lock(segment->mutex);
      if (segment->suspect && now >= segment->rescue_at) suspects.push_back(segment);
    }
  }
  for (const auto& segment : suspects) {
    const auto rescued = co_await rescue(segment);
    if (!rescued.ok()) continue;  // the next call tries again
    CO_TRY(seal_row(segment));    // which a start had to leave open
  }
  co_return Result<void>{};
}

std::uint32_t SegmentStore::suspects() const {
  std::uint32_t count = 0;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [id, segment] : state_->segments) {
    const std::lock_guard segment_lock(segment->mutex);
    count += segment->suspect ? 1 : 0;
  }
  return count;
}

Task<bool> SegmentStore::rewrite_header(SegmentId id) {
  const auto segment = state_->find(id);
  if (!segment) co_return false;
  auto opened = co_await state_->disk.open(segment_path(id), disk::Open::kReadWrite);
  if (!opened.ok() && opened.error().code == Code::kNotFound) co_return false;
  if (!opened.ok()) co_return opened.error();
  const std::unique_ptr<disk::File> file = *std::move(opened);
  SegmentHeaderBytes raw;
  const auto read = co_await file->read(0, raw);
  if (!read.ok() && read.error().code == Code::kOutOfRange) co_return false;
  // Disks replace a sector that they cannot read once it is written.
  const bool unreadable = !read.ok() && read.error().code == Code::kUnavailable;
  if (!unreadable) {
    CO_CHECK(read);
    const auto there = decode_segment_header(raw);
    if (there.ok() || there.error().code != Code::kCorrupt) co_return false;
  }
  const SegmentHeader header{.segment = id, .incarnation = segment->incarnation, .cell = state_->config.cell};
  const SegmentHeaderBytes encoded = encode(header);
  CO_TRY(file->write(0, encoded));
  CO_TRY(file->sync());
  co_return true;
}

}  // namespace tombolo::data
