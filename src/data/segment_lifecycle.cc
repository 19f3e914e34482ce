// Which segments there are: found at the start, made, retired, sealed.
#include <fmt/format.h>

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "base/endian.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "data/segment_store_state.h"
#include "kv/run.h"

namespace tombolo::data {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t kIdsMax = std::uint64_t{1} << 63;  // no cell gets there: such a name is not its own

Task<void> take_id(kv::Transaction& txn, kv::Purpose purpose, std::uint64_t incarnation, SegmentId& out) {
  txn.set_purpose(purpose);
  CO_TRY_ASSIGN(const auto next, txn.get(segment_next_key()));
  if (next && next->size() != 8) co_return Error{Code::kCorrupt, "the row of the next segment id does not decode"};
  out = {next ? load_le<std::uint64_t>(next->data()) : 1};
  std::string after(8, '\0');
  store_le(after.data(), out.value + 1);
  txn.put(segment_next_key(), std::move(after));
  const SegmentRow row{.state = SegmentState::kOpen, .incarnation = incarnation};
  txn.put(segment_key(out), encode(row));
  co_return Result<void>{};
}

/// The next id is behind `last`.
Task<void> skip_ids(kv::Transaction& txn, SegmentId last) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto next, txn.get(segment_next_key()));
  if (next && next->size() == 8 && load_le<std::uint64_t>(next->data()) > last.value) co_return Result<void>{};
  log(LogLevel::kWarn, "data", "segment {:016x} is there and newer than the index: new ones follow it", last.value);
  std::string after(8, '\0');
  store_le(after.data(), last.value + 1);
  txn.put(segment_next_key(), std::move(after));
  co_return Result<void>{};
}

Task<void> put_sealed(kv::Transaction& txn, SegmentId id, std::uint64_t file_bytes) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto value, txn.get(segment_key(id)));
  if (!value) co_return Result<void>{};
  CO_CHECK_ASSIGN(SegmentRow row, decode_segment_row(*value));
  if (row.state != SegmentState::kOpen) co_return Result<void>{};
  row.state = SegmentState::kSealed;
  row.file_bytes = file_bytes;
  txn.put(segment_key(id), encode(row));
  co_return Result<void>{};
}

/// Tells those who wait for a segment, however the opening ends.
class OpenPromise {
 public:
  OpenPromise(std::mutex& mutex, bool& opening, std::vector<OneShot<void>>& waiters)
      : mutex_(mutex), opening_(opening), waiters_(waiters) {}
  OpenPromise(const OpenPromise&) = delete;
  ~OpenPromise() {
    std::vector<OneShot<void>> told;
    {
      const std::lock_guard lock(mutex_);
      opening_ = false;
      told.swap(waiters_);
    }
    for (const auto& waiter : told) waiter.set(result);
  }
  Result<void> result = Error{Code::kCancelled, "the store is closing"};

 private:
  std::mutex& mutex_;
  bool& opening_;
  std::vector<OneShot<void>>& waiters_;
};

}  // namespace

// --- start

Task<void> SegmentStore::open() {
  state_->executor = co_await asio::this_coro::executor;
  CO_TRY(state_->disk.make_directory(std::string(kSegmentsDirectory)));
  CO_TRY(state_->disk.sync_directory(""));
  CO_TRY_ASSIGN(const auto entries, state_->disk.list(std::string(kSegmentsDirectory)));
  SegmentId newest;
  for (const disk::Entry& entry : entries) {
    if (entry.name.ends_with(kUnfinishedSuffix)) {
      CO_TRY(state_->disk.remove(fmt::format("{}/{}", kSegmentsDirectory, entry.name)));
    } else if (const auto id = segment_of_name(entry.name); id.ok()) {
      if (id->value < kIdsMax) newest = std::max(newest, *id);  // fsck tells of the others
    }
  }
  if (newest) {  // an index that was restored from a copy may not know of it, and must not take its name
    auto body = [newest](kv::Transaction& txn) { return skip_ids(txn, newest); };
    CO_TRY(kv::run(state_->engine, state_->random, std::move(body)));
  }
  std::vector<SegmentInfo> rows;
  {
    const auto snapshot = state_->engine.snapshot();
    CO_TRY_ASSIGN(rows, read_segments(*snapshot));
  }
  for (const SegmentInfo& info : rows) {
    auto segment = std::make_shared<Segment>(info.segment, info.row.incarnation, state_->idle);
    segment->tail = info.row.file_bytes;
    segment->sealed = true;
    if (info.row.state == SegmentState::kFreeing) {
      segment->life = Life::kReleased;
      segment->freed_at = state_->engine.committed().value;
    }
    {
      const std::lock_guard lock(state_->mutex);
      state_->segments.emplace(info.segment, std::move(segment));
    }
    if (info.row.state == SegmentState::kOpen) {
      CO_TRY(state_->recover(info));
    }
  }
  co_return Result<void>{};
}

namespace {

enum class Whose { kOurs, kSomebodyElses, kUnknown };

/// What lies under the name of a segment without a live byte may have been in the way when the segment was to be made.
/// Made by make_file it is a whole header, which is the row's, or no more than a first block: what it writes before its
/// sync. Whatever else it is, or may be, belongs to somebody.
Task<Whose> find_owner(disk::File& file, const SegmentInfo& info) {
  CO_TRY_ASSIGN(const std::uint64_t size, file.size());
  if (size < kSegmentHeaderBytes) co_return Whose::kOurs;
  SegmentHeaderBytes raw;
  const auto read = co_await file.read(0, raw);
  if (!read.ok() && read.error().code == Code::kUnavailable) co_return Whose::kUnknown;
  CO_CHECK(read);
  const auto header = decode_segment_header(raw);
  if (header.ok()) {
    const bool ours = header->segment == info.segment && header->incarnation == info.row.incarnation;
    co_return ours ? Whose::kOurs : Whose::kSomebodyElses;
  }
  const bool ours = header.error().code != Code::kUnsupported && size == kSegmentHeaderBytes;
  co_return ours ? Whose::kOurs : Whose::kSomebodyElses;
}

}  // namespace

Task<void> SegmentStore::State::recover(SegmentInfo info) {
  const auto segment = find(info.segment);
  auto opened = co_await disk.open(segment_path(info.segment), disk::Open::kReadWrite);
  if (!opened.ok() && opened.error().code != Code::kNotFound) co_return opened.error();
  std::uint64_t size = 0;
  if (opened.ok()) {
    std::shared_ptr<disk::File> file = *std::move(opened);
    Whose whose = Whose::kOurs;
    if (info.live_bytes == 0) {
      CO_TRY_ASSIGN(whose, find_owner(*file, info));
    }
    if (whose != Whose::kOurs) {
      log(LogLevel::kWarn, "data", "the file of {} {}: it stays, and nothing needs it", segment->name(),
          whose == Whose::kUnknown ? "cannot be read, and may be somebody else's" : "is none of this index's");
      if (whose == Whose::kSomebodyElses) {
        CO_TRY(forget(info.segment));
      }  // else the row lets the next start look again
      const std::lock_guard lock(mutex);
      segments.erase(info.segment);
      co_return Result<void>{};
    }
    CO_TRY_ASSIGN(size, file->size());
    CO_TRY(file->truncate(size));  // gives back what was reserved beyond
    if (info.live_bytes != 0) {
      CO_TRY(rescue_found(segment, std::move(file)));
    }
  } else if (info.live_bytes != 0) {
    log(LogLevel::kError, "data", "{}: its file is missing; {} live bytes cannot be read", segment->name(),
        info.live_bytes);
  }
  if (planted(PlantedBug::append_to_old_tail) && size > kSegmentHeaderBytes) {
    CO_TRY_ASSIGN(std::shared_ptr<disk::File> file, disk.open(segment_path(info.segment), disk::Open::kReadWrite));
    const std::lock_guard lock(mutex);
    segment->tail = size;
    segment->life = Life::kOpen;
    segment->sealed = false;
    segment->file = std::move(file);
    stream(kv::Purpose::kStores).current = segment;
    co_return Result<void>{};
  }
  {
    const std::lock_guard lock(segment->mutex);
    segment->tail = size;
  }
  if (info.live_bytes == 0) {
    CO_TRY_ASSIGN(const kv::Sequence freed_at, mark_freeing(info.segment));
    const std::lock_guard lock(segment->mutex);
    segment->life = Life::kReleased;
    segment->freed_at = freed_at.value;
    co_return Result<void>{};
  }
  co_return co_await seal_row(segment);
}

Task<void> SegmentStore::State::seal_row(std::shared_ptr<Segment> segment) {
  const SegmentId id = segment->id;
  std::uint64_t size = 0;
  {
    const std::lock_guard lock(segment->mutex);
    // An open row is how the next start knows what to write anew, and reading its file again how long that is.
    if (segment->fenced || segment->suspect) co_return Result<void>{};
    size = segment->tail;
  }
  auto body = [id, size](kv::Transaction& txn) { return put_sealed(txn, id, size); };
  CO_TRY(kv::run(engine, random, std::move(body)));
  co_return Result<void>{};
}

// --- a new segment

Task<void> SegmentStore::State::wait_for_open(kv::Purpose purpose) {
  const auto caller = co_await asio::this_coro::executor;
  OneShot<void> opened;
  bool lead = false;
  Stream& wanted = stream(purpose);
  {
    const std::lock_guard lock(mutex);
    if (wanted.current) co_return Result<void>{};
    wanted.open_waiters.push_back(opened);
    lead = !std::exchange(wanted.opening, true);
  }
  // In the scope, not here: the file is everybody's, and this caller may be cancelled.
  if (lead && !scope.spawn(caller, open_for_waiters(purpose))) {
    OpenPromise(mutex, wanted.opening, wanted.open_waiters);
  }
  co_return co_await opened.wait();
}

Task<void> SegmentStore::State::open_for_waiters(kv::Purpose purpose) {
  OpenPromise promise(mutex, stream(purpose).opening, stream(purpose).open_waiters);
  promise.result = co_await open_segment(purpose);
  co_return Result<void>{};  // the waiters have the error
}

Task<void> SegmentStore::State::open_segment(kv::Purpose purpose) {
  CO_TRY_ASSIGN(const disk::Space space, disk.space());
  // A segment for compaction makes do with most of what is left: it gives back more than it takes.
  const bool frees = purpose == kv::Purpose::kFreesSpace;
  const std::uint64_t most = space.free_bytes - space.free_bytes / 8;
  const std::uint64_t size = frees ? std::min(config.segment_bytes, most) : config.segment_bytes;
  const std::uint64_t needed = frees ? config.segment_bytes / 4 : config.segment_bytes + config.keep_free_bytes;
  if (space.free_bytes < needed) {
    co_return Error{Code::kNoSpace, "the disk is too full for a new segment; free space, then try again"};
  }
  std::uint64_t incarnation = 0;
  while (incarnation == 0) incarnation = random.next64();
  SegmentId id;
  auto body = [purpose, incarnation, &id](kv::Transaction& txn) { return take_id(txn, purpose, incarnation, id); };
  CO_TRY(kv::run(engine, random, std::move(body)));
  auto made = co_await make_file({.segment = id, .incarnation = incarnation, .cell = config.cell}, size);
  if (!made.ok() && made.error().code == Code::kAlreadyExists) {  // somebody else's: nothing here may remove it
    CO_TRY(forget(id));
    co_return made.error();
  }
  auto segment = std::make_shared<Segment>(id, incarnation, idle);
  const std::lock_guard lock(mutex);
  segments.emplace(id, segment);
  if (!made.ok()) {
    segment->life = Life::kReleased;  // reap() takes the row back
    co_return made.error();
  }
  segment->life = Life::kOpen;
  segment->size_max = size;
  segment->tail = kSegmentHeaderBytes;
  segment->file = *std::move(made);
  stream(purpose).current = segment;
  co_return Result<void>{};
}

Task<std::shared_ptr<disk::File>> SegmentStore::State::make_file(SegmentHeader header, std::uint64_t reserve_bytes) {
  CO_TRY_ASSIGN(std::shared_ptr<disk::File> file, disk.open(segment_path(header.segment), disk::Open::kCreateNew));
  CO_TRY(file->reserve(reserve_bytes));
  const SegmentHeaderBytes encoded = encode(header);
  CO_TRY(file->write(0, encoded));
  CO_TRY(file->sync());
  if (!planted(PlantedBug::skip_directory_sync)) {
    CO_TRY(disk.sync_directory(std::string(kSegmentsDirectory)));
  }
  co_return std::move(file);
}

// --- the end of a segment

Task<void> SegmentStore::rotate(kv::Purpose purpose) {
  std::shared_ptr<Segment> open;
  {
    const std::lock_guard lock(state_->mutex);
    open = state_->stream(purpose).current;
  }
  if (open) state_->retire(open);
  co_return Result<void>{};
}

void SegmentStore::State::retire(const std::shared_ptr<Segment>& segment) {
  {
    const std::lock_guard lock(mutex);
    for (Stream& each : streams) {
      if (each.current == segment) each.current.reset();
    }
    const std::lock_guard segment_lock(segment->mutex);
    if (segment->life == Life::kOpen) segment->life = Life::kRetired;
  }
  seal_when_idle(segment);
}

void SegmentStore::State::seal_when_idle(const std::shared_ptr<Segment>& segment) {
  SegmentPin pin;  // for its file, which is not as long as the row will say
  {
    const std::lock_guard lock(segment->mutex);
    if (segment->life != Life::kRetired || segment->active_writers > 0) return;
    if (std::exchange(segment->sealed, true)) return;
    pin = SegmentPin(segment, PinKind::kReader);
  }
  // Not vital: a segment that stays open in its row is sealed by the next start.
  (void)scope.spawn(*executor, seal(std::move(pin)));
}

Task<void> SegmentStore::State::seal(SegmentPin pin) {
  const auto segment = pin.shared();
  std::shared_ptr<disk::File> file;
  std::uint64_t size = 0;
  {
    const std::lock_guard lock(segment->mutex);
    if (segment->fenced) co_return Result<void>{};
    file = segment->file;
    size = segment->tail;
  }
  if (file) {
    CO_TRY(file->truncate(size));               // gives back what was reserved beyond
    const auto synced = co_await file->sync();  // the row may outlive a size that was never synced
    if (!synced.ok() && synced.error().code != Code::kBusy) fence(segment, synced.error());
    if (!synced.ok()) co_return synced;
  }
  co_return co_await seal_row(segment);
}

bool SegmentStore::compactable(SegmentId id) const {
  const auto segment = state_->find(id);
  if (!segment) return false;
  const std::lock_guard lock(segment->mutex);
  return segment->life == Life::kRetired && segment->unresolved == 0 && segment->active_writers == 0;
}

std::vector<SegmentUse> SegmentStore::uses() const {
  std::vector<SegmentUse> out;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [id, segment] : state_->segments) {
    const std::lock_guard segment_lock(segment->mutex);
    if (segment->life != Life::kOpen && segment->life != Life::kRetired) continue;
    SegmentUse use;
    use.segment = id;
    use.tail = segment->tail;
    use.open = segment->life == Life::kOpen;
    use.compactable = !use.open && segment->unresolved == 0 && segment->active_writers == 0;
    out.push_back(use);
  }
  return out;
}

std::uint64_t SegmentStore::file_bytes() const {
  std::uint64_t bytes = 0;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [id, segment] : state_->segments) {
    const std::lock_guard segment_lock(segment->mutex);
    bytes += segment->life == Life::kOpen ? std::max(segment->tail, segment->size_max) : segment->tail;
  }
  return bytes;
}

std::uint64_t SegmentStore::free_bytes_needed() const {
  const std::lock_guard lock(state_->mutex);
  const bool open = state_->stream(kv::Purpose::kStores).current != nullptr;
  return open ? 0 : state_->config.segment_bytes + state_->config.keep_free_bytes;
}

}  // namespace tombolo::data
