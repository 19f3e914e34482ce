#include "admission/admission.h"

#include "base/assert.h"

namespace tombolo::admission {
namespace {

// Nobody knows when a request under way will end; most do within milliseconds.
constexpr std::chrono::seconds kRetrySoon{1};
constexpr std::uint64_t kUploadCounted = 1ull << 40;  // more than any body may have: sums cannot overflow

bool full(std::uint64_t have, std::uint64_t most) {
  return most != 0 && have >= most;
}

}  // namespace

std::string_view bound_name(Bound bound) {
  switch (bound) {
    case Bound::kServerRequests:
      return "server_requests";
    case Bound::kAccountRequests:
      return "account_requests";
    case Bound::kAccountRate:
      return "account_rate";
    case Bound::kAccountUploads:
      return "account_uploads";
  }
  return "";
}

std::expected<Admission::Ticket, Refusal> Admission::admit(std::string_view name, std::uint64_t upload_bytes) {
  upload_bytes = std::min(upload_bytes, kUploadCounted);
  const std::lock_guard lock(mutex_);
  Account& account = find(name);
  // The account's own bounds first: they say more.
  if (full(account.requests, options_.account_requests_max)) {
    return std::unexpected(Refusal{Bound::kAccountRequests, kRetrySoon});
  }
  const std::uint64_t uploads_max = options_.account_upload_bytes_max;
  if (uploads_max != 0 && account.upload_bytes > 0 &&
      upload_bytes > uploads_max - std::min(uploads_max, account.upload_bytes)) {
    return std::unexpected(Refusal{Bound::kAccountUploads, kRetrySoon});
  }
  if (full(requests_, options_.requests_max)) return std::unexpected(Refusal{Bound::kServerRequests, kRetrySoon});
  if (account.rate) {
    if (const Duration wait = account.rate->take(clock_.steady()); wait > Duration::zero()) {
      return std::unexpected(Refusal{Bound::kAccountRate, std::chrono::ceil<std::chrono::seconds>(wait)});
    }
  }
  ++requests_;
  ++account.requests;
  account.upload_bytes += upload_bytes;
  return Ticket(*this, account, upload_bytes);
}

std::uint64_t Admission::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

Admission::Account& Admission::find(std::string_view name) {
  const auto found = accounts_.find(name);
  if (found != accounts_.end()) return found->second;
  Account fresh;
  if (options_.account_requests_per_second != 0) fresh.rate.emplace(options_.account_requests_per_second);
  return accounts_.emplace(name, std::move(fresh)).first->second;
}

void Admission::leave(Account& account, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ASSERT(requests_ > 0 && account.requests > 0 && account.upload_bytes >= bytes);
  --requests_;
  --account.requests;
  account.upload_bytes -= bytes;
}

}  // namespace tombolo::admission
