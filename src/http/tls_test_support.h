// Certificates made on the spot, and a TLS peer over a blocking socket that can be told to misbehave.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <memory>
#include <string>

#include "http/server_test_support.h"
#include "http/tls.h"

namespace tombolo::http {

/// A certificate with its key. P-256: made in no time.
class TestCertificate {
 public:
  struct Options {
    std::string name = "localhost";
    std::string alternatives = "DNS:localhost,IP:127.0.0.1";  // empty: a CA
    long days = 30;
    const TestCertificate* signer = nullptr;  // null: by itself
  };
  explicit TestCertificate(Options options) : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    static long serial = 0;
    X509_set_version(certificate_, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -86'400);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), options.days * 86'400);
    X509_set_pubkey(certificate_, key_);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1, 0);
    const TestCertificate& signer = options.signer == nullptr ? *this : *options.signer;
    X509_set_issuer_name(certificate_, X509_get_subject_name(signer.certificate_));
    if (options.alternatives.empty()) {
      extend(NID_basic_constraints, "critical,CA:TRUE");
    } else {
      extend(NID_subject_alt_name, options.alternatives);
    }
    EXPECT_GT(X509_sign(certificate_, signer.key_, EVP_sha256()), 0);
  }
  ~TestCertificate() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;

  std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate_);
    return take(bio);
  }
  std::string key_pem(const char* passphrase = nullptr) const {
    BIO* bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER* cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
    PEM_write_bio_PrivateKey(bio, key_, cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
    return take(bio);
  }
  TlsPair pair() const { return {pem(), key_pem()}; }

 private:
  void extend(int nid, const std::string& text) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, text.c_str());
    EXPECT_NE(extension, nullptr);
    X509_add_ext(certificate_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string take(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

/// A blocking TLS client, or server, that trusts everybody.
class RawTls {
 public:
  struct Options {
    int version_min = TLS1_2_VERSION;
    int version_max = TLS1_3_VERSION;
    std::string alpn = "\x08http/1.1";
    const TestCertificate* certificate = nullptr;  // set: the server's side
  };
  RawTls(RawSocket socket, Options options) : socket_(std::move(socket)) {
    std::signal(SIGPIPE, SIG_IGN);
    const bool server = options.certificate != nullptr;
    context_.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), options.version_min);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    SSL_CTX_set_security_level(context_.get(), 0);  // it may offer what is refused
    if (server) {
      const std::string pem = options.certificate->pem(), key = options.certificate->key_pem();
      BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
      X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
      SSL_CTX_use_certificate(context_.get(), certificate);
      X509_free(certificate);
      BIO_free(bio);
      bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
      EVP_PKEY* private_key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
      SSL_CTX_use_PrivateKey(context_.get(), private_key);
      EVP_PKEY_free(private_key);
      BIO_free(bio);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    ERR_clear_error();
    shaken_ = (server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
  }

  bool shaken() const { return shaken_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string protocol() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  /// CN of what the peer showed.
  std::string peer_name() const {
    char text[128] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl_.get())), NID_commonName, text,
                              sizeof text);
    return text;
  }
  bool send(std::string_view bytes) {
    std::size_t n = 0;
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n) == 1;
  }
  enum class End { kOrderly, kCut };
  /// Appends what comes until the peer's end.
  End read_to_end(std::string& into) {
    char buffer[16 * 1024];
    std::size_t n = 0;
    while (SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &n) == 1) into.append(buffer, n);
    return SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN ? End::kOrderly : End::kCut;
  }
  /// One answer with a Content-Length; empty when none came.
  std::string read_answer() {
    std::string out;
    while (!out.ends_with("\r\n\r\n")) {
      if (!receive(out, 1)) return {};
    }
    const std::size_t whole = out.size() + std::stoul(out.substr(out.find("Content-Length: ") + 16));
    while (out.size() < whole) {
      if (!receive(out, whole - out.size())) return {};
    }
    return out;
  }
  void say_goodbye() { SSL_shutdown(ssl_.get()); }
  /// Forgets the session without a word to the peer; the connection stays.
  RawSocket release() && {
    ssl_.reset();
    return std::move(socket_);
  }

 private:
  bool receive(std::string& into, std::size_t most) {
    const std::size_t had = into.size();
    std::size_t n = 0;
    into.resize(had + most);
    const bool got = SSL_read_ex(ssl_.get(), into.data() + had, most, &n) == 1;
    into.resize(had + (got ? n : 0));
    return got;
  }

  RawSocket socket_;
  SslContext context_;
  SslSession ssl_;
  bool shaken_ = false;
};

}  // namespace tombolo::http
