// The data directory: made, locked, and with its two secrets in place.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace tombolo::server {

/// What lies in it:
///   root.key      32 random bytes in hex, mode 0600: seals account keys and remote credentials. Back it up.
///   admin.token   64 hex digits, mode 0600: what the CLI shows to the admin API.
///   admin.url     where the admin API of the running server listens, for the CLI.
///   LOCK          held while a process uses the directory.
///   failed-sync   left by a process whose cell a failed sync has stopped: why, for people; its time is what counts.
///   log/ index/ segments/   the cell (kv/log, kv/rocks, data)
///
/// Held for as long as the object lives. Movable, not copyable.
class DataDirectory {
 public:
  /// Makes what is missing (the directory 0700), tells in the log of a cell that is new, and keeps index/ from all but
  /// user and group. Refuses, saying what to do, when another process holds it, when its secrets belong to another user
  /// or can be read by others, or when root.key is missing although data is there.
  static Result<DataDirectory> open(const std::string& path, Random& random);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::string& path() const { return path_; }
  const Bytes& root_key() const { return root_key_; }
  const std::string& admin_token() const { return admin_token_; }
  /// Writes admin.url.
  Result<void> publish_admin_url(const std::string& url) const;

  /// Leaves failed-sync in the directory `path`, so that the next process can tell of it. May block as long as the
  /// disk.
  static Result<void> mark_failed_sync(const std::string& path, const std::string& why);
  /// When failed-sync was left there, in seconds since 1970; 0 when it is not there.
  static double failed_sync_seconds(const std::string& path);

 private:
  DataDirectory() = default;

  std::string path_;
  Bytes root_key_;
  std::string admin_token_;
  int lock_ = -1;
};

}  // namespace tombolo::server
