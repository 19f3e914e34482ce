#include "remote/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/crc64.h"

namespace tombolo::remote {
namespace {

constexpr std::uint64_t kGranule = 16 * kKiB;
constexpr std::uint64_t kTrialBytes = 256 * kKiB;  // a first object tells how large the second may be
// Shares of the time that the large object may take, up and down.
constexpr std::int64_t kTransferShare = 4;

class Measuring {
 public:
  Measuring(Remote& remote, MeasureOptions options, Clock& clock, Random& random)
      : remote_(remote),
        options_(std::move(options)),
        clock_(clock),
        random_(random),
        key_(options_.prefix + ".tombolo-probe-" + random.hex(8)),
        start_(clock.steady()) {}

  Task<Measured> run();

 private:
  Task<void> transfers();
  Task<Duration> put(std::uint64_t size);
  /// Reads the range; both times count from the asking. Ends early, without an error, when the time is over.
  struct Read {
    Duration first{0}, whole{0};
    std::uint64_t bytes = 0;
  };
  Task<Read> read(std::uint64_t offset, std::uint64_t length);
  bool time_left() const { return clock_.steady() - start_ < options_.time_max; }

  Remote& remote_;
  const MeasureOptions options_;
  Clock& clock_;
  Random& random_;
  const std::string key_;
  const SteadyTime start_;
  std::string etag_;
  Measured measured_;
};

double rate(std::uint64_t bytes, Duration took) {
  return static_cast<double>(bytes) * 1e6 / static_cast<double>(std::max<std::int64_t>(1, took.count()));
}

Task<Duration> Measuring::put(std::uint64_t size) {
  Bytes bytes(size);
  random_.fill(bytes);
  const Block block(std::move(bytes));
  PutRequest request;
  request.key = key_;
  request.size = size;
  request.crc64 = crc64(block.view());
  request.headers.content_type = "application/octet-stream";
  request.headers.metadata["tombolo_nonce"] = random_.hex(8);
  const SteadyTime before = clock_.steady();
  CO_TRY_ASSIGN(const RemoteObject object, remote_.put(std::move(request), body_of(block)));
  etag_ = object.etag;
  measured_.object_bytes = size;
  measured_.bytes_sent += size;
  co_return clock_.steady() - before;
}

Task<Measuring::Read> Measuring::read(std::uint64_t offset, std::uint64_t length) {
  GetRequest request;
  request.key = key_;
  request.if_etag = etag_;
  request.offset = offset;
  request.length = length;
  Read read;
  const SteadyTime before = clock_.steady();
  CO_TRY_ASSIGN(const auto source, remote_.get(std::move(request)));
  while (read.bytes < length) {
    CO_TRY_ASSIGN(const Block block, source->next());
    if (block.size() == 0) break;
    if (read.bytes == 0) read.first = clock_.steady() - before;
    read.bytes += block.size();
    if (read.bytes < length && !time_left()) break;
  }
  read.whole = clock_.steady() - before;
  measured_.bytes_received += read.bytes;
  co_return read;
}

Task<void> Measuring::transfers() {
  const std::uint64_t wanted = std::max(options_.bytes, kRangeBytes);
  CO_TRY_ASSIGN(const Duration trial, put(std::min(wanted, kTrialBytes)));
  measured_.put_bytes_per_second = rate(measured_.object_bytes, trial);
  const double affordable =
      measured_.put_bytes_per_second * static_cast<double>(options_.time_max.count() / kTransferShare) / 1e6;
  const std::uint64_t size = affordable < static_cast<double>(wanted) ? static_cast<std::uint64_t>(affordable) : wanted;
  if (size > measured_.object_bytes) {
    CO_TRY_ASSIGN(const Duration took, put(size));
    measured_.put_bytes_per_second = rate(size, took);
  }
  CO_TRY_ASSIGN(const Read all, read(0, measured_.object_bytes));
  measured_.get_bytes_per_second = rate(all.bytes, all.whole);
  std::vector<Duration> first, whole;
  const std::uint64_t places = (measured_.object_bytes - kRangeBytes) / kGranule + 1;
  while (first.size() < options_.samples_max && time_left()) {
    CO_TRY_ASSIGN(const Read one, read(random_.below(places) * kGranule, kRangeBytes));
    first.push_back(one.first);
    whole.push_back(one.whole);
  }
  measured_.first_byte = percentiles_of(std::move(first));
  measured_.range = percentiles_of(std::move(whole));
  co_return Result<void>{};
}

Task<Measured> Measuring::run() {
  const auto done = co_await transfers();
  const Condition whatever{};
  const auto removed = co_await remote_.remove(key_, whatever);  // also after a put that failed: it may have happened
  if (!removed.ok()) {
    co_return Error{removed.error().code,
                    fmt::format("the test's object \"{}\" could not be removed ({}): remove it yourself", key_,
                                removed.error().message)};
  }
  if (!done.ok()) co_return done.error();
  measured_.took = clock_.steady() - start_;
  co_return measured_;
}

}  // namespace

Percentiles percentiles_of(std::vector<Duration> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto at = [&samples](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(samples.size())));
    return samples[std::max<std::size_t>(rank, 1) - 1];
  };
  return {.samples = static_cast<std::uint32_t>(samples.size()), .p50 = at(0.50), .p95 = at(0.95), .p99 = at(0.99)};
}

Task<Measured> measure(Remote& remote, MeasureOptions options, Clock& clock, Random& random) {
  Measuring run(remote, std::move(options), clock, random);
  co_return co_await run.run();
}

}  // namespace tombolo::remote
