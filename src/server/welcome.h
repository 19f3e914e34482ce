// What `tombolo serve` says on standard output once it listens: where, and lines to paste.
#pragma once

#include <string>
#include <vector>

namespace tombolo::server {

struct WelcomeFacts {
  std::string version, data, blob_url, admin_url;
  std::string blob_tls_url, admin_tls_url;  // empty: no TLS there
  std::vector<std::string> accounts;        // all of them
  std::string dev_account;                  // the emulator's, whose key is published; empty without --dev
  std::string dev_connection_string;        // no secret; empty without --dev
};

/// For people. Holds no key but the published one: whoever may read the data directory gets the others by `tombolo
/// account keys`.
std::string welcome_text(const WelcomeFacts& facts);

}  // namespace tombolo::server
