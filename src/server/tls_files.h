// TlsFiles: the server's certificate and key, from files that may be replaced while it runs.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "http/tls.h"

namespace tombolo::server {

struct TlsPaths {
  std::string certificate;  // PEM: the certificate, then its chain
  std::string key;          // PEM, no passphrase
};

/// Thread-safe. Errors name the file and what to do.
class TlsFiles {
 public:
  /// kNotFound; kPermissionDenied for a key file that others can read (0600, or 0640 where root owns it); kInvalid. A
  /// certificate that is out of date is used, with an error in the log.
  static Result<std::unique_ptr<TlsFiles>> open(TlsPaths paths, Clock& clock);

  /// Reads both again: new handshakes show what they hold now. After an error (also kInvalid for a certificate that is
  /// out of date) the old pair stays. Logged either way: who asks is often not who reads the log. Blocks.
  Result<http::TlsCertificate> reload();

  const std::shared_ptr<http::TlsServer>& server() const { return server_; }
  const TlsPaths& paths() const { return paths_; }

 private:
  TlsFiles(TlsPaths paths, Clock& clock) : paths_(std::move(paths)), clock_(clock) {}

  const TlsPaths paths_;
  Clock& clock_;
  std::shared_ptr<http::TlsServer> server_;
};

/// What https remotes are trusted by: the system's CAs and those of `ca_file` (PEM; empty: none). Blocks.
Result<std::shared_ptr<http::TlsClient>> trust(const std::string& ca_file);

}  // namespace tombolo::server
