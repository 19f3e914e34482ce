// Admission: lets a request in while its account and the server have room for it.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admission/rate.h"
#include "base/clock.h"

namespace tombolo::admission {

/// 0: no bound.
struct AdmissionOptions {
  // Requests under way, of all accounts. Each may hold a few hundred KiB while it moves a body: this bounds the memory.
  std::uint64_t requests_max = 2'048;
  std::uint64_t account_requests_max = 1'024;     // of one account: leaves room for the others
  std::uint64_t account_requests_per_second = 0;  // a second's worth may come at once
  std::uint64_t account_upload_bytes_max = 0;     // announced bodies under way; a single larger one is let in alone
};

enum class Bound { kServerRequests, kAccountRequests, kAccountRate, kAccountUploads };
/// snake_case, for metrics and logs.
std::string_view bound_name(Bound bound);

struct Refusal {
  Bound bound;
  std::chrono::seconds retry_after;  // at least 1
};

/// Thread-safe; outlives its tickets. Keeps a few words for every account that was ever named: name only accounts that
/// exist, of requests that are authenticated, so that nobody can use up another's share.
class Admission {
  struct Account;

 public:
  Admission(AdmissionOptions options, Clock& clock) : options_(options), clock_(clock) {}
  Admission(const Admission&) = delete;

  /// Held while the request is under way.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), account_(other.account_), bytes_(other.bytes_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (owner_ != nullptr) owner_->leave(*account_, bytes_);
    }

   private:
    friend class Admission;
    Ticket(Admission& owner, Account& account, std::uint64_t bytes)
        : owner_(&owner), account_(&account), bytes_(bytes) {}
    Admission* owner_;
    Account* account_;
    std::uint64_t bytes_;
  };

  /// `upload_bytes`: of the announced body. A request that is refused counts for nothing.
  std::expected<Ticket, Refusal> admit(std::string_view account, std::uint64_t upload_bytes);
  /// Under way now, of all accounts.
  std::uint64_t requests() const;

 private:
  struct Account {
    std::uint64_t requests = 0;
    std::uint64_t upload_bytes = 0;
    std::optional<Rate> rate;
  };
  Account& find(std::string_view name);
  void leave(Account& account, std::uint64_t bytes);

  const AdmissionOptions options_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::uint64_t requests_ = 0;
  std::map<std::string, Account, std::less<>> accounts_;  // never erased from: tickets point into it
};

}  // namespace tombolo::admission
