#include "remote/azure/caller.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/deadline.h"
#include "base/log.h"
#include "base/times.h"

namespace tombolo::remote::azure {
namespace {

constexpr std::string_view kServiceVersion = "2021-12-02";
constexpr std::size_t kDrainBytesMax = 64 * 1024;
constexpr Duration kDrainMax = std::chrono::seconds(2);

// Knows whether the body was asked for, and whether what failed was the body itself.
class WatchedSource final : public ByteSource {
 public:
  explicit WatchedSource(std::unique_ptr<ByteSource> inner) : inner_(std::move(inner)) {}
  Task<Block> next() override {
    taken_ = true;
    auto block = co_await inner_->next();
    failed_ = failed_ || !block.ok();
    co_return block;
  }
  bool taken() const { return taken_; }
  bool failed() const { return failed_; }

 private:
  const std::unique_ptr<ByteSource> inner_;
  bool taken_ = false, failed_ = false;
};

std::string_view operation_of(const Call& call) {
  if (call.method == "PUT") return "put";
  if (call.method == "HEAD") return "head";
  if (call.method == "DELETE") return "delete";
  return call.key.empty() ? "list" : "get";
}

}  // namespace

void add_condition(http::Headers& headers, const Condition& condition) {
  if (condition.if_absent) headers.add("If-None-Match", "*");
  if (!condition.if_etag.empty()) headers.add("If-Match", quoted(condition.if_etag));
}

Caller::Caller(AzureConfig config, Endpoint endpoint, Signer signer, http::Client& client, Clock& clock, Random& random)
    : config_(std::move(config)),
      endpoint_(std::move(endpoint)),
      signer_(std::move(signer)),
      client_(client),
      clock_(clock),
      random_(random),
      egress_({.host = endpoint_.host, .reach = config_.reach}, clock),
      budget_(config_.retry_budget, clock) {}

Caller::Attempts::Attempts(Caller& caller) : caller_(caller), start_(caller.clock_.steady()) {
  caller.budget_.earn();
}

Task<bool> Caller::Attempts::again(Failure failure) {
  const AzureConfig& config = caller_.config_;
  if (!failure.retryable || fruitless_ + 1 >= config.retry.tries_max) co_return false;
  const Duration asked = failure.retry_after.value_or(Duration::zero());
  if (asked > config.retry_after_max) co_return false;
  const Duration passed = caller_.clock_.steady() - start_;
  if (passed + asked > config.operation_max && fruitless_ > 0) co_return false;
  if (!caller_.budget_.spend()) co_return false;
  ++fruitless_;
  ++number_;
  const Duration jitter = retry_delay(config.retry, fruitless_, caller_.random_);
  CO_TRY(sleep_for(std::max(jitter, asked)));
  co_return true;
}

bool Caller::may_repeat(std::string_view operation) {
  if (!budget_.spend()) return false;
  if (config_.on_retry) config_.on_retry(operation);
  return true;
}

http::Request Caller::render(const Call& call, std::string address) const {
  http::Request request;
  request.host = std::move(address);
  request.port = endpoint_.port;
  if (endpoint_.tls) request.tls_name = endpoint_.host;  // what is connected to is a vetted address
  request.method = call.method;
  request.target = path_of(endpoint_, config_.container, call.key);
  const bool both = !call.query.empty() && !config_.sas.empty();
  if (!call.query.empty() || !config_.sas.empty()) {
    request.target += fmt::format("?{}{}{}", call.query, both ? "&" : "", config_.sas);
  }
  request.headers = call.headers;
  request.headers.add("Host", endpoint_.authority);
  request.headers.add("x-ms-version", kServiceVersion);
  request.headers.add("x-ms-date", http_date(clock_.wall()));
  request.body_size = call.body_size;
  if (signer_) signer_(request);
  return request;
}

Task<Outcome> Caller::try_once(const Call& call, int number) {
  Outcome outcome;
  if (number > 0 && config_.on_retry) config_.on_retry(operation_of(call));
  auto address = co_await egress_.address(number);
  if (!address.ok()) {
    outcome.failure = failure_of(std::move(address).error(), false);
    co_return outcome;
  }
  http::Request request = render(call, *std::move(address));
  std::optional<WatchedSource> body;
  if (call.body) {
    body.emplace(call.body());
    request.body = &*body;
  }
  auto response = co_await with_deadline(client_.send(std::move(request)), limit_of(call));
  if (!response.ok()) {
    const bool ours = body && body->failed();
    outcome.failure = failure_of(std::move(response).error(), !body || (body->taken() && !ours));
    outcome.failure.ours = ours;
    if (ours) outcome.failure.retryable = false;
    if (outcome.failure.error.code == Code::kCancelled) co_return std::move(outcome.failure.error);
    co_return outcome;
  }
  if (const auto skew = skew_of(response->head, clock_.wall()))
    skew_micros_.store(skew->count(), std::memory_order_relaxed);
  const int status = response->head.status;
  if (std::find(call.expected.begin(), call.expected.end(), status) != call.expected.end()) {
    outcome.response = *std::move(response);
    co_return outcome;
  }
  outcome.failure = failure_of(response->head, clock_.wall());
  CO_TRY(drain(*response));
  co_return outcome;
}

Duration Caller::limit_of(const Call& call) const {
  return config_.try_base + std::chrono::seconds((call.body_size + call.answer_size) / config_.bytes_per_second_min);
}

std::optional<Duration> Caller::clock_skew() const {
  const std::int64_t micros = skew_micros_.load(std::memory_order_relaxed);
  return micros == kNoSkew ? std::nullopt : std::optional(Duration(micros));
}

Task<http::Response> Caller::call(Call call) {
  Attempts attempts(*this);
  while (true) {
    CO_TRY_ASSIGN(Outcome outcome, try_once(call, attempts.number()));
    if (outcome.response) co_return *std::move(outcome.response);
    const Error error = told(call, attempts, outcome.failure);
    CO_TRY_ASSIGN(const bool again, attempts.again(std::move(outcome.failure)));
    if (!again) co_return error;
    log(LogLevel::kInfo, "remote", "{}; trying again", error.message);
  }
}

Error Caller::told(const Call& call, const Attempts& attempts, const Failure& failure) const {
  Error error = failure.error;
  // Looked at only where this is the operation's end. What whoever gave the body says of it is for whoever asked.
  if (!failure.ours || error.detail.empty()) error.detail = kGaveUp;
  error.message = fmt::format("remote \"{}\", {} \"{}\", attempt {} of {}: {}", config_.name, call.method,
                              call.key.empty() ? config_.container : call.key, attempts.fruitless() + 1,
                              config_.retry.tries_max, error.message);
  return error;
}

Task<void> Caller::drain(http::Response& response) {
  const auto rest = co_await with_deadline(read_all(*response.body, kDrainBytesMax), kDrainMax);
  if (!rest.ok() && rest.error().code == Code::kCancelled) co_return rest.error();
  co_return Result<void>();
}

}  // namespace tombolo::remote::azure
