// MD5, SHA-256 and HMAC-SHA256 by OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

struct evp_md_ctx_st;

namespace tombolo {

using Md5Digest = std::array<std::byte, 16>;
using Sha256Digest = std::array<std::byte, 32>;

/// Incremental MD5. Not thread-safe. About 0.7 GB/s on one core: run it on a worker for large inputs.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(Md5&&) noexcept;
  Md5& operator=(Md5&&) noexcept;
  void update(BytesView bytes);
  /// Requires: called once, nothing after it.
  Md5Digest finish();

 private:
  evp_md_ctx_st* context_;
};

Md5Digest md5(BytesView bytes);
Sha256Digest sha256(BytesView bytes);
Sha256Digest hmac_sha256(BytesView key, BytesView message);

/// A key whose two padded blocks are hashed already, so that a short message costs a third of hmac_sha256(). Secret as
/// the key itself; immutable, so thread-safe.
class HmacSha256Key {
 public:
  explicit HmacSha256Key(BytesView key);
  Sha256Digest sign(BytesView message) const;

 private:
  using State = std::array<std::uint32_t, 8>;
  State inner_, outer_;
};

/// Compares in time that depends on the lengths only.
bool equal_constant_time(BytesView a, BytesView b);

}  // namespace tombolo
