#include "auth/key_ring.h"

#include "base/encoding.h"

namespace tombolo::auth {
namespace {

constexpr std::size_t kKeyBytes = 64;  // of an Azure account key; only the timing of absent keys depends on it

bool signed_by_one(BytesView key, std::string_view text, BytesView signature) {
  static const Bytes kDummy(kKeyBytes);
  const bool usable = !key.empty();
  const Sha256Digest digest = hmac_sha256(usable ? key : BytesView(kDummy), as_bytes(text));
  const bool equal = equal_constant_time(digest, signature);
  return static_cast<bool>(static_cast<int>(usable) & static_cast<int>(equal));
}

}  // namespace

void MemoryKeyRing::set(AccountKeys keys) {
  std::lock_guard lock(mutex_);
  accounts_[keys.account] = std::move(keys);
}

void MemoryKeyRing::remove(const std::string& account) {
  std::lock_guard lock(mutex_);
  accounts_.erase(account);
}

Task<std::optional<AccountKeys>> MemoryKeyRing::find(std::string account) {
  std::optional<AccountKeys> found;
  {
    std::lock_guard lock(mutex_);
    if (const auto it = accounts_.find(account); it != accounts_.end()) found = it->second;
  }
  co_return found;
}

std::string sign_text(BytesView key, std::string_view text) {
  return base64_encode(hmac_sha256(key, as_bytes(text)));
}

bool signed_by(const AccountKeys& keys, std::string_view text, BytesView signature) {
  const int first = signed_by_one(keys.key1, text, signature);
  const int second = signed_by_one(keys.key2, text, signature);
  return (first | second) != 0;
}

}  // namespace tombolo::auth
