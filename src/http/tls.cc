#include "http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/encoding.h"

namespace tombolo::http {
namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    kFree(p);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// Mozilla's "intermediate" list of 2025 without DHE: forward secret, authenticated.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kAlpn = "\x08http/1.1";
constexpr int kChainMax = 16;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(error);
  return text == nullptr ? "no reason given" : text;
}

Error bad(std::string_view what) {
  Error error{Code::kInvalid, fmt::format("{}: {}", what, reason())};
  ERR_clear_error();
  return error;
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, octets(kAlpn), static_cast<unsigned>(kAlpn.size()),
                                          offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// What both sides have in common. The values are constants: they are right or the library is broken.
SslContext make_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  ASSERT(context);
  SSL_CTX* const raw = context.get();
  ASSERT(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1);
  ASSERT(SSL_CTX_set_cipher_list(raw, kCiphers12) == 1);
  ASSERT(SSL_CTX_set1_groups_list(raw, kGroups) == 1);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // An idle connection holds no record buffers; a write may go on with the same bytes at another address.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(raw, 1);  // a record with one call of the kernel instead of two
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  return context;
}

// The certificates of a PEM text, in order; others than certificates end it with an error.
Result<std::vector<Certificate>> read_certificates(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> found;
  while (true) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (!next) break;
    found.push_back(std::move(next));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return bad("a certificate cannot be read");
  ERR_clear_error();
  return found;
}

Result<WallTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return bad("the certificate has a date that is none");
  return WallTime{static_cast<std::int64_t>(timegm(&parts)) * 1'000'000};
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<std::size_t>(size));
}

std::string names_of(X509* certificate) {
  auto* const all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (all == nullptr) return {};
  std::string names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const Bio bio(BIO_new(BIO_s_mem()));
    GENERAL_NAME_print(bio.get(), sk_GENERAL_NAME_value(all, i));
    names += (names.empty() ? "" : " ") + text_of(bio.get());
  }
  GENERAL_NAMES_free(all);
  return names;
}

Result<TlsCertificate> describe(X509* certificate) {
  TlsCertificate out;
  const Bio subject(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  out.subject = text_of(subject.get());
  out.names = names_of(certificate);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ASSERT(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  out.sha256 = hex_encode(std::as_bytes(std::span(digest).first(size)));
  TRY_ASSIGN(out.not_before, time_of(X509_get0_notBefore(certificate)));
  TRY_ASSIGN(out.not_after, time_of(X509_get0_notAfter(certificate)));
  ERR_clear_error();
  return out;
}

}  // namespace

void SslFree::operator()(ssl_st* session) const {
  SSL_free(session);
}
void SslFree::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsServer::Shown> TlsServer::load(const TlsPair& pair) {
  ERR_clear_error();
  TRY_ASSIGN(std::vector<Certificate> chain, read_certificates(pair.chain_pem));
  if (chain.empty()) return Error{Code::kInvalid, "there is no certificate in the certificate file (PEM is expected)"};
  if (chain.size() > kChainMax) return Error{Code::kInvalid, fmt::format("the chain has over {} links", kChainMax)};
  const Bio bio(BIO_new_mem_buf(pair.key_pem.data(), static_cast<int>(pair.key_pem.size())));
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return bad("the private key cannot be read (PEM without a passphrase is expected)");

  TRY_ASSIGN(TlsCertificate described, describe(chain.front().get()));
  Shown shown{make_context(TLS_server_method()), std::move(described)};
  SSL_CTX* const raw = shown.context.get();
  if (SSL_CTX_use_certificate(raw, chain.front().get()) != 1) return bad("the certificate cannot be used");
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(raw, chain[i].get()) != 1) return bad("the certificate's chain cannot be used");
  }
  if (SSL_CTX_use_PrivateKey(raw, key.get()) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    return bad("the private key is not the certificate's");
  }
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  SSL_CTX_set_num_tickets(raw, 1);
  return shown;
}

Result<std::shared_ptr<TlsServer>> TlsServer::make(const TlsPair& pair) {
  std::shared_ptr<TlsServer> made(new TlsServer());
  TRY(made->replace(pair));
  return made;
}

Result<void> TlsServer::replace(const TlsPair& pair) {
  TRY_ASSIGN(Shown loaded, load(pair));
  const std::lock_guard lock(mutex_);
  std::swap(shown_, loaded);
  return {};
}

TlsCertificate TlsServer::certificate() const {
  const std::lock_guard lock(mutex_);
  return shown_.certificate;
}

SslSession TlsServer::begin() const {
  const std::lock_guard lock(mutex_);
  SslSession session(SSL_new(shown_.context.get()));
  ASSERT(session);
  SSL_set_accept_state(session.get());
  return session;
}

Result<std::shared_ptr<TlsClient>> TlsClient::make(std::string_view ca_pem) {
  ERR_clear_error();
  SslContext context = make_context(TLS_client_method());
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_default_verify_paths(raw) != 1) return bad("the system's certificates cannot be read");
  ASSERT(SSL_CTX_set_alpn_protos(raw, octets(kAlpn), static_cast<unsigned>(kAlpn.size())) == 0);
  if (!ca_pem.empty()) {
    TRY_ASSIGN(const std::vector<Certificate> trusted, read_certificates(ca_pem));
    if (trusted.empty())
      return Error{Code::kInvalid, "there is no certificate among the trusted ones (PEM is expected)"};
    for (const Certificate& ca : trusted) {
      if (X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), ca.get()) != 1)
        return bad("a certificate cannot be trusted");
    }
  }
  ERR_clear_error();
  return std::shared_ptr<TlsClient>(new TlsClient(std::move(context)));
}

Result<SslSession> TlsClient::begin(const std::string& name) const {
  SslSession session(SSL_new(context_.get()));
  ASSERT(session);
  SSL* const raw = session.get();
  SSL_set_connect_state(raw);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(raw);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) != 1) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool set = !name.empty() && X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1 &&
                     SSL_ctrl(raw, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                              const_cast<char*>(name.c_str())) == 1;  // the macro of it casts in the old style
    if (!set) return Error{Code::kInvalid, fmt::format("\"{}\" cannot be the name of a TLS peer", name)};
  }
  return session;
}

}  // namespace tombolo::http
