// AzureRemote: an Azure Blob container as a remote.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "async/retry.h"
#include "base/units.h"
#include "http/client.h"
#include "remote/egress.h"
#include "remote/remote.h"
#include "remote/retry_budget.h"

namespace tombolo::remote::azure {

/// Puts an Authorization header on a request that is otherwise complete: x-ms-date, x-ms-version and Host are set; the
/// Content-Length on the wire will be Request::body_size. Thread-safe, does not block.
using Signer = std::function<void(http::Request& request)>;

struct AzureConfig {
  std::string name;       // the remote's
  std::string endpoint;   // "https://host[:port]" or http, or with "/account" behind it (path style: emulators)
  std::string container;  // must exist
  std::string sas;        // shared access signature, added to every query as it is; empty with a Signer
  Reach reach =
      Reach::kPublic;  // kPrivate when an administrator named an endpoint on a private network or this machine

  RetryOptions retry = {
      .tries_max = 5, .delay_first = std::chrono::milliseconds(200), .delay_max = std::chrono::seconds(10)};
  RetryBudgetConfig retry_budget = {};
  Duration retry_after_max = std::chrono::seconds(30);  // a service that asks for a longer pause has failed
  Duration operation_max = std::chrono::minutes(2);     // past it, no second retry in a row
  Duration try_base = std::chrono::seconds(90);         // one try may take this long, and 1 s more for each …
  std::uint64_t bytes_per_second_min = 128 * kKiB;      // … that it sends or gets

  /// Called for each HTTP request after the first of an operation, with "put", "get", "head", "list" or "delete".
  /// Thread-safe, does not block. Empty: nobody counts.
  std::function<void(std::string_view operation)> on_retry = {};

  std::uint64_t single_put_bytes_max = 256 * kMiB;  // larger objects go up in blocks; at most 5,000 MiB
  std::uint64_t block_bytes = 16 * kMiB;            // larger where an object would need more than 50,000
};

/// Puts of up to single_put_bytes_max are one Put Blob; larger ones are blocks, kBlocksAtOnce at a time, each retried
/// by itself, and one block list. A put that may have happened is looked at (HEAD) before it is tried again or given
/// up: it is ours when metadata "tombolo_nonce" is the request's. Every read is conditional, checked against the range
/// and ETag asked for, and resumes where a body broke off.
class AzureRemote final : public Remote {
 public:
  /// kInvalid, kUnsupported for a configuration that cannot work. What it is given outlives it and every source that it
  /// hands out. `signer` may be empty.
  static Result<std::unique_ptr<AzureRemote>> make(AzureConfig config, Signer signer, http::Client& client,
                                                   Clock& clock, Random& random);
  ~AzureRemote() override;

  const std::string& name() const override;
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site = {}) override;
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site = {}) override;
  Task<HeadResult> head(std::string key, CallSite site = {}) override;
  Task<ListPage> list(ListRequest request, CallSite site = {}) override;
  Task<void> remove(std::string key, Condition condition, CallSite site = {}) override;
  std::optional<Duration> clock_skew() const override;

 private:
  explicit AzureRemote(std::shared_ptr<class Caller> caller) : caller_(std::move(caller)) {}

  const std::shared_ptr<class Caller> caller_;
};

inline constexpr int kBlocksAtOnce = 4;

}  // namespace tombolo::remote::azure
