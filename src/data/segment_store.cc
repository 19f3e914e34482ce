#include "data/segment_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "base/assert.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "base/server_fault.h"
#include "data/segment_store_state.h"

namespace tombolo::data {

namespace asio = boost::asio;

SegmentStore::SegmentStore(kv::Engine& engine, disk::Disk& disk, Random& random, Clock& clock,
                           SegmentStoreConfig config)
    : state_(std::make_unique<State>(engine, disk, random, clock, config)) {}

SegmentStore::~SegmentStore() = default;

Task<void> SegmentStore::close() {
  CO_TRY(state_->scope.join());
  co_return co_await state_->scope.close();
}

bool SegmentStore::spawn(const Executor& executor, Task<void> task) {
  return state_->scope.spawn(executor, std::move(task));
}

std::shared_ptr<Segment> SegmentStore::State::find(SegmentId id) {
  const std::lock_guard lock(mutex);
  const auto found = segments.find(id);
  return found == segments.end() ? nullptr : found->second;
}

// --- runs

Task<std::unique_ptr<RunWriter>> SegmentStore::begin_run(BeginRun run) {
  constexpr int kTriesMax = 100;  // a new segment may be full again before this caller gets a place
  ASSERT(run.length_max > 0 && run.length_max <= kRunBytesMax);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    CO_CHECK_ASSIGN(auto writer, state_->allocate(*this, run));
    if (writer) co_return std::move(writer);
    auto opened = co_await state_->wait_for_open(run.purpose);
    if (!opened.ok()) co_return server_fault(std::move(opened).error());
  }
  co_return Error{Code::kBusy, "segments fill up faster than this write gets a place; try again later"};
}

namespace {

/// How long a file is made at a time: each change of its length has to be synced with what follows.
constexpr std::uint64_t kExtendBytes = 4 * kMiB;

/// The length that the file of a segment should now get, 0 when it has it already. Requires the segment's mutex.
std::uint64_t extend_to(Segment& segment) {
  if (segment.tail <= segment.extended) return 0;
  const std::uint64_t step = (segment.tail + kExtendBytes - 1) / kExtendBytes * kExtendBytes;
  segment.extended = std::max(segment.tail, std::min(step, segment.size_max));
  return segment.extended;
}

}  // namespace

Result<std::unique_ptr<RunWriter>> SegmentStore::State::allocate(SegmentStore& store, const BeginRun& run) {
  std::shared_ptr<Segment> full;
  std::unique_ptr<RunWriter> writer;
  {
    const std::lock_guard lock(mutex);
    if (writers >= config.writers_max) return Error{Code::kBusy, "too many writes at once; try again later"};
    const std::shared_ptr<Segment>& current = stream(run.purpose).current;
    if (!current) return std::unique_ptr<RunWriter>();
    const std::lock_guard segment_lock(current->mutex);
    RunWriter::Place place{.segment = current,
                           .file = current->file,
                           .tenant = run.tenant,
                           .gen = run.gen,
                           .gen_offset = run.gen_offset,
                           .length_max = run.length_max,
                           .start = current->tail};
    current->tail += occupied_bytes(header_offset(place.start, run.length_max), run.length_max);
    place.extend_to = extend_to(*current);
    ++current->active_writers;
    ++writers;
    if (current->tail >= current->size_max) full = current;
    writer = std::make_unique<RunWriter>(store, SegmentPin(current, PinKind::kWriter), std::move(place));
  }
  if (full) retire(full);
  return writer;
}

void SegmentStore::State::writer_gone(const std::shared_ptr<Segment>& segment, std::uint64_t start,
                                      std::uint64_t length_max, std::uint64_t used) {
  {
    const std::lock_guard lock(mutex);
    const std::lock_guard segment_lock(segment->mutex);
    ASSERT(writers > 0 && segment->active_writers > 0);
    --writers;
    --segment->active_writers;
    const std::uint64_t reserved_end = start + occupied_bytes(header_offset(start, length_max), length_max);
    if (segment->tail == reserved_end) segment->tail = start + used;  // the last place gives back what it did not use
  }
  seal_when_idle(segment);
}

// --- syncs

namespace {

Error fenced_error(const Segment& segment) {
  return Error{Code::kUnavailable, segment.name() + " is fenced: a sync of it failed, so its last bytes are lost"};
}

/// Ends a sync loop however it is left, so that nobody waits for a leader that is gone.
class SyncLeadership {
 public:
  explicit SyncLeadership(Segment& segment) : segment_(segment) {}
  SyncLeadership(const SyncLeadership&) = delete;
  ~SyncLeadership() {
    if (resigned_) return;
    std::vector<OneShot<void>> late;
    {
      const std::lock_guard lock(segment_.mutex);
      segment_.syncing = false;
      late.swap(segment_.sync_waiters);
    }
    const Error given_up{Code::kCancelled, "the sync was given up"};
    for (const auto& waiter : batch_) waiter.set(given_up);
    for (const auto& waiter : late) waiter.set(given_up);
  }
  /// Takes the callers to serve next. False: nobody waits, and the leadership is over.
  bool take() {
    const std::lock_guard lock(segment_.mutex);
    batch_.swap(segment_.sync_waiters);
    if (!batch_.empty()) return true;
    segment_.syncing = false;
    resigned_ = true;
    return false;
  }
  std::size_t serve(const Result<void>& result) {
    const auto served = std::exchange(batch_, {});
    for (const auto& waiter : served) waiter.set(result);
    return served.size();
  }

 private:
  Segment& segment_;
  std::vector<OneShot<void>> batch_;
  bool resigned_ = false;
};

}  // namespace

Task<void> SegmentStore::sync(std::vector<SegmentId> segments) {
  const auto executor = co_await asio::this_coro::executor;
  std::sort(segments.begin(), segments.end());
  segments.erase(std::unique(segments.begin(), segments.end()), segments.end());
  std::vector<OneShot<void>> waits;
  for (const SegmentId id : segments) {
    const auto segment = state_->find(id);
    if (!segment) co_return Error{Code::kNotFound, "a segment to sync is gone; it was not pinned"};
    bool lead = false;
    {
      const std::lock_guard lock(segment->mutex);
      if (segment->fenced) co_return fenced_error(*segment);
      waits.emplace_back();
      segment->sync_waiters.push_back(waits.back());
      lead = !std::exchange(segment->syncing, true);
    }
    if (!lead) continue;
    // In the scope, not here: a caller that is cancelled must not take the others' sync along.
    if (!state_->scope.spawn(executor, state_->sync_loop(segment))) SyncLeadership{*segment};
  }
  for (const auto& wait : waits) {
    auto synced = co_await wait.wait();
    if (!synced.ok()) co_return server_fault(std::move(synced).error());
  }
  co_return Result<void>{};
}

Task<void> SegmentStore::State::sync_loop(std::shared_ptr<Segment> segment) {
  SyncLeadership leadership(*segment);
  while (leadership.take()) {
    std::shared_ptr<disk::File> file;
    Result<void> result;
    {
      const std::lock_guard lock(segment->mutex);
      file = segment->file;
      if (segment->fenced)
        result = fenced_error(*segment);
      else if (!file)
        result = Error{Code::kNotFound, segment->name() + " is to be synced and was not pinned"};
    }
    if (result.ok()) {
      ++syncs_issued;
      if (!planted(PlantedBug::skip_run_sync)) result = co_await file->sync();
      // A full work queue is no verdict on the file: the same bytes may be synced later.
      if (!result.ok() && result.error().code != Code::kBusy) {
        fence(segment, result.error());
      }
    }
    syncs_served += leadership.serve(result);
  }
  co_return Result<void>{};
}

SegmentStore::SyncCounts SegmentStore::sync_counts() const {
  return {.issued = state_->syncs_issued, .served = state_->syncs_served};
}

// --- reads

Result<SegmentPin> SegmentStore::pin(SegmentId id) {
  const auto segment = state_->find(id);
  if (segment) {
    const std::lock_guard lock(segment->mutex);
    if (segment->life == Life::kOpen || segment->life == Life::kRetired) return SegmentPin(segment, PinKind::kReader);
  }
  return Error{Code::kNotFound, "the segment is gone; what was in it has moved or died"};
}

namespace {

/// What the device does not give back is as good as damaged: whoever has another copy of it should turn to that one,
/// and whoever looks for damage has found some. Other errors are no verdict on the bytes and stay what they are.
Error about_bytes(const Segment& segment, std::uint64_t offset, Error error) {
  if (error.code == Code::kOutOfRange) return {Code::kCorrupt, segment.name() + " ends before what it should hold"};
  if (error.code != Code::kUnavailable) return server_fault(std::move(error));
  return {Code::kCorrupt, fmt::format("{} cannot be read at {}: {}", segment.name(), offset, error.message),
          kUnreadable};
}

}  // namespace

Task<void> SegmentStore::read(const SegmentPin& pin, std::uint64_t offset, MutableBytes out) {
  const auto segment = pin.shared();
  CO_TRY_ASSIGN(const auto file, state_->file_of(segment));
  auto result = co_await file->read(offset, out);
  if (!result.ok()) co_return about_bytes(*segment, offset, std::move(result).error());
  co_return result;
}

Task<SegmentScan> SegmentStore::scan(const SegmentPin& pin, ScanDepth depth, StopAsked stop_asked) {
  const auto segment = pin.shared();
  CO_TRY_ASSIGN(const auto file, state_->file_of(segment));
  auto scan = co_await scan_segment(*file, depth, std::move(stop_asked));
  if (!scan.ok()) co_return about_bytes(*segment, 0, std::move(scan).error());
  co_return scan;
}

disk::Disk& SegmentStore::disk() {
  return state_->disk;
}

Task<std::shared_ptr<disk::File>> SegmentStore::State::file_of(std::shared_ptr<Segment> segment) {
  {
    const std::lock_guard lock(segment->mutex);
    if (segment->file) co_return segment->file;
  }
  auto opened = co_await disk.open(segment_path(segment->id), disk::Open::kRead);
  if (!opened.ok() && opened.error().code == Code::kNotFound) {
    co_return Error{Code::kCorrupt, segment->name() + ": its file is missing"};
  }
  if (!opened.ok()) co_return about_bytes(*segment, 0, std::move(opened).error());
  std::shared_ptr<disk::File> file = *std::move(opened);
  SegmentHeaderBytes raw;
  const auto read = co_await file->read(0, raw);
  if (!read.ok() && read.error().code != Code::kOutOfRange) co_return about_bytes(*segment, 0, read.error());
  const auto header = read.ok() ? decode_segment_header(raw) : Result<SegmentHeader>(read.error());
  if (!header.ok() || header->segment != segment->id || header->incarnation != segment->incarnation) {
    co_return Error{Code::kCorrupt, segment->name() + ": its file does not begin with its header"};
  }
  const std::lock_guard lock(segment->mutex);
  ASSERT(segment->pins > 0);  // else nobody would close it
  if (!segment->file) segment->file = std::move(file);
  co_return segment->file;
}

}  // namespace tombolo::data
