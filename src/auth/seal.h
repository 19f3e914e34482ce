// Sealer: secrets at rest (account keys, remote credentials) under the root key.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace tombolo::auth {

/// AES-256-GCM under HKDF-SHA256(root key, purpose), 96 random nonce bits; format of docs/formats/values.md, "sealed".
/// Thread-safe. Neither keys nor plaintext ever reach a log or an error.
class Sealer {
 public:
  static constexpr std::size_t kRootKeyBytes = 32;

  /// Requires: root_key.size() == kRootKeyBytes.
  Sealer(BytesView root_key, Random& random);

  /// `purpose` ties the secret to its place ("account-key:NAME"): opened elsewhere it does not verify.
  std::string seal(std::string_view purpose, std::string_view secret) const;
  /// kCorrupt when it does not verify: damaged, another purpose, or another root key.
  Result<std::string> open(std::string_view purpose, std::string_view sealed) const;

 private:
  Bytes derive(std::string_view purpose) const;

  Bytes root_key_;
  Random& random_;
};

}  // namespace tombolo::auth
