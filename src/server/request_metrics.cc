#include "server/request_metrics.h"

#include <algorithm>

#include "base/assert.h"

namespace tombolo::server {

using observe::Metric;

RequestMetrics::RequestMetrics(observe::Metrics& metrics, std::string dialect,
                               const std::vector<std::string_view>& operations)
    : metrics_(metrics),
      dialect_(std::move(dialect)),
      received_(metrics.counter(Metric::kBytesReceived, {dialect_})),
      sent_(metrics.counter(Metric::kBytesSent, {dialect_})) {
  for (const std::string_view name : operations) {
    std::unique_ptr<Operation>& operation = operations_[name];
    if (operation == nullptr) operation = std::make_unique<Operation>();
    operation->seconds = &metrics.histogram(Metric::kRequestSeconds, {dialect_, name});
  }
}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::count(const azure_blob::Observation& seen) {
  const auto found = operations_.find(seen.operation);
  ASSERT(found != operations_.end());
  Operation& operation = *found->second;
  operation.seconds->observe_micros(static_cast<std::uint64_t>(std::max<std::int64_t>(0, seen.took.count())));
  if (!seen.throttled.empty()) metrics_.counter(Metric::kThrottled, {dialect_, seen.throttled}).add();
  if (seen.bytes_received > 0) received_.add(seen.bytes_received);
  if (seen.bytes_sent > 0) sent_.add(seen.bytes_sent);
  ASSERT(seen.status >= 100 && seen.status < 600);
  std::atomic<observe::Counter*>& slot = operation.codes[static_cast<std::size_t>(seen.status - 100)];
  observe::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.counter(Metric::kRequests, {dialect_, seen.operation, std::to_string(seen.status)});
    slot.store(counter, std::memory_order_release);
  }
  counter->add();
}

}  // namespace tombolo::server
