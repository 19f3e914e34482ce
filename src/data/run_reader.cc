#include "data/run_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "base/assert.h"
#include "base/crc64.h"
#include "base/planted_bugs.h"

namespace tombolo::data {

static_assert(kStreamStep % kGranuleBytes == 0, "a step reads whole granules");

/// What a step needs, shared with a step that may still run when its reader is gone.
struct RunReader::Source {
  SegmentStore& store;
  BlockCache& cache;
  const SegmentPin pin;
  const RunToRead run;
  const Admission admission;

  std::uint64_t granule_length(std::uint64_t granule) const {
    return std::min(kGranuleBytes, run.length - granule * kGranuleBytes);
  }
  GranuleKey key(std::uint64_t granule) const {
    return {run.tenant, run.gen, run.gen_offset + granule * kGranuleBytes};
  }
  Error corrupt(std::uint64_t granule, std::string_view what) const {
    return Error{Code::kCorrupt,
                 fmt::format("segment {:016x}, run at {}: granule {} of gen {} (its byte {}) {}", run.segment.value,
                             run.offset, granule, run.gen.value, run.gen_offset + granule * kGranuleBytes, what)};
  }

  static Task<Block> load(std::shared_ptr<Source> source, std::uint64_t at, std::uint64_t end);
  static Task<void> load_into(std::shared_ptr<Source> source, std::uint64_t at, std::uint64_t end, OneShot<Block> to);
  Task<void> read_granules(std::uint64_t first, std::uint64_t count, MutableBytes out);
};

Result<std::unique_ptr<RunReader>> RunReader::open(SegmentStore& store, BlockCache& cache, RunToRead run,
                                                   RunRange range) {
  TRY_ASSIGN(auto pin, store.pin(run.segment));
  return open(store, cache, std::move(pin), std::move(run), range);
}

Result<std::unique_ptr<RunReader>> RunReader::open(SegmentStore& store, BlockCache& cache, SegmentPin pin,
                                                   RunToRead run, RunRange range) {
  if (run.length == 0 || run.length > kRunBytesMax || run.granule_crcs.size() != granules_in(run.length)) {
    return Error{Code::kCorrupt,
                 fmt::format("a run of gen {} at its byte {} has {} bytes and {} checksums: its row is wrong",
                             run.gen.value, run.gen_offset, run.length, run.granule_crcs.size())};
  }
  ASSERT(range.length > 0 && range.offset <= run.length && range.length <= run.length - range.offset);
  auto source = std::make_shared<Source>(store, cache, std::move(pin), std::move(run), range.admission);
  return std::unique_ptr<RunReader>(new RunReader(std::move(source), range));
}

RunReader::RunReader(std::shared_ptr<Source> source, RunRange range)
    : source_(std::move(source)), at_(range.offset), end_(range.offset + range.length) {}

RunReader::~RunReader() = default;

Task<Block> RunReader::next() {
  if (at_ == end_) co_return Block{};
  Result<Block> block;
  if (ahead_) {
    block = co_await ahead_->wait();
    ahead_.reset();
  } else {
    block = co_await Source::load(source_, at_, end_);
  }
  if (!block.ok()) co_return block;
  at_ += block->size();
  if (at_ < end_) {
    const auto executor = co_await boost::asio::this_coro::executor;
    OneShot<Block> ahead;
    if (source_->store.spawn(executor, Source::load_into(source_, at_, end_, ahead))) ahead_ = ahead;
  }
  co_return block;
}

namespace {

/// Answers a waiting reader also when the step ends by cancellation.
struct Promise {
  explicit Promise(OneShot<Block> given) : to(std::move(given)) {}
  Promise(const Promise&) = delete;
  ~Promise() { to.set(std::move(result)); }
  OneShot<Block> to;
  Result<Block> result = Error{Code::kCancelled, "the read was given up"};
};

}  // namespace

Task<void> RunReader::Source::load_into(std::shared_ptr<Source> source, std::uint64_t at, std::uint64_t end,
                                        OneShot<Block> to) {
  Promise promise(std::move(to));
  promise.result = co_await load(std::move(source), at, end);
  co_return Result<void>{};  // the reader has the error
}

Task<Block> RunReader::Source::load(std::shared_ptr<Source> source, std::uint64_t at, std::uint64_t end) {
  const std::uint64_t first = at / kGranuleBytes;
  const std::uint64_t begin = first * kGranuleBytes;
  const std::uint64_t step_end = std::min(begin + kStreamStep, end);
  const std::uint64_t count = granules_in(step_end - begin);
  const std::uint64_t filled_end = std::min(begin + count * kGranuleBytes, source->run.length);

  std::vector<std::optional<Block>> cached(count);
  for (std::uint64_t n = 0; n < count; ++n) {
    cached[n] = source->cache.find(source->key(first + n));
    if (cached[n] && cached[n]->size() != source->granule_length(first + n)) cached[n].reset();
  }
  if (count == 1 && cached[0]) co_return cached[0]->slice(at - begin, step_end - at);

  auto buffer = std::make_shared_for_overwrite<std::byte[]>(filled_end - begin);
  const MutableBytes all(buffer.get(), filled_end - begin);
  for (std::uint64_t n = 0; n < count;) {
    if (cached[n]) {
      std::copy_n(cached[n]->view().begin(), cached[n]->size(),
                  all.begin() + static_cast<std::ptrdiff_t>(n * kGranuleBytes));
      ++n;
      continue;
    }
    std::uint64_t missing = 1;
    while (n + missing < count && !cached[n + missing]) ++missing;
    const std::uint64_t length = std::min(missing * kGranuleBytes, all.size() - n * kGranuleBytes);
    CO_TRY(source->read_granules(first + n, missing, all.subspan(n * kGranuleBytes, length)));
    n += missing;
  }
  co_return Block(std::move(buffer), all.subspan(at - begin, step_end - at));
}

Task<void> RunReader::Source::read_granules(std::uint64_t first, std::uint64_t count, MutableBytes out) {
  auto read = co_await store.read(pin, data_offset(run.offset) + first * kGranuleBytes, out);
  if (!read.ok() && read.error().code == Code::kCorrupt) {
    Error error = corrupt(first, "cannot be read: " + read.error().message);
    error.detail = read.error().detail;
    co_return error;
  }
  CO_CHECK(read);
  for (std::uint64_t n = 0; n < count; ++n) {
    const BytesView granule = out.subspan(n * kGranuleBytes, granule_length(first + n));
    const bool believed =
        planted(PlantedBug::ignore_checksum) || (n > 0 && planted(PlantedBug::verify_first_granule_only));
    if (!believed && crc64(granule) != run.granule_crcs[first + n]) co_return corrupt(first + n, "does not verify");
    if (admission == Admission::kAdmit) cache.insert(key(first + n), granule);
  }
  co_return Result<void>{};
}

}  // namespace tombolo::data
