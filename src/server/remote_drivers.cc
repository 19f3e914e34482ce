#include "server/remote_drivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "async/side_by_side.h"
#include "async/sleep.h"
#include "auth/http_request.h"
#include "auth/shared_key.h"
#include "base/assert.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/units.h"
#include "base/wire.h"
#include "meta/model/remote_place.h"
#include "meta/ops/admin_rows.h"
#include "remote/azure/azure_remote.h"
#include "remote/metered_remote.h"
#include "remote/probe.h"
#include "server/wait_at_most.h"

namespace tombolo::server {
namespace {

constexpr std::uint64_t kRateMin = 4 * kKiB;  // bytes a second: a service that drips is as good as none
constexpr std::chrono::seconds kHealthMax{5};
constexpr std::chrono::seconds kOpenMax{10};
constexpr Duration kLookEvery = std::chrono::milliseconds(10);
constexpr std::chrono::seconds kTestTry{10};

Error no_such(const std::string& name) {
  return {Code::kNotFound,
          fmt::format(
              "there is no remote \"{}\": `tombolo remote list` shows those there are, `tombolo remote add` makes one",
              name)};
}

Error exists(const std::string& name) {
  return {Code::kAlreadyExists,
          fmt::format("remote \"{}\" exists: `tombolo remote update {}` changes it, or take another name", name, name)};
}

std::string purpose(const std::string& remote) {
  return "remote-secret:" + remote;
}

Result<void> check(const admin::NewRemote& remote) {
  const auto legal = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (remote.name.empty() || remote.name.size() > 63 || !std::all_of(remote.name.begin(), remote.name.end(), legal)) {
    return Error{
        Code::kInvalid,
        fmt::format("\"{}\" cannot name a remote: use 1 to 63 lower-case letters, digits and '-'", remote.name)};
  }
  if (remote.kind != "azure" && remote.kind != "file") {
    return Error{Code::kInvalid, fmt::format("\"{}\" is no kind of remote: azure or file", remote.kind)};
  }
  if (remote.kind == "file" && !remote.endpoint.starts_with('/')) {
    return Error{Code::kInvalid, fmt::format("\"{}\" is no absolute directory: write the whole path, from / on, of one "
                                             "that exists",
                                             remote.endpoint)};
  }
  if (!remote.prefix.empty() && remote.prefix.back() != '/') {
    return Error{Code::kInvalid, "the prefix must end in '/', or keys of other programs could begin with it"};
  }
  if (remote.kind == "azure" && (remote.bucket.empty() || (remote.key.empty() && remote.sas.empty()))) {
    return Error{Code::kInvalid,
                 "a remote of the kind azure needs --bucket (its container), and TOMBOLO_REMOTE_KEY with "
                 "--remote-account, or TOMBOLO_REMOTE_SAS, in the environment"};
  }
  if (!remote.key.empty() && (remote.account.empty() || !base64_decode(remote.key))) {
    return Error{Code::kInvalid, "an account key is base64 and goes with the account's name"};
  }
  return {};
}

/// Nothing lives under this key: "not found" is the healthy answer.
Task<void> ask_health(std::shared_ptr<remote::Remote> remote, std::string prefix) {
  const auto head = co_await remote->head(prefix + ".tombolo-health");
  if (head.ok() || head.error().code == Code::kNotFound) co_return Result<void>{};
  co_return head.error();
}

// Signs outgoing requests as the SDKs do.
remote::azure::Signer shared_key_signer(const std::string& account, const std::string& key) {
  auth::AccountKeys keys;
  keys.account = account;
  keys.key1 = base64_decode(key).value_or(Bytes{});
  return [keys](http::Request& request) {
    http::RequestHead head;
    head.method = request.method;
    head.target = request.target;
    head.headers = request.headers;
    head.headers.set("Content-Length", std::to_string(request.body_size));  // the body itself comes after signing
    const auto parsed = http::parse_query(head.query(), http::Plus::kSpace);
    const std::vector<http::QueryParam> query = parsed.ok() ? *parsed : std::vector<http::QueryParam>{};
    request.headers.set("Authorization", auth::sign(auth::view_of(head, query), keys, {}));
  };
}

}  // namespace

RemoteDrivers::RemoteDrivers(meta::Cell cell, const auth::Sealer& sealer, store::Remotes& remotes,
                             RemotePatience patience, std::shared_ptr<const http::TlsClient> trust,
                             observe::Metrics& metrics)
    : cell_(cell),
      sealer_(sealer),
      remotes_(remotes),
      patience_(patience),
      metrics_(metrics),
      directories_(cell.clock, cell.random) {
  http::ClientConfig client;
  client.first_byte_max = patience_.first_byte_max;
  client.stall_max = patience_.stall_max;
  client.rate_min = kRateMin;
  client.tls = std::move(trust);
  client_ = std::make_shared<http::Client>(client);
}

std::shared_ptr<remote::Remote> RemoteDrivers::metered(std::shared_ptr<remote::Remote> remote) {
  auto made = std::make_shared<remote::MeteredRemote>(remote, metrics_, cell_.clock);
  const std::lock_guard lock(uncounted_mutex_);
  std::erase_if(uncounted_, [](const auto& entry) { return entry.second.expired(); });
  uncounted_[made.get()] = std::move(remote);
  return made;
}

std::shared_ptr<remote::Remote> RemoteDrivers::uncounted(const std::shared_ptr<remote::Remote>& metered) const {
  const std::lock_guard lock(uncounted_mutex_);
  const auto found = uncounted_.find(metered.get());
  ASSERT(found != uncounted_.end());
  return found->second.lock();
}

Task<std::shared_ptr<remote::Remote>> RemoteDrivers::connect(Wanted wanted) {
  if (wanted.config.kind == "file") {
    DirectoryOpener::Opening opening{.name = wanted.config.name,
                                     .directory = wanted.config.endpoint,
                                     .may_be_made = wanted.use == Use::kNewPlace,
                                     .check_place = std::move(wanted.check_place)};
    CO_TRY_ASSIGN(auto opened, directories_.open(std::move(opening)));
    co_return metered(std::move(opened));
  }
  if (wanted.check_place) {
    CO_CHECK(wanted.check_place(wanted.config.endpoint));
  }
  co_return make_azure(wanted.config, wanted.secret, wanted.use);
}

Task<std::shared_ptr<remote::Remote>> RemoteDrivers::connect_soon(Wanted wanted) {
  const std::string endpoint = wanted.config.endpoint;
  auto connecting = connect(std::move(wanted));
  auto connected = co_await wait_at_most(scope_, std::move(connecting), kOpenMax);
  if (connected.ok() || connected.error().code != Code::kDeadline) co_return connected;
  co_return Error{Code::kDeadline,
                  fmt::format("\"{}\" could not be opened within {} s: does the server of the mount that "
                              "it lies on answer?",
                              endpoint, kOpenMax.count())};
}

Result<std::shared_ptr<remote::Remote>> RemoteDrivers::make_azure(const meta::RemoteConfig& config,
                                                                  const Secret& secret, Use use) {
  // An administrator named the endpoint: private networks and this machine are as good as any.
  remote::azure::AzureConfig azure{.name = config.name,
                                   .endpoint = config.endpoint,
                                   .container = config.bucket,
                                   .sas = secret.sas,
                                   .reach = remote::Reach::kPrivate,
                                   .on_retry = [&metrics = metrics_, name = config.name](std::string_view operation) {
                                     metrics.counter(observe::Metric::kRemoteRetries, {name, operation}).add();
                                   }};
  azure.retry.tries_max = patience_.tries_max;
  azure.operation_max = patience_.operation_max;
  if (use == Use::kTest) {
    azure.retry.tries_max = 2;
    azure.try_base = kTestTry;
  }
  remote::azure::Signer signer;
  if (!secret.key.empty()) signer = shared_key_signer(secret.account, secret.key);
  TRY_ASSIGN(auto made, remote::azure::AzureRemote::make(std::move(azure), std::move(signer), *client_, cell_.clock,
                                                         cell_.random));
  return metered(std::move(made));
}

Result<RemoteDrivers::Secret> RemoteDrivers::secret_of(const meta::RemoteConfig& row) const {
  TRY_ASSIGN(const std::string opened, sealer_.open(purpose(row.name), row.sealed_secret));
  WireReader reader(opened);
  Secret secret{.account = reader.text(), .key = reader.text(), .sas = reader.text()};
  TRY(reader.finish("remote secret"));
  return secret;
}

std::string RemoteDrivers::sealed(const std::string& name, const Secret& secret) const {
  WireWriter packed;
  for (const std::string* text : {&secret.account, &secret.key, &secret.sas}) packed.text(*text);
  return sealer_.seal(purpose(name), packed.bytes());
}

Task<void> RemoteDrivers::connect_at_start(RemoteDrivers& drivers, Wanted wanted) {
  const std::string name = wanted.config.name;
  auto connected = co_await drivers.connect(std::move(wanted));
  if (!connected.ok()) {
    log(LogLevel::kError, "server", "remote {} is not available: {}", name, connected.error().message);
    connected = Error{connected.error().code,
                      fmt::format("{}. Once that is mended, `tombolo remote test {}`, or a restart, takes it into use "
                                  "again",
                                  connected.error().message, name)};
  }
  drivers.remotes_.opened(name, std::move(connected));
  drivers.show(name);
  co_return Result<void>{};
}

Task<void> RemoteDrivers::connect_all(Duration patience) {
  CO_TRY_ASSIGN(const auto rows, meta::list_remotes(cell_));
  const auto executor = co_await boost::asio::this_coro::executor;
  for (const meta::RemoteConfig& row : rows) {
    Wanted wanted{.config = row, .secret = {}};
    CO_CHECK_ASSIGN(wanted.secret, secret_of(row));
    remotes_.set_opening(row.name);
    show(row.name);
    scope_.spawn(executor, connect_at_start(*this, std::move(wanted)));
  }
  for (Duration waited{0}; scope_.size() > 0 && waited < patience; waited += kLookEvery) {
    CO_TRY(sleep_for(kLookEvery));
  }
  co_return Result<void>{};
}

void RemoteDrivers::take_into_use(const std::string& name, std::shared_ptr<remote::Remote> remote) {
  remotes_.set(name, std::move(remote));
  show(name);
}

void RemoteDrivers::show(const std::string& name) {
  metrics_.set(observe::Metric::kRemoteUp, {name}, remotes_.find(name).ok() ? 1 : 0);
}

Task<void> RemoteDrivers::close() {
  return scope_.close();
}

Task<std::shared_ptr<remote::Remote>> RemoteDrivers::in_use(std::string name) {
  if (auto remote = remotes_.find(name); remote.ok()) co_return remote;
  CO_TRY_ASSIGN(const auto turn, changes_.lock());
  if (auto remote = remotes_.find(name); remote.ok()) co_return remote;
  CO_TRY_ASSIGN(const auto row, meta::get_remote(cell_, name));
  if (!row) co_return no_such(name);
  Wanted wanted{.config = *row, .secret = {}};
  CO_CHECK_ASSIGN(wanted.secret, secret_of(*row));
  CO_TRY_ASSIGN(auto remote, connect_soon(std::move(wanted)));
  take_into_use(name, remote);
  log(LogLevel::kInfo, "server", "remote {} is in use again", name);
  co_return remote;
}

Task<void> RemoteDrivers::add(admin::NewRemote remote, CheckPlace check_place) {
  CO_CHECK(check(remote));
  CO_TRY_ASSIGN(const auto turn, changes_.lock());
  // Before anything is made in the directory: it may be the bare mount point of the remote that has the name.
  CO_TRY_ASSIGN(const auto known, meta::get_remote(cell_, remote.name));
  if (known) co_return exists(remote.name);
  const Secret secret{.account = remote.account, .key = remote.key, .sas = remote.sas};
  meta::RemoteConfig row;
  row.name = remote.name;
  row.kind = remote.kind;
  row.endpoint = remote.endpoint;
  row.bucket = remote.bucket;
  row.prefix = remote.prefix;
  row.sealed_secret = sealed(remote.name, secret);
  Wanted wanted{.config = row, .secret = secret, .use = Use::kNewPlace, .check_place = std::move(check_place)};
  CO_TRY_ASSIGN(auto connected, connect_soon(std::move(wanted)));
  auto put = co_await meta::put_remote(cell_, std::move(row), meta::PutMode::kCreate);
  if (!put.ok() && put.error().code == Code::kAlreadyExists) co_return exists(remote.name);
  CO_CHECK(put);
  take_into_use(remote.name, std::move(connected));
  co_return Result<void>{};
}

Task<void> RemoteDrivers::update(admin::NewRemote remote, CheckPlace check_place) {
  CO_TRY_ASSIGN(const auto turn, changes_.lock());
  CO_TRY_ASSIGN(auto row, meta::get_remote(cell_, remote.name));
  if (!row) co_return no_such(remote.name);
  CO_CHECK_ASSIGN(Secret secret, secret_of(*row));
  const auto replace = [](std::string& old, const std::string& fresh) {
    if (!fresh.empty()) old = fresh;
  };
  // The old place named once more is a wish to try it again, and no leave to begin it anew.
  const Use use = remote.endpoint.empty() || meta::same_endpoint(row->kind, remote.endpoint, row->endpoint)
                      ? Use::kService
                      : Use::kNewPlace;
  replace(row->endpoint, remote.endpoint);
  replace(row->bucket, remote.bucket);
  replace(row->prefix, remote.prefix);
  replace(secret.account, remote.account);
  if (!remote.key.empty() || !remote.sas.empty()) {  // one kind of credential takes the place of the other
    secret.key = remote.key;
    secret.sas = remote.sas;
  }
  CO_CHECK(check({.name = row->name,
                  .kind = row->kind,
                  .endpoint = row->endpoint,
                  .bucket = row->bucket,
                  .prefix = row->prefix,
                  .account = secret.account,
                  .key = secret.key,
                  .sas = secret.sas}));
  row->sealed_secret = sealed(row->name, secret);
  Wanted wanted{.config = *row, .secret = secret, .use = use};
  if (!remote.endpoint.empty()) wanted.check_place = std::move(check_place);
  CO_TRY_ASSIGN(auto connected, connect_soon(std::move(wanted)));
  CO_TRY(meta::put_remote(cell_, *row, meta::PutMode::kUpdate));
  take_into_use(remote.name, std::move(connected));
  co_return Result<void>{};
}

Task<void> RemoteDrivers::look(admin::RemoteView& view) {
  auto remote = remotes_.find(view.name);
  if (!remote.ok()) {
    view.problem = remote.error().message;
    co_return Result<void>{};
  }
  auto asking = ask_health(*std::move(remote), view.prefix);
  asking = view.kind == "file" ? wait_at_most(scope_, std::move(asking), kHealthMax)
                               : with_deadline(std::move(asking), kHealthMax);
  const auto asked = co_await std::move(asking);
  view.healthy = asked.ok();
  if (!view.healthy) {
    view.problem =
        asked.error().code == Code::kDeadline
            ? fmt::format("no answer within {} s: is {} reachable from here?", kHealthMax.count(), view.endpoint)
            : asked.error().message;
  }
  co_return Result<void>{};
}

Task<std::vector<admin::RemoteView>> RemoteDrivers::views() {
  CO_TRY_ASSIGN(const auto rows, meta::list_remotes(cell_));
  std::vector<admin::RemoteView> views;
  for (const meta::RemoteConfig& row : rows) {
    views.push_back(
        {.name = row.name, .kind = row.kind, .endpoint = row.endpoint, .bucket = row.bucket, .prefix = row.prefix});
  }
  // Each gets its seconds, and whoever asks for all of them waits no longer for many than for one.
  std::vector<Task<void>> looks;
  for (admin::RemoteView& view : views) looks.push_back(look(view));
  CO_TRY(side_by_side("remotes' health", std::move(looks)));
  co_return views;
}

Task<admin::RemoteTestReport> RemoteDrivers::test(std::string name, admin::RemoteTestLimits limits) {
  // A directory's driver keeps its conditions within itself, and takes files in the making of another for leftovers.
  CO_TRY_ASSIGN(auto remote, in_use(name));
  CO_TRY_ASSIGN(const auto row, meta::get_remote(cell_, name));
  if (!row) co_return no_such(name);
  CO_CHECK_ASSIGN(const Secret secret, secret_of(*row));
  if (row->kind != "file") {
    CO_CHECK_ASSIGN(remote, make_azure(*row, secret, Use::kTest));
  }
  admin::RemoteTestReport report;
  report.kind = row->kind;
  remote::ProbeOptions options;
  options.prefix = row->prefix;
  // What a probe has to be refused is no trouble, and nobody is to be alerted of it; the bytes of measuring cost as
  // others.
  const auto probed = uncounted(remote);
  CO_TRY_ASSIGN(report.steps, remote::probe(*probed, std::move(options), cell_.clock, cell_.random));
  const bool good = std::all_of(report.steps.begin(), report.steps.end(), [](const auto& step) { return step.ok; });
  if (good && limits.bytes > 0) {
    remote::MeasureOptions measuring;
    measuring.prefix = row->prefix;
    measuring.bytes = limits.bytes;
    measuring.time_max = std::chrono::seconds(limits.seconds);
    auto measured = co_await remote::measure(*remote, std::move(measuring), cell_.clock, cell_.random);
    if (measured.ok()) {
      report.measured = *std::move(measured);
    } else {
      report.measure_problem = measured.error().message;
    }
  }
  report.clock_skew = remote->clock_skew();
  co_return report;
}

}  // namespace tombolo::server
