// The one table of settings: file, environment and flags all read it, and the documentation is printed from it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::server {

// X(member, type, key, default, unit, effect). Type is text, size, count, seconds or flag. A new setting is one line.
// clang-format off
#define TOMBOLO_SETTINGS(X)                                                                                                                  \
  X(data, text, "server.data", "", "path", "directory that holds everything; made with mode 0700 when missing")                              \
  X(listen, text, "server.listen", "127.0.0.1:10000", "address:port", "where Azure Blob clients connect; beyond loopback only when you say so") \
  X(admin_listen, text, "server.admin_listen", "127.0.0.1:10080", "address:port", "admin API, /healthz and /metrics; keep it on loopback: beyond it the admin token travels in clear, which each start warns of, and there is tls.admin_listen")   \
  X(public_url, text, "server.public_url", "", "URL", "where clients reach the Blob service, as `account create` and `sas` write it: https://blob.example.com, or https://ACCOUNT.blob.example.com for host style; empty: server.listen") \
  X(tls_listen, text, "tls.listen", "", "address:port", "where Azure Blob clients connect over TLS, beside server.listen; empty: nowhere") \
  X(tls_admin_listen, text, "tls.admin_listen", "", "address:port", "the admin API over TLS, beside server.admin_listen; empty: nowhere") \
  X(tls_cert_file, text, "tls.cert_file", "", "path", "PEM: the certificate and its chain; read again on SIGHUP and by `tombolo tls reload`") \
  X(tls_key_file, text, "tls.key_file", "", "path", "PEM: its private key, mode 0600 (0640 where root owns it), without a passphrase") \
  X(remote_ca_file, text, "remote.ca_file", "", "path", "PEM: CAs whose https remotes are trusted, besides the system's") \
  X(threads, count, "server.threads", 0, "threads", "event loops; 0 = one a core")                                                           \
  X(workers, count, "server.workers", 0, "threads", "threads for disk calls, hashing and compression; 0 = 4 a core")                         \
  X(log_level, text, "server.log_level", "info", "debug, info, warn, error", "what is logged on standard error")                                \
  X(access_log, flag, "server.access_log", false, "true, false", "log every request of clients with its id, status, bytes and time; what the admin API changes is in the audit log") \
  X(stop_seconds, seconds, "server.stop_seconds", 20, "s", "how long a graceful stop waits for running requests")                            \
  X(connections_max, count, "limits.connections_max", 16'000, "connections", "open client connections; past it the longest idle gives way to a new one; lowered at start to what the limit of open files allows") \
  X(head_seconds, seconds, "limits.head_seconds", 30, "s", "longest time for a whole request head, and for a new connection to start one") \
  X(keep_alive_seconds, seconds, "limits.keep_alive_seconds", 300, "s", "how long a connection may be silent between requests")              \
  X(stall_seconds, seconds, "limits.stall_seconds", 60, "s", "longest wait for a client to send more of a body or take more of an answer")   \
  X(client_rate_min, size, "limits.client_rate_min", 512, "bytes/s", "a client that is slower than this on average over about limits.stall_seconds, sending a body or taking an answer, is cut off; 0 = any") \
  X(requests_max, count, "limits.requests_max", 2'048, "requests", "requests under way in all; 503 ServerBusy past it; each may hold up to 512 KiB of memory; 0 = any") \
  X(account_requests_max, count, "limits.account_requests_max", 1'024, "requests", "requests under way of one account; 503 ServerBusy past it; 0 = any") \
  X(account_requests_per_second, count, "limits.account_requests_per_second", 0, "requests/s", "of one account; 503 ServerBusy with Retry-After past it; 0 = any") \
  X(account_upload_bytes_max, size, "limits.account_upload_bytes_max", 0, "bytes", "announced bodies under way of one account; 503 ServerBusy past it; a single larger one is let in alone; 0 = any") \
  X(cache_bytes, size, "cache.bytes", 128 * 1024 * 1024, "bytes", "memory for verified blocks; raise it when hot reads miss")                \
  X(segment_bytes, size, "data.segment_bytes", 64 * 1024 * 1024, "bytes", "size of a segment file; smaller frees space sooner, larger means fewer files") \
  X(reserve_bytes, size, "data.reserve_bytes", 64 * 1024 * 1024, "bytes", "free space kept for deletes, flushes and recovery; all writes answer 503 below it, and uploads of more than 4 KiB where the next segment (data.segment_bytes) does not fit above it; an eighth is also held in a file, against other programs") \
  X(log_file_bytes, size, "log.file_bytes", 16 * 1024 * 1024, "bytes", "size of a commit log file")                                          \
  X(index_flush_bytes, size, "log.flush_bytes", 32 * 1024 * 1024, "bytes", "commit log to replay after a crash, at most about twice this")    \
  X(gc_interval_seconds, seconds, "tiering.gc_interval_seconds", 5, "s", "how often dead bytes are looked for; 0 = ten times a second")                              \
  X(gc_grace_seconds, seconds, "tiering.gc_grace_seconds", 5, "s", "age at which a dead gen's local bytes may go")                           \
  X(remote_grace_seconds, seconds, "tiering.remote_grace_seconds", 604'800, "s", "age at which a dead gen's remote copy is deleted; keep it above the age of the oldest backup that you would restore") \
  X(compact_dead_percent, count, "tiering.compact_dead_percent", 20, "percent", "a sealed segment with more dead bytes is compacted")        \
  X(offload_parallel, count, "tiering.offload_parallel", 8, "objects", "objects that one job moves at once")                                 \
  X(jobs_max, count, "tiering.jobs_max", 2, "jobs", "jobs that run at once")                                                                 \
  X(audit_file, text, "audit.file", "", "path", "log of administrative changes and of changes of rights, one JSON object a line; empty = audit.log in the data directory") \
  X(census_seconds, seconds, "observe.census_seconds", 60, "s", "rest between two counts of where bytes are and what is exposed (metrics); 0 = never")  \
  X(remote_first_byte_seconds, seconds, "remote.first_byte_seconds", 30, "s", "how long a remote may take to begin an answer, at most 60")                 \
  X(remote_stall_seconds, seconds, "remote.stall_seconds", 30, "s", "how long a body to or from a remote may stand still")                   \
  X(remote_operation_seconds, seconds, "remote.operation_seconds", 60, "s", "age at which a request to a remote that fails is tried once more at most")         \
  X(remote_tries, count, "remote.tries", 5, "tries", "of one request to a remote, the first included")                                       \
  X(dev, flag, "server.dev", false, "true, false", "adds the emulator's well-known account devstoreaccount1; loopback only")
// clang-format on

struct Settings {
#define TOMBOLO_SETTING_text std::string
#define TOMBOLO_SETTING_size std::uint64_t
#define TOMBOLO_SETTING_count std::uint64_t
#define TOMBOLO_SETTING_seconds std::uint64_t
#define TOMBOLO_SETTING_flag bool
#define X(member, type, key, value, ...) TOMBOLO_SETTING_##type member = value;
  TOMBOLO_SETTINGS(X)
#undef X
};

struct SettingInfo {
  std::string_view key, type, default_text, unit, effect;
};
const std::vector<SettingInfo>& setting_table();
/// The table for people, in Markdown; docs/configuration.md is this text.
std::string settings_page();

/// Key and text of those that differ from their defaults.
std::vector<std::pair<std::string, std::string>> changed_settings(const Settings& settings);

/// Sets one setting from text: sizes take KiB, MiB, GiB, TiB. kInvalid names the key and what would be right.
Result<void> set(Settings& settings, std::string_view key, std::string_view text);
/// Applies a TOML document (`where` names it in errors). Unknown keys are errors: a misspelt limit must not be silent.
Result<void> apply_toml(Settings& settings, std::string_view document, std::string_view where);
/// Applies TOMBOLO_… variables: TOMBOLO_SERVER_LISTEN is server.listen. Gives a warning for each whose first word is a
/// section of the table and that names no setting: others may have set it, so it stops nothing. Passed over are those
/// that Kubernetes makes of services, and those of the command line (TOMBOLO_DATA, TOMBOLO_REMOTE_KEY). No warning
/// holds a value.
Result<std::vector<std::string>> apply_environment(Settings& settings,
                                                   const std::map<std::string, std::string>& environment);
/// What can be judged without starting: addresses parse, --dev is on loopback, a data directory is named, TLS has all
/// that it needs, numbers are within their bounds (settings_bounds.h).
Result<void> validate(const Settings& settings);
/// What was chosen, is done, and should not be: an admin API in clear beyond loopback. For each start's log.
std::vector<std::string> unwise(const Settings& settings);

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};
Result<Endpoint> parse_endpoint(std::string_view text);
bool is_loopback(const Endpoint& endpoint);
/// server.public_url, or `otherwise`, for an account: without a slash at its end.
std::string account_url(const Settings& settings, const std::string& otherwise, const std::string& account);

}  // namespace tombolo::server
