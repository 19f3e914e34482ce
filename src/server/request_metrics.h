// RequestMetrics: what a dialect's requests leave in the metrics, without a lock or an allocation a request.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "observe/metrics.h"
#include "protocol/azure_blob/handler.h"

namespace tombolo::server {

/// Thread-safe. `metrics` outlives it.
class RequestMetrics {
 public:
  /// `operations`: all names that a dialect's observations have; texts that live for ever.
  RequestMetrics(observe::Metrics& metrics, std::string dialect, const std::vector<std::string_view>& operations);
  ~RequestMetrics();

  void count(const azure_blob::Observation& seen);

 private:
  // Series of codes are made when first met: most operations never see most codes.
  struct Operation {
    observe::Histogram* seconds = nullptr;
    std::array<std::atomic<observe::Counter*>, 500> codes{};  // 100 … 599
  };

  observe::Metrics& metrics_;
  const std::string dialect_;
  observe::Counter& received_;
  observe::Counter& sent_;
  std::unordered_map<std::string_view, std::unique_ptr<Operation>> operations_;  // fixed after construction
};

}  // namespace tombolo::server
