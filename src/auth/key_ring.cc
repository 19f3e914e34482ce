#include "auth/key_ring.h"

#include "base/encoding.h"

namespace tombolo::auth {
namespace {

constexpr std::size_t kKeyBytes = 64;  // of an Azure account key

// What stands in for an absent key, so that it takes its time too.
HmacSha256Key prepare(BytesView key) {
  static const Bytes kDummy(kKeyBytes);
  return HmacSha256Key(key.empty() ? BytesView(kDummy) : key);
}

bool signed_by_one(const HmacSha256Key& key, const Bytes& raw, std::string_view text, BytesView signature) {
  return equal_constant_time(key.sign(as_bytes(text)), signature) && !raw.empty();
}

}  // namespace

PreparedKeys::PreparedKeys(AccountKeys keys) : raw(std::move(keys)), key1(prepare(raw.key1)), key2(prepare(raw.key2)) {}

void MemoryKeyRing::set(AccountKeys keys) {
  auto prepared = std::make_shared<const PreparedKeys>(std::move(keys));
  std::lock_guard lock(mutex_);
  accounts_[prepared->raw.account] = std::move(prepared);
}

void MemoryKeyRing::remove(const std::string& account) {
  std::lock_guard lock(mutex_);
  accounts_.erase(account);
}

Task<std::shared_ptr<const PreparedKeys>> MemoryKeyRing::find(std::string account) {
  std::shared_ptr<const PreparedKeys> found;
  {
    std::lock_guard lock(mutex_);
    if (const auto it = accounts_.find(account); it != accounts_.end()) found = it->second;
  }
  co_return found;
}

std::string sign_text(BytesView key, std::string_view text) {
  return base64_encode(hmac_sha256(key, as_bytes(text)));
}

bool signed_by(const PreparedKeys& keys, std::string_view text, BytesView signature) {
  // Who signed with key 1 knows that it was key 1: nothing is told by not trying key 2. A stranger always waits for
  // both.
  return signed_by_one(keys.key1, keys.raw.key1, text, signature) ||
         signed_by_one(keys.key2, keys.raw.key2, text, signature);
}

}  // namespace tombolo::auth
