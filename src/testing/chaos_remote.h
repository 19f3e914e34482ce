// ChaosRemote: a Remote that fails and lies, by script or by dice. The twin, in process, of
// tests/harness/lying_proxy.py.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "remote/remote.h"

namespace tombolo::testing {

enum class RemoteOp { kPut, kGet, kHead, kList, kRemove };
inline constexpr RemoteOp kRemoteOps[] = {RemoteOp::kPut, RemoteOp::kGet, RemoteOp::kHead, RemoteOp::kList,
                                          RemoteOp::kRemove};

/// What a caller of the interface sees of each, that is, after the remote's own retries. Where a fault has no meaning
/// for an operation (a stale list for a put), the operation works.
enum class RemoteFault {
  kDown,            // nothing is done; a put may have been, for all that is known
  kRefused,         // nothing is done, and that is known
  kSlow,            // works after ChaosOptions::slow
  kStalled,         // works, and no answer comes for ChaosOptions::stall; a body hangs in its middle
  kTruncating,      // works, and the answer breaks off; a body after half of it
  kWrongBytes,      // one bit of a body, either way, is another
  kWrongEtag,       // works under another ETag
  kDoneSaid500,     // a put or delete works, and nobody is told; the others are not done
  kClaimed,         // a put or delete is answered as if it were done
  kStaleList,       // the listing of before the fault was told
  kChangedOutside,  // somebody replaces the object first
  kForbidden,
  kNotFound,
  kThrottled,  // given up after a pause
  kBusy,       // given up
};
inline constexpr unsigned kRemoteFaults = 15;
std::string_view name_of(RemoteFault fault);
std::string_view name_of(RemoteOp op);

struct ChaosRule {
  RemoteFault fault = RemoteFault::kDown;
  std::optional<RemoteOp> op = {};  // only this operation
  std::string key_prefix = {};      // only keys that begin with it
  int times = -1;                   // so often, then no more; negative: always
  double probability = 1;           // of each matching call
};

struct ChaosOptions {
  std::uint64_t seed = 1;
  Duration slow = std::chrono::milliseconds(20);
  Duration stall = std::chrono::milliseconds(50);  // then kUnavailable, as a remote with a deadline answers
};

/// Thread-safe, as long as `inner` is. Faults are those of the first matching rule; same seed, same calls in the same
/// order: same faults. What is hung breaks off when heal() is called.
class ChaosRemote final : public remote::Remote {
 public:
  /// `inner` is what the store really holds.
  explicit ChaosRemote(std::shared_ptr<remote::Remote> inner, ChaosOptions options = {});

  /// Behind the rules that are there. For kStaleList, what is listed now is what will be listed: inner is asked.
  Task<void> add(ChaosRule rule);
  void heal();
  /// Whether any is left that may still strike.
  bool has_rules() const;

  /// Since the start, those with faults too.
  std::uint64_t calls(RemoteOp op) const;
  std::uint64_t faults(RemoteFault fault) const;

  const std::string& name() const override { return inner_->name(); }
  remote::Capabilities capabilities() const override { return inner_->capabilities(); }
  Task<remote::RemoteObject> put(remote::PutRequest request, remote::BodyFactory body, CallSite site = {}) override;
  Task<std::unique_ptr<ByteSource>> get(remote::GetRequest request, CallSite site = {}) override;
  Task<remote::HeadResult> head(std::string key, CallSite site = {}) override;
  Task<remote::ListPage> list(remote::ListRequest request, CallSite site = {}) override;
  Task<void> remove(std::string key, remote::Condition condition, CallSite site = {}) override;

 private:
  class Body;
  std::optional<RemoteFault> decide(RemoteOp op, const std::string& key);
  Error failed(RemoteFault fault, RemoteOp op, const std::string& key) const;
  Task<void> stall(std::uint64_t era);
  Task<void> change_outside(std::string key);
  std::uint64_t era() const;

  const std::shared_ptr<remote::Remote> inner_;
  const ChaosOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  SeededRandom random_;
  std::vector<ChaosRule> rules_;
  std::vector<remote::RemoteObject> listed_before_;
  std::array<std::uint64_t, 5> calls_{};
  std::array<std::uint64_t, kRemoteFaults> faults_{};
  std::uint64_t era_ = 0;  // of healing
};

}  // namespace tombolo::testing
