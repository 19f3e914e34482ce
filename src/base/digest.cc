#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

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
  Sha256Digest out;
  unsigned length = 0;
  const unsigned char* ok = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                 reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                                 reinterpret_cast<unsigned char*>(out.data()), &length);
  ASSERT(ok != nullptr && length == out.size());
  return out;
}

bool equal_constant_time(BytesView a, BytesView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tombolo
