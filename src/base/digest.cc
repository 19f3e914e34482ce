// The bare hash, whose state can be copied, has no other interface than the one that OpenSSL 3 calls deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace tombolo {
namespace {

template <std::size_t N>
std::array<std::byte, N> digest(const EVP_MD* kind, BytesView bytes) {
  std::array<std::byte, N> out;
  unsigned length = 0;
  const int ok =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length, kind, nullptr);
  ASSERT(ok == 1 && length == N);
  return out;
}

}  // namespace

Md5::Md5() : context_(EVP_MD_CTX_new()) {
  ASSERT(context_ != nullptr);
  const int ok = EVP_DigestInit_ex(context_, EVP_md5(), nullptr);
  ASSERT(ok == 1);
}
Md5::~Md5() {
  EVP_MD_CTX_free(context_);
}
Md5::Md5(Md5&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Md5& Md5::operator=(Md5&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Md5::update(BytesView bytes) {
  const int ok = EVP_DigestUpdate(context_, bytes.data(), bytes.size());
  ASSERT(ok == 1);
}

Md5Digest Md5::finish() {
  Md5Digest out;
  unsigned length = 0;
  const int ok = EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(out.data()), &length);
  ASSERT(ok == 1 && length == out.size());
  return out;
}

Md5Digest md5(BytesView bytes) {
  return digest<16>(EVP_md5(), bytes);
}
Sha256Digest sha256(BytesView bytes) {
  return digest<32>(EVP_sha256(), bytes);
}

Sha256Digest hmac_sha256(BytesView key, BytesView message) {
  return HmacSha256Key(key).sign(message);
}

namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;

// The state after one block of the key, every byte of it changed by `pad` (RFC 2104).
std::array<std::uint32_t, 8> padded(const std::array<std::byte, kBlockBytes>& key, std::byte pad) {
  std::array<std::byte, kBlockBytes> block;
  std::transform(key.begin(), key.end(), block.begin(), [pad](std::byte b) { return b ^ pad; });
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
  return std::to_array(context.h);
}

// The hash of the key's block, already in `state`, and `message` behind it.
Sha256Digest finish(const std::array<std::uint32_t, 8>& state, BytesView message) {
  SHA256_CTX context = {};
  std::copy(state.begin(), state.end(), context.h);
  context.Nl = kBlockBytes * 8;  // the bits hashed so far
  context.md_len = SHA256_DIGEST_LENGTH;
  SHA256_Update(&context, message.data(), message.size());
  Sha256Digest out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context);
  return out;
}

}  // namespace

HmacSha256Key::HmacSha256Key(BytesView key) {
  std::array<std::byte, kBlockBytes> block = {};
  if (key.size() <= block.size()) {
    std::copy(key.begin(), key.end(), block.begin());
  } else {
    const Sha256Digest hashed = sha256(key);
    std::copy(hashed.begin(), hashed.end(), block.begin());
  }
  inner_ = padded(block, std::byte{0x36});
  outer_ = padded(block, std::byte{0x5C});
  OPENSSL_cleanse(block.data(), block.size());
}

Sha256Digest HmacSha256Key::sign(BytesView message) const {
  return finish(outer_, finish(inner_, message));
}

bool equal_constant_time(BytesView a, BytesView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tombolo
