// KeyRing: where account keys come from.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "async/task.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/ids.h"

namespace tombolo::auth {

/// An account and its two keys, either of which signs. Keys are raw bytes (base64 is for people), never logged. An
/// empty key signs nothing and matches nothing, so an account can have one key, or none.
struct AccountKeys {
  TenantId tenant = {};
  std::string account = {};
  Bytes key1 = {};
  Bytes key2 = {};
};

/// Keys made ready to verify with: hashing a key takes longer than hashing what it signs.
struct PreparedKeys {
  PreparedKeys(AccountKeys keys);  // NOLINT: implicit on purpose, it is the same thing
  AccountKeys raw;
  HmacSha256Key key1, key2;
};

/// Thread-safe. store/ implements it over its account rows.
class KeyRing {
 public:
  virtual ~KeyRing() = default;
  /// nullptr: no such account. An error means that nobody knows (kUnavailable, kBusy), never "no".
  virtual Task<std::shared_ptr<const PreparedKeys>> find(std::string account) = 0;
};

/// A ring in memory, for tests and for the emulator account. Thread-safe.
class MemoryKeyRing final : public KeyRing {
 public:
  /// Replaces an account of the same name: that is how a key is revoked.
  void set(AccountKeys keys);
  void remove(const std::string& account);
  Task<std::shared_ptr<const PreparedKeys>> find(std::string account) override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const PreparedKeys>> accounts_;
};

/// HMAC-SHA256 in base64, the form of every Azure signature.
std::string sign_text(BytesView key, std::string_view text);

/// True when `signature` is the HMAC-SHA256 of `text` under one of the keys. Where it is not, that takes the same time
/// whether both keys, one or none are set.
bool signed_by(const PreparedKeys& keys, std::string_view text, BytesView signature);

}  // namespace tombolo::auth
