// Caller: one request to the container, with everything that all of them need: vetted address, signature, limits,
// retries, words.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/azure/azure_remote.h"
#include "remote/azure/endpoint.h"
#include "remote/azure/failure.h"

namespace tombolo::remote::azure {

/// What is asked. May be sent any number of times.
struct Call {
  std::string method = "GET";
  std::string key = {};    // empty: the container
  std::string query = {};  // encoded, without "?" and SAS
  http::Headers headers = {};
  /// Makes the body of one try; empty: none. Its errors are ours, never the service's.
  std::function<std::unique_ptr<ByteSource>()> body = {};
  std::uint64_t body_size = 0;
  std::uint64_t answer_size = 0;   // bytes expected back, for the time that a try may take
  std::vector<int> expected = {};  // statuses that are the answer
};

/// Either the answer asked for or why there is none.
struct Outcome {
  std::optional<http::Response> response;
  Failure failure;  // where there is no response
};

class Caller {
 public:
  Caller(AzureConfig config, Endpoint endpoint, Signer signer, http::Client& client, Clock& clock, Random& random);

  /// Counts the tries of one operation and decides about the next.
  class Attempts {
   public:
    explicit Attempts(Caller& caller);
    int number() const { return number_; }        // 0 is the first
    int fruitless() const { return fruitless_; }  // since something was achieved
    /// Waits and counts when the failure deserves another try; false at once when it does not or the limits are met.
    Task<bool> again(Failure failure);
    /// Something was achieved: the count of fruitless tries starts again.
    void progress() { fruitless_ = 0; }

   private:
    Caller& caller_;
    const SteadyTime start_;
    int number_ = 0, fruitless_ = 0;
  };

  /// One try. An error only when the task is cancelled.
  Task<Outcome> try_once(const Call& call, int number);
  /// Tries until an expected answer or a final failure. The error is told(): remote, key, attempt.
  Task<http::Response> call(Call call);

  /// Whether an operation that succeeded may be asked for again because its answer was wrong: counts as a retry.
  bool may_repeat(std::string_view operation);

  /// The failure's error with remote, operation, key and attempt; kGaveUp, but for what the body's own source says.
  Error told(const Call& call, const Attempts& attempts, const Failure& failure) const;
  /// How long one try may take, its answer's body included.
  Duration limit_of(const Call& call) const;
  /// Reads what is left of a short answer, if it comes soon, so that its connection can be used again. An error only
  /// when the task is cancelled.
  static Task<void> drain(http::Response& response);

  /// Whether the service takes x-ms-content-crc64; believed until it refuses one.
  bool checks_crc64() const { return checks_crc64_.load(std::memory_order_relaxed); }
  void found_without_crc64() { checks_crc64_.store(false, std::memory_order_relaxed); }

  /// As Remote::clock_skew().
  std::optional<Duration> clock_skew() const;

  const AzureConfig& config() const { return config_; }
  Clock& clock() const { return clock_; }
  Random& random() const { return random_; }

 private:
  static constexpr std::int64_t kNoSkew = INT64_MIN;
  http::Request render(const Call& call, std::string address) const;

  const AzureConfig config_;
  const Endpoint endpoint_;
  const Signer signer_;
  http::Client& client_;
  Clock& clock_;
  Random& random_;
  Egress egress_;
  RetryBudget budget_;
  std::atomic<bool> checks_crc64_{true};
  std::atomic<std::int64_t> skew_micros_{kNoSkew};
};

/// "If-Match" or "If-None-Match".
void add_condition(http::Headers& headers, const Condition& condition);

}  // namespace tombolo::remote::azure
