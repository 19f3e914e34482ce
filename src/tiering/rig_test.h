// A store over memory with a remote whose every step a test can watch, delay and break.
#pragma once

#include <functional>

#include "async/sleep.h"
#include "jobs/scheduler.h"
#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "meta/ops/usage.h"
#include "remote/memory/memory_remote.h"
#include "store/rig_test.h"
#include "tiering/collector.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::tiering::testing {

using store::testing::kTenant;
using store::testing::part;

enum class Step { kHead, kPut, kAfterPut, kGet, kAfterGet, kRemove };
enum class Lie {
  kNone,
  kPutSays500,         // stored, answered with an error
  kPutSaysUnknown,     // stored, nobody knows
  kPutStoresNothing,   // answered with success
  kPutStoresOthers,    // other bytes of the same length, answered with success
  kPutStoresShort,     // all but the last byte, answered with success
  kGetGivesOthers,     // the right ETag and length
  kPutDies,            // nothing stored, an error that nobody retries: a crash before the PUT
  kPutStoredThenDies,  // stored, then the same: a crash after the PUT
  kUnreachable,
};

/// MemoryRemote behind hooks.
class HookedRemote final : public remote::Remote {
 public:
  HookedRemote(std::string name, Clock& clock) : memory(std::move(name), clock) {}

  remote::MemoryRemote memory;
  Lie lie = Lie::kNone;
  bool lists = true;
  /// Called at each step of each operation; its error is the operation's.
  std::function<Task<void>(Step, std::string)> hook;

  const std::string& name() const override { return memory.name(); }
  remote::Capabilities capabilities() const override { return memory.capabilities(); }

  Task<remote::RemoteObject> put(remote::PutRequest request, remote::BodyFactory body, CallSite site) override {
    CO_TRY(at(Step::kPut, request.key));
    const std::string key = request.key;
    if (lie == Lie::kPutDies) co_return died();
    if (lie == Lie::kPutStoresNothing) co_return pretended(request);
    if (lie == Lie::kPutStoresOthers || lie == Lie::kPutStoresShort) {
      const auto source = body(0, request.size);
      CO_TRY_ASSIGN(Bytes bytes, read_all(*source, 256 * kMiB));
      if (lie == Lie::kPutStoresOthers) bytes[bytes.size() / 2] ^= std::byte{4};
      if (lie == Lie::kPutStoresShort) bytes.pop_back();
      request.size = bytes.size();
      request.crc64 = crc64(bytes);
      body = remote::body_of(Block(std::move(bytes)));
    }
    CO_TRY_ASSIGN(remote::RemoteObject stored, memory.put(std::move(request), std::move(body), site));
    if (lie == Lie::kPutSays500) co_return Error{Code::kUnavailable, "500"};
    if (lie == Lie::kPutSaysUnknown) co_return Error{Code::kUnknownOutcome, "the connection broke"};
    if (lie == Lie::kPutStoredThenDies) co_return died();
    CO_TRY(at(Step::kAfterPut, key));
    co_return stored;
  }
  Task<std::unique_ptr<ByteSource>> get(remote::GetRequest request, CallSite site) override {
    CO_TRY(at(Step::kGet, request.key));
    const std::string key = request.key;
    CO_TRY_ASSIGN(std::unique_ptr<ByteSource> body, memory.get(std::move(request), site));
    if (lie == Lie::kGetGivesOthers) {
      CO_TRY_ASSIGN(Bytes bytes, read_all(*body, 256 * kMiB));
      bytes[bytes.size() / 2] ^= std::byte{8};  // another bit than a PUT, or two lies would make a truth
      body = std::make_unique<BlockSource>(Block(std::move(bytes)));
    }
    CO_TRY(at(Step::kAfterGet, key));
    co_return std::move(body);
  }
  Task<remote::HeadResult> head(std::string key, CallSite site) override {
    CO_TRY(at(Step::kHead, key));
    co_return co_await memory.head(std::move(key), site);
  }
  Task<remote::ListPage> list(remote::ListRequest request, CallSite site) override {
    if (!lists) co_return Error{Code::kUnavailable, "the remote cannot be listed"};
    co_return co_await memory.list(std::move(request), site);
  }
  Task<void> remove(std::string key, remote::Condition condition, CallSite site) override {
    CO_TRY(at(Step::kRemove, key));
    co_return co_await memory.remove(std::move(key), std::move(condition), site);
  }

 private:
  static Error died() { return {Code::kInternal, "the process died here"}; }
  static remote::RemoteObject pretended(const remote::PutRequest& request) {
    remote::RemoteObject object;
    object.key = request.key;
    object.size = request.size;
    object.etag = "pretended";
    return object;
  }
  Task<void> at(Step step, std::string key) {
    if (hook) {
      auto called = hook;
      CO_TRY(called(step, std::move(key)));
    }
    if (lie == Lie::kUnreachable) co_return Error{Code::kUnavailable, "the remote cannot be reached"};
    co_return Result<void>{};
  }
};

/// For hooks that only look.
inline Task<void> nothing() {
  co_return Result<void>{};
}

inline store::testing::RigOptions small_segments() {
  store::testing::RigOptions options;
  options.segment_bytes = kMiB;
  return options;
}

inline CollectorOptions at_once() {
  CollectorOptions options;
  options.grace = Duration(0);
  options.remote_grace = Duration(0);
  return options;
}

class TierRig : public store::testing::Rig {
 public:
  explicit TierRig(store::testing::RigOptions options = {}) : Rig(options) {
    remotes.set("far", far);
    start_jobs();
  }
  ~TierRig() { stop_jobs(); }

  void start_jobs() {
    scheduler = std::make_unique<jobs::Scheduler>(engine, clock, random, loop.get_executor());
    OffloadOptions options;
    options.parallel = parallel;
    options.wait_for_gc = Duration(0);
    register_offload(*scheduler, services, options);
    register_recall(*scheduler, services);
    EXPECT_TRUE(run(scheduler->start()).ok());
  }
  void stop_jobs() {
    if (scheduler) {
      EXPECT_TRUE(run(scheduler->stop()).ok());
    }
    scheduler.reset();
  }

  jobs::Job wait(JobId id) {
    const auto job = run(wait_for(*scheduler, id));
    EXPECT_TRUE(job.ok());
    return *job;
  }
  jobs::Job offload(Evict evict, std::string prefix = {}) {
    OffloadSpec spec;
    spec.container = box();
    spec.prefix = std::move(prefix);
    spec.remote = "far";
    spec.evict = evict;
    const auto id = run(submit_offload(*scheduler, services, std::move(spec)));
    EXPECT_TRUE(id.ok()) << to_string(id.error());
    return wait(*id);
  }
  jobs::Job recall(std::string prefix = {}) {
    RecallSpec spec;
    spec.container = box();
    spec.prefix = std::move(prefix);
    const auto id = run(submit_recall(*scheduler, services, std::move(spec)));
    EXPECT_TRUE(id.ok());
    return wait(*id);
  }
  /// Passes until one changes nothing; gives how many there were.
  int collect() {
    int passes = 1;
    while (*run(collector.pass())) {
      if (++passes > 200) {
        ADD_FAILURE() << "garbage collection never comes to rest";
        break;
      }
    }
    return passes;
  }
  meta::Gen gen_of(const std::string& name) {
    const auto object = head(name);
    EXPECT_TRUE(object.ok());
    return **run(meta::get_gen(services.cell, kTenant, object->gen));
  }
  std::optional<meta::NativeKey> native_key(std::string key) {
    return *run(meta::get_native_key(services.cell, kTenant, "far", std::move(key)));
  }
  std::uint64_t cold_bytes() { return *run(meta::read_cold_bytes(services.cell)); }
  void remove(std::string name) {
    const auto removed = run(store.delete_object(object(std::move(name)), {}));
    EXPECT_TRUE(removed.ok()) << to_string(removed.error());
  }
  /// Without the remote, and without what is in memory.
  bool readable_locally(const std::string& name) {
    const auto lie = std::exchange(far->lie, Lie::kUnreachable);
    data::BlockCache nothing_cached({.bytes_max = kMiB, .shards = 1});
    store::Services cold{services.cell, segments, nothing_cached, remotes, pins, workers};
    store::Store cold_store(cold);
    auto reader = run(cold_store.get_object(object(name), {}, {}));
    const bool ok = reader.ok() && run(read_all(*reader->body, 256 * kMiB)).ok();
    if (reader.ok()) reader->body.reset();
    far->lie = lie;
    return ok;
  }

  unsigned parallel = 4;
  std::shared_ptr<HookedRemote> far = std::make_shared<HookedRemote>("far", clock);
  std::unique_ptr<jobs::Scheduler> scheduler;
  Collector collector{services, loop.get_executor(), at_once()};

 private:
  static Task<jobs::Job> wait_for(jobs::Scheduler& scheduler, JobId id) {
    while (true) {
      CO_TRY_ASSIGN(jobs::Job job, scheduler.get(id));
      if (jobs::ended(job.state)) co_return job;
      CO_TRY(sleep_for(std::chrono::milliseconds(1)));
    }
  }
};

inline bool gen_is_there(TierRig& rig, GenId gen) {
  return rig.run(meta::get_gen(rig.services.cell, kTenant, gen))->has_value();
}

}  // namespace tombolo::tiering::testing
