#include "auth/seal.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

#include "base/assert.h"

namespace tombolo::auth {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceBytes = 12, kTagBytes = 16, kHeadBytes = 1 + kNonceBytes;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;
struct FreePkey {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
const unsigned char* raw(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(char* to) {
  return reinterpret_cast<unsigned char*>(to);
}

}  // namespace

Sealer::Sealer(BytesView root_key, Random& random) : root_key_(to_bytes(root_key)), random_(random) {
  ASSERT(root_key.size() == kRootKeyBytes);
}

Bytes Sealer::derive(std::string_view purpose) const {
  const std::unique_ptr<EVP_PKEY_CTX, FreePkey> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  Bytes key(32);
  std::size_t length = key.size();
  const bool ok = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                  EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
                  EVP_PKEY_CTX_set1_hkdf_key(context.get(), raw(root_key_), static_cast<int>(root_key_.size())) == 1 &&
                  EVP_PKEY_CTX_add1_hkdf_info(context.get(), raw(purpose), static_cast<int>(purpose.size())) == 1 &&
                  EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(key.data()), &length) == 1;
  ASSERT(ok && length == key.size());
  return key;
}

std::string Sealer::seal(std::string_view purpose, std::string_view secret) const {
  std::string out(kHeadBytes + secret.size() + kTagBytes, kVersion);
  random_.fill({reinterpret_cast<std::byte*>(out.data()) + 1, kNonceBytes});
  const Bytes key = derive(purpose);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ok =
      cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(out.data() + 1)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), raw(out.data() + kHeadBytes), &n, raw(secret), static_cast<int>(secret.size())) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), raw(out.data() + kHeadBytes + n), &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + kHeadBytes + secret.size()) == 1;
  ASSERT(ok);
  return out;
}

Result<std::string> Sealer::open(std::string_view purpose, std::string_view sealed) const {
  const Error failed{Code::kCorrupt,
                     "a sealed secret does not open: the row is damaged or the root key is not the one it was sealed "
                     "with; restore root.key from your backup"};
  if (sealed.size() < kHeadBytes + kTagBytes || sealed[0] != kVersion) return failed;
  const std::size_t length = sealed.size() - kHeadBytes - kTagBytes;
  std::string out(length, '\0');
  std::string tag(sealed.substr(kHeadBytes + length));
  const Bytes key = derive(purpose);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ok =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(sealed.substr(1, kNonceBytes))) == 1 &&
      EVP_DecryptUpdate(cipher.get(), raw(out.data()), &n, raw(sealed.substr(kHeadBytes, length)),
                        static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), raw(out.data() + n), &n) == 1;
  if (!ok) return failed;
  return out;
}

}  // namespace tombolo::auth
