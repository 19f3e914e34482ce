#include "remote/azure/azure_remote.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/deadline.h"
#include "base/encoding.h"
#include "remote/azure/caller.h"
#include "remote/azure/download.h"
#include "remote/azure/list_xml.h"
#include "remote/azure/upload.h"

namespace tombolo::remote::azure {
namespace {

constexpr std::uint64_t kSinglePutBytesMax = 5'000 * kMiB;
constexpr std::uint32_t kListLimitMax = 5'000;

Result<void> check(const AzureConfig& config) {
  TRY(check_container(config.container));
  if (config.single_put_bytes_max > kSinglePutBytesMax) {
    return Error{Code::kInvalid, "one put takes at most 5,000 MiB"};
  }
  if (config.block_bytes == 0 || config.bytes_per_second_min == 0 || config.retry.tries_max < 1) {
    return Error{Code::kInvalid, "block size, least speed and number of tries must be at least 1"};
  }
  for (const char c : config.sas) {
    if (c <= 0x20 || c >= 0x7f || c == '#' || c == '?') return Error{Code::kInvalid, "the SAS is not a query string"};
  }
  return {};
}

Task<ListPage> list_objects(std::shared_ptr<Caller> caller, ListRequest request) {
  Call call;
  call.query = fmt::format("restype=container&comp=list&maxresults={}&prefix={}",
                           std::clamp<std::uint32_t>(request.limit, 1, kListLimitMax), percent_encode(request.prefix));
  if (!request.marker.empty()) call.query += "&marker=" + percent_encode(request.marker);
  call.expected = {200};
  call.answer_size = kListBytesMax;
  Caller::Attempts attempts(*caller);
  while (true) {
    CO_TRY_ASSIGN(Outcome outcome, caller->try_once(call, attempts.number()));
    Failure failure = std::move(outcome.failure);
    if (outcome.response) {
      auto body = read_all(*outcome.response->body, kListBytesMax);
      const auto xml = co_await with_deadline(std::move(body), caller->limit_of(call));
      if (xml.ok()) {
        auto page = parse_list(*xml);
        if (!page.ok()) co_return caller->told(call, attempts, {.error = std::move(page).error()});
        co_return page;
      }
      failure = failure_of(xml.error(), false);
    }
    const Error error = caller->told(call, attempts, failure);
    CO_TRY_ASSIGN(const bool again, attempts.again(std::move(failure)));
    if (!again) co_return error;
  }
}

Task<void> remove_object(std::shared_ptr<Caller> caller, std::string key, Condition condition) {
  CO_CHECK(check_key(key));
  Call call;
  call.method = "DELETE";
  call.key = key;
  add_condition(call.headers, condition);
  call.expected = {202};
  auto response = co_await caller->call(std::move(call));
  if (!response.ok() && response.error().code == Code::kConditionFailed) {
    // Said of what is not there too: of our own try that was answered with an error, for one.
    CO_TRY_ASSIGN(const bool gone, is_gone(caller, key));
    if (gone) co_return Result<void>();
  }
  if (!response.ok() && response.error().code != Code::kNotFound) co_return std::move(response).error();
  if (response.ok()) {
    CO_TRY(Caller::drain(*response));
  }
  co_return Result<void>();
}

}  // namespace

Result<std::unique_ptr<AzureRemote>> AzureRemote::make(AzureConfig config, Signer signer, http::Client& client,
                                                       Clock& clock, Random& random) {
  TRY_ASSIGN(Endpoint endpoint, Endpoint::parse(config.endpoint));
  if (config.sas.starts_with('?')) config.sas.erase(0, 1);
  TRY(check(config));
  auto caller =
      std::make_shared<Caller>(std::move(config), std::move(endpoint), std::move(signer), client, clock, random);
  return std::unique_ptr<AzureRemote>(new AzureRemote(std::move(caller)));
}

AzureRemote::~AzureRemote() = default;

const std::string& AzureRemote::name() const {
  return caller_->config().name;
}

std::optional<Duration> AzureRemote::clock_skew() const {
  return caller_->clock_skew();
}

Task<RemoteObject> AzureRemote::put(PutRequest request, BodyFactory body, CallSite) {
  return put_object(caller_, std::move(request), std::move(body));
}
Task<std::unique_ptr<ByteSource>> AzureRemote::get(GetRequest request, CallSite) {
  return get_object(caller_, std::move(request));
}
Task<HeadResult> AzureRemote::head(std::string key, CallSite) {
  return head_object(caller_, std::move(key));
}
Task<ListPage> AzureRemote::list(ListRequest request, CallSite) {
  return list_objects(caller_, std::move(request));
}
Task<void> AzureRemote::remove(std::string key, Condition condition, CallSite) {
  return remove_object(caller_, std::move(key), std::move(condition));
}

}  // namespace tombolo::remote::azure
