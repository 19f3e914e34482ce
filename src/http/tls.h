// TLS: what a listener shows and what a client trusts. TLS 1.2 and 1.3, ciphers with authentication built in, ALPN
// http/1.1; OpenSSL's own headers stay inside the .cc files.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace tombolo::http {

struct SslFree {
  void operator()(ssl_st* session) const;
  void operator()(ssl_ctx_st* context) const;
};
/// One connection's state in OpenSSL.
using SslSession = std::unique_ptr<ssl_st, SslFree>;
using SslContext = std::unique_ptr<ssl_ctx_st, SslFree>;

/// PEM text: the certificate with its chain behind it, and its private key without a passphrase.
struct TlsPair {
  std::string chain_pem;
  std::string key_pem;
};

/// For people and metrics.
struct TlsCertificate {
  std::string subject;  // "CN=…"
  std::string names;    // of the subject alternative names, separated by spaces
  std::string sha256;   // of the certificate, hex
  WallTime not_before;
  WallTime not_after;
};

/// A listener's side. Thread-safe. The SNI of a client is ignored: one certificate serves every name that it holds.
/// Nothing is remembered of a session (tickets carry it), so that an idle connection costs the process little.
class TlsServer {
 public:
  /// kInvalid, with what is wrong, for text without a certificate or key, a passphrase, a key of another certificate,
  /// or one that is too weak. Dates are not judged.
  static Result<std::shared_ptr<TlsServer>> make(const TlsPair& pair);

  /// Handshakes that begin from now on show the new pair; connections go on. After an error the old pair stays.
  Result<void> replace(const TlsPair& pair);
  TlsCertificate certificate() const;

  struct Counts {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;  // connections that ended without a byte, as port probes do, are not counted
  };
  Counts counts() const { return {done_.load(), failed_.load()}; }

  // For streams.
  SslSession begin() const;
  void ended_well() { ++done_; }
  void failed() { ++failed_; }

 private:
  struct Shown {
    SslContext context;
    TlsCertificate certificate;
  };
  TlsServer() = default;
  static Result<Shown> load(const TlsPair& pair);

  mutable std::mutex mutex_;
  Shown shown_;
  std::atomic<std::uint64_t> done_{0}, failed_{0};
};

/// A client's side: peers must show a certificate for the name that was asked for, signed by a CA of the system's store
/// or of the ones given. Thread-safe.
class TlsClient {
 public:
  /// `ca_pem`: certificates that are trusted besides the system's; empty: none. kInvalid when it is not empty and has
  /// no certificate.
  static Result<std::shared_ptr<TlsClient>> make(std::string_view ca_pem);

  /// For streams. `name`: of the peer, sent as SNI, or its IP literal; the certificate must hold it. kInvalid for what
  /// cannot be a name.
  Result<SslSession> begin(const std::string& name) const;

 private:
  explicit TlsClient(SslContext context) : context_(std::move(context)) {}
  const SslContext context_;
};

}  // namespace tombolo::http
