#include "server/serve.h"

#include <malloc.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "admin/handler.h"
#include "async/run.h"
#include "async/scope.h"
#include "async/sleep.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/units.h"
#include "disk/posix/posix_disk.h"
#include "disk/space_reserve.h"
#include "kv/rocks/rocks_index.h"
#include "server/audit.h"
#include "server/data_directory.h"
#include "server/descriptors.h"
#include "server/notify.h"
#include "server/run_at_most.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/welcome.h"
#include "server/writable.h"
#include "tiering/fsck.h"

extern char** environ;

namespace tombolo::server {
namespace {

// The emulator's published account (Microsoft Learn, "Use the Azurite emulator"): a constant, not a secret.
constexpr const char* kDevAccount = "devstoreaccount1";
constexpr const char* kDevKey =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

// The part of reserve_bytes that no other program can take either.
constexpr std::uint64_t kHeldPart = 8;
constexpr Duration kReserveEvery = std::chrono::seconds(1);
// RocksDB writes a manifest when it opens, and aborts the process when that fails.
constexpr std::uint64_t kFreeToStart = 2 * kMiB;

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (const std::size_t equals = text.find('='); equals != std::string::npos) {
      all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return all;
}

Result<void> apply_config(Settings& settings, const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return Error{
        Code::kNotFound,
        fmt::format(
            "cannot read the config file {}: pass the --config of one that is there and that this user may read",
            path)};
  }
  return apply_toml(settings, text.str(), path);
}

Result<Settings> load_settings(const ServeArguments& arguments) {
  Settings settings;
  if (!arguments.config_file.empty()) {
    TRY(apply_config(settings, arguments.config_file));
  }
  TRY_ASSIGN(const std::vector<std::string> warnings, apply_environment(settings, environment()));
  for (const std::string& warning : warnings) log(LogLevel::kWarn, "server", "{}", warning);
  for (const auto& [key, text] : arguments.settings) {
    TRY(set(settings, key, text));
  }
  TRY(validate(settings));
  return settings;
}

void apply_log_level(const std::string& name) {
  const std::map<std::string, LogLevel> levels = {
      {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo}, {"warn", LogLevel::kWarn}, {"error", LogLevel::kError}};
  set_log_level(levels.at(name));
}

// Each listener for clients has all of limits.connections_max.
std::uint64_t client_listeners(const Settings& settings) {
  return settings.tls_listen.empty() ? 1 : 2;
}

std::uint64_t admin_connections(const Settings& settings) {
  return kAdminConnectionsMax * (settings.tls_admin_listen.empty() ? 1 : 2);
}

std::uint64_t connections_of_all(const Settings& settings) {
  return settings.connections_max * client_listeners(settings) + admin_connections(settings);
}

// Every connection is a descriptor: better fewer connections than no descriptor left for a segment.
Result<void> fit_connections(Settings& settings) {
  TRY_ASSIGN(const std::uint64_t limit, raise_descriptor_limit());
  const std::uint64_t all = connections_that_fit(connections_of_all(settings), limit);
  const std::uint64_t fit = (all - std::min(admin_connections(settings), all / 2)) / client_listeners(settings);
  if (fit < settings.connections_max) {
    log(LogLevel::kWarn, "server",
        "this process may open {} files only: {} client connections are served at once instead of {} "
        "(limits.connections_max); raise the hard limit (systemd: LimitNOFILE=, a shell: ulimit -Hn) or lower the "
        "setting",
        limit, fit, settings.connections_max);
    settings.connections_max = fit;
  }
  return {};
}

// What lives as long as the process' work on one data directory.
struct Opened {
  DataDirectory directory;
  Ground ground;
  std::unique_ptr<disk::SpaceReserve> reserve;
  std::unique_ptr<Cell> cell;
};

Task<void> make_room(disk::SpaceReserve& reserve, disk::Disk& disk, std::string data) {
  CO_TRY(reserve.balance());
  CO_TRY_ASSIGN(const disk::Space space, disk.space());
  if (space.free_bytes >= kFreeToStart) co_return Result<void>{};
  co_return Error{Code::kNoSpace,
                  fmt::format("the disk of {} is full ({} bytes free) and tombolo needs {} to start: free some, then "
                              "start it again; nothing is lost",
                              data, space.free_bytes, kFreeToStart)};
}

Task<void> keep_reserve(disk::SpaceReserve& reserve) {
  while (true) {
    CO_TRY(sleep_for(kReserveEvery));
    if (const auto balanced = co_await reserve.balance(); !balanced.ok()) {
      log(LogLevel::kWarn, "disk", "the reserve: {}", balanced.error().message);
    }
  }
}

/// Whoever has it closes its cell.
Result<Opened> open_cell(const Settings& settings, DataDirectory directory, MakeGround make_ground,
                         Background background, SystemClock& clock, SystemRandom& random, Runtime& runtime,
                         observe::Metrics& metrics) {
  TRY_ASSIGN(const std::uint64_t descriptors, raise_descriptor_limit());
  TRY_ASSIGN(auto trusted, trust(settings.remote_ca_file));
  TRY_ASSIGN(Ground ground, make_ground(settings.data, runtime.workers()));
  const std::uint64_t held = std::max<std::uint64_t>(1, settings.reserve_bytes / kHeldPart);
  auto reserve = std::make_unique<disk::SpaceReserve>(*ground.disk, "reserve", held);
  TRY(run_on(runtime.background(), make_room(*reserve, *ground.disk, settings.data)));
  kv::RocksIndexOptions index_options{.path = settings.data + "/index", .files = ground.index_files};
  TRY_ASSIGN(auto index,
             run_on(runtime.background(), kv::open_rocks_index(std::move(index_options), runtime.workers())));
  Foundation foundation{.disk = *ground.disk,
                        .index = std::move(index),
                        .root_key = directory.root_key(),
                        .clock = clock,
                        .random = random,
                        .runtime = runtime,
                        .metrics = metrics,
                        .trust = std::move(trusted),
                        .idle_files_max = idle_files_that_fit(connections_of_all(settings), descriptors)};
  TRY_ASSIGN(auto cell, run_on(runtime.background(), Cell::open(std::move(foundation), settings, background)));
  return Opened{std::move(directory), std::move(ground), std::move(reserve), std::move(cell)};
}

// What a person does next; the log goes to standard error and is not touched.
Result<void> print_welcome(const Settings& settings, const Server& server, Cell& cell, const Executor& loop) {
  TRY_ASSIGN(const std::vector<std::string> accounts, run_on(loop, cell.accounts().list()));
  std::error_code bad;
  const std::string data = std::filesystem::absolute(settings.data, bad).lexically_normal().string();
  WelcomeFacts facts{.version = kVersion,
                     .data = bad ? settings.data : data,
                     .blob_url = server.blob_url(),
                     .admin_url = server.admin_url(),
                     .blob_tls_url = server.blob_tls_url(),
                     .admin_tls_url = server.admin_tls_url(),
                     .accounts = accounts};
  if (settings.dev) {
    facts.dev_account = kDevAccount;
    facts.dev_connection_string =
        fmt::format("DefaultEndpointsProtocol=http;AccountName={};AccountKey={};BlobEndpoint={}/{};", kDevAccount,
                    kDevKey, server.blob_url(), kDevAccount);
  }
  std::fputs(welcome_text(facts).c_str(), stdout);
  std::fflush(stdout);
  return {};
}

std::string audit_path(const Settings& settings) {
  return settings.audit_file.empty() ? settings.data + "/audit.log" : settings.audit_file;
}

// Settings that differ from their defaults, none of which is a secret.
admin::AuditRecord life_record(std::string action, const Settings& settings) {
  admin::AuditRecord record;
  record.action = std::move(action);
  record.target = settings.data;
  record.who = "the service itself";
  record.result = "ok";
  record.details.emplace_back("version", fmt::format("{} ({})", kVersion, kRevision));
  for (const auto& [key, text] : changed_settings(settings)) record.details.emplace_back(key, text);
  return record;
}

// Clients are served without an audit log, too: who fills it up may not be who needs the data.
void record_start(Audit& audit, const Settings& settings) {
  if (audit.record_now(life_record("server.start", settings)).ok()) return;
  log(LogLevel::kError, "audit",
      "clients are served all the same; administrative changes answer 503 until records can be written again, which is "
      "tried with each of them");
}

// Both say in the log what came of it.
void at_hangup(Audit& audit, TlsFiles* tls) {
  log(LogLevel::kInfo, "server", "SIGHUP: opening the audit log anew{}", tls ? ", reading the certificate" : "");
  audit.reopen();
  if (tls != nullptr) static_cast<void>(tls->reload());
}

// The process that is started next tells of it (tombolo_failed_sync_timestamp_seconds): this one ends before anybody
// could be alerted. The disk fails, so it gets a moment, and nothing hangs on it.
void leave_mark(const std::string& data, const Error& why) {
  constexpr Duration kMarkMax = std::chrono::seconds(2);
  const auto left = std::make_shared<Result<void>>();
  const auto mark = [data, why = why.message, left] { *left = DataDirectory::mark_failed_sync(data, why); };
  if (!run_at_most(kMarkMax, mark)) {
    log(LogLevel::kWarn, "server", "nothing will tell of this after the start: the disk of {} does not answer", data);
  } else if (!left->ok()) {
    log(LogLevel::kWarn, "server", "nothing will tell of this after the start: {}", left->error().message);
  }
}

// glibc grows and shrinks a thread's heap by a few pages, system calls and page faults on the path of every request,
// and maps each buffer of 128 KiB or more anew. What is kept instead is what the busiest moment needed.
void keep_freed_memory() {
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

Result<void> run(const Settings& settings, MakeGround make_ground) {
  keep_freed_memory();
  SystemClock clock;
  SystemRandom random;
  observe::Metrics metrics;
  Runtime runtime(
      {.loops = static_cast<unsigned>(settings.threads), .workers = static_cast<unsigned>(settings.workers)});
  std::unique_ptr<TlsFiles> tls;
  if (!settings.tls_cert_file.empty()) {
    TRY_ASSIGN(tls, TlsFiles::open({settings.tls_cert_file, settings.tls_key_file}, clock));
  }
  TRY_ASSIGN(DataDirectory directory, DataDirectory::open(settings.data, random));
  TRY_ASSIGN(Opened opened,
             open_cell(settings, std::move(directory), make_ground, Background::kRun, clock, random, runtime, metrics));
  const Executor loop = runtime.background();
  Audit audit(std::make_shared<AuditFile>(audit_path(settings)), clock, metrics);
  Scope upkeep("disk reserve");
  upkeep.spawn(loop, keep_reserve(*opened.reserve));
  Result<void> result;
  bool served = false;
  {
    Server server(*opened.cell, settings, opened.directory.admin_token(), tls.get(), clock, runtime, audit);
    if (result.ok() && settings.dev)
      result = run_on(loop, opened.cell->accounts().ensure(kDevAccount, *base64_decode(kDevKey)));
    auto signals = std::make_unique<Signals>();  // a client that finds the server up may send one at once
    // Before anybody can ask for anything: it precedes every other record.
    record_start(audit, settings);
    if (result.ok()) result = run_on(loop, server.start());
    if (result.ok()) result = opened.directory.publish_admin_url(server.admin_url());
    if (result.ok()) result = print_welcome(settings, server, *opened.cell, loop);
    if (result.ok()) {
      server.set_ready();
      notify_service_manager("READY=1");
      const auto hangup = [&audit, &tls] { at_hangup(audit, tls.get()); };
      const auto failed = [&opened] { return stopped_for_good(opened.cell->engine().status()); };
      result = signals->wait(hangup, failed);
      signals.reset();
      notify_service_manager("STOPPING=1");
      if (!result.ok()) {
        log(LogLevel::kError, "server", "{}", result.error().message);
        leave_mark(settings.data, result.error());
      }
      log(LogLevel::kInfo, "server", "stopping: running requests have {} s", settings.stop_seconds);
      served = true;
    }
    auto stopped = run_on(loop, server.stop());
    if (result.ok()) result = std::move(stopped);
  }
  // It follows every other record, and keeps no client waiting for a disk that hangs.
  if (served) static_cast<void>(audit.record_now(life_record("server.stop", settings)));
  auto closed = run_on(loop, upkeep.close());
  if (result.ok()) result = std::move(closed);
  closed = run_on(loop, opened.cell->close());
  return result.ok() ? closed : result;
}

// As the server would have recorded it, but for who asked: nobody showed a token.
admin::AuditRecord repair_record(const Result<tiering::FsckReport>& report) {
  admin::AuditRecord record;
  record.action = "fsck.repair";
  record.target = "fsck";
  record.who = fmt::format("user {}, without a server", ::geteuid());
  record.result = report.ok() ? "ok" : std::string(code_name(report.error().code));
  if (report.ok()) record.details.emplace_back("repairs", std::to_string(report->repairs_total));
  return record;
}

int fail(const Error& error) {
  std::fputs(fmt::format("tombolo: {}\n", error.message).c_str(), stderr);
  return 1;
}

}  // namespace

Result<Ground> machine_ground(const std::string& data, Workers& workers) {
  TRY_ASSIGN(auto disk, disk::PosixDisk::open_root(data, workers));
  return Ground{std::move(disk), nullptr};
}

int serve(const ServeArguments& arguments, MakeGround make_ground) {
  auto settings = load_settings(arguments);
  if (!settings.ok()) return fail(settings.error());
  for (const std::string& warning : unwise(*settings)) log(LogLevel::kWarn, "server", "{}", warning);
  apply_log_level(settings->log_level);  // after what no level shall hide
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // until Signals takes it
  if (const auto fitted = fit_connections(*settings); !fitted.ok()) return fail(fitted.error());
  const auto result = run(*settings, make_ground);
  return result.ok() ? 0 : fail(result.error());
}

Result<std::string> data_of_config(const std::string& config_file) {
  Settings settings;
  TRY(apply_config(settings, config_file));
  return settings.data;
}

Result<nlohmann::json> fsck_stopped(const ServeArguments& arguments, const nlohmann::json& asked,
                                    const std::function<void(const nlohmann::json&)>& progress) {
  TRY_ASSIGN(const tiering::FsckOptions options, admin::fsck_options(asked));
  TRY_ASSIGN(const Settings settings, load_settings(arguments));
  SystemClock clock;
  SystemRandom random;
  Runtime runtime({});
  observe::Metrics metrics;
  TRY_ASSIGN(DataDirectory directory, DataDirectory::open(settings.data, random));
  const auto audit_file = std::make_shared<AuditFile>(audit_path(settings));
  const bool repairs = options.mending == tiering::Mending::kYes;
  if (repairs) {
    TRY(audit_file->open());  // nothing is repaired that could not be recorded
  }
  TRY_ASSIGN(auto opened, open_cell(settings, std::move(directory), machine_ground, Background::kNone, clock, random,
                                    runtime, metrics));
  Audit audit(audit_file, clock, metrics);
  const auto show = [&progress](const tiering::FsckCounts& counts) { progress(admin::fsck_json(counts)); };
  const auto report = run_on(runtime.background(), opened.cell->fsck(options, show));
  const auto closed = run_on(runtime.background(), opened.cell->close());
  const auto recorded = repairs ? audit.record_now(repair_record(report)) : Result<void>{};
  if (!report.ok()) return report.error();
  TRY(closed);
  auto told = admin::fsck_json(*report);
  if (!recorded.ok()) told["not_recorded"] = recorded.error().message;  // what was done is told all the same
  return told;
}

}  // namespace tombolo::server
