// Control: what the admin API needs of the composed server beyond the store itself. server/ implements it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admin/audit.h"
#include "async/task.h"
#include "base/clock.h"
#include "remote/measure.h"
#include "remote/probe.h"
#include "tiering/fsck.h"

namespace tombolo::admin {

struct NewRemote {
  std::string name;      // lower-case letters, digits, '-'; 1 to 63
  std::string kind;      // "azure" or "file"
  std::string endpoint;  // azure: URL of the account's Blob service; file: an absolute directory
  std::string bucket;    // azure: the container
  std::string prefix;    // of every key; empty or ending in '/'
  std::string account;   // azure: account name
  std::string key;       // azure: account key in base64; or
  std::string sas;       // azure: a SAS query string
};

struct RemoteView {
  std::string name, kind, endpoint, bucket, prefix;
  bool healthy = false;
  std::string problem;  // why not; empty when healthy
};

/// How far `tombolo remote test` may go.
struct RemoteTestLimits {
  std::uint64_t bytes = 8 * 1024 * 1024;  // of the object that is written and read; 0: nothing is measured
  std::uint64_t seconds = 20;             // for measuring
};

/// What `tombolo remote test` found.
struct RemoteTestReport {
  std::string kind;  // of the remote
  std::vector<remote::ProbeStep> steps;
  std::optional<remote::Measured> measured;  // only where every step was good
  std::string measure_problem;               // why there is none although every step was good
  std::optional<Duration> clock_skew;        // its clock minus ours
};

/// What exists on this machine only.
struct Exposed {
  std::uint64_t objects = 0, bytes = 0;
  double oldest_seconds = 0;  // age of the oldest such object; 0: there is none
  WallTime counted;
};

struct Status {
  std::string version, durability;
  double uptime_seconds = 0;
  std::uint64_t objects = 0, bytes = 0;  // of all containers
  std::uint64_t bytes_local = 0;         // live run bytes on flash
  std::uint64_t bytes_cold = 0;          // logical bytes whose only place is a remote
  std::uint64_t bytes_cached = 0;        // in the block cache
  std::uint64_t segment_file_bytes = 0;  // disk use of segments
  std::uint64_t open_segment_bytes = 0;  // of these: segments that are being written
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t log_bytes = 0, log_syncs = 0, committed_sequence = 0;
  std::optional<Exposed> exposed;  // as it was counted last; none: not counted since the start
  std::string stopped_reason;      // why the cell takes no writes, or no uploads; empty when it does
};

/// The certificate that new handshakes show.
struct TlsView {
  std::string certificate_file, subject, names, sha256;
  WallTime not_before, not_after;
  std::uint64_t handshakes = 0, handshakes_failed = 0;  // since start
};

/// Thread-safe.
class Control {
 public:
  virtual ~Control() = default;
  virtual Task<void> add_remote(NewRemote remote) = 0;
  virtual Task<std::vector<RemoteView>> remotes() = 0;
  /// What of `remote` is not empty replaces what there is; its name and kind stay.
  virtual Task<void> update_remote(NewRemote remote) = 0;
  virtual Task<RemoteTestReport> test_remote(std::string name, RemoteTestLimits limits) = 0;
  virtual Task<Status> status() = 0;
  virtual Task<tiering::FsckReport> fsck(tiering::FsckOptions options, tiering::FsckProgress progress) = 0;
  /// Whether clients may come: between the end of starting and the beginning of stopping.
  virtual bool ready() const = 0;
  /// In the audit log, durably, when it succeeds.
  virtual Task<void> audit(AuditRecord record) = 0;
  /// Where clients reach an account, for connection strings and URLs: "http://127.0.0.1:10000/mystore".
  virtual std::string account_url(const std::string& account) const = 0;
  /// kInvalid when TLS is not set up.
  virtual Task<TlsView> tls() = 0;
  /// Reads certificate and key again; after an error the old ones stay.
  virtual Task<TlsView> reload_tls() = 0;
};

}  // namespace tombolo::admin
