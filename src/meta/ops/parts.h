// What the operations share: entering a container, reading and writing its rows inside a transaction. Included by
// meta/ops/*.cc only. Every function buffers writes in the transaction it is given; none commits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "kv/run.h"
#include "meta/cell.h"
#include "meta/keys/keys.h"
#include "meta/model/candidate.h"
#include "meta/model/codec.h"
#include "meta/model/conditions.h"
#include "meta/model/feed.h"
#include "meta/ops/new_gen.h"

namespace tombolo::meta {

/// A run that fails leaves what an earlier one gave: that one may turn out to have committed.
template <class T>
Task<void> keep_given(Task<T> run, std::optional<T>& given) {
  CO_TRY_ASSIGN(given, std::move(run));
  co_return Result<void>{};
}

/// Runs `body` until it commits and gives, as a Task<T> like the body's, what it gave last. `body` is a callable in the
/// caller's frame, which awaits this there.
template <class F>
std::invoke_result_t<F&, kv::Transaction&> transact(const Cell& cell, F& body) {
  using T = std::invoke_result_t<F&, kv::Transaction&>::value_type::value_type;
  if constexpr (std::is_void_v<T>) {
    std::function<Task<void>(kv::Transaction&)> function = std::ref(body);
    CO_TRY(kv::run(cell.engine, cell.random, std::move(function)));
    co_return Result<void>{};
  } else {
    std::optional<T> given;
    std::function<Task<void>(kv::Transaction&)> function = [&](kv::Transaction& txn) {
      return keep_given(body(txn), given);
    };
    CO_TRY(kv::run(cell.engine, cell.random, std::move(function)));
    co_return *std::move(given);
  }
}

/// Row G.
Result<Candidate> candidate_of(const kv::Row& row);

Error container_not_found();
Error blob_not_found();
Error upload_sealed();
Error gen_condemned();
Error gen_moved();
/// The error of a verdict that is not kPass.
Result<void> must_pass(const Conditions& conditions, std::optional<Stamp> etag);
Result<void> check_metadata(const Metadata& metadata);

/// kNotFound "ContainerNotFound" unless it is live.
Task<Container> read_live_container(kv::Snapshot& from, ContainerKey key);
/// Takes the guard shared and gives the container; kNotFound "ContainerNotFound" unless it is live.
Task<Container> enter_container(kv::Transaction& txn, ContainerKey key);
/// The same with the guard exclusive.
Task<Container> enter_container_alone(kv::Transaction& txn, ContainerKey key);

/// With conflict where `from` is a transaction.
Task<std::optional<Object>> read_object(kv::Snapshot& from, ContainerKey container, std::string name);
Task<std::optional<UploadHead>> read_head(kv::Snapshot& from, ContainerKey container, std::string name);
Task<std::optional<Gen>> read_gen(kv::Snapshot& from, TenantId tenant, GenId gen);
/// The row must be there and live: kConditionFailed "GenMoved" otherwise.
Task<Gen> read_live_gen(kv::Snapshot& from, TenantId tenant, GenId gen);
Task<std::optional<NativeKey>> read_native_key(kv::Snapshot& from, TenantId tenant, std::string remote,
                                               std::string key);
/// All rows of [begin, end of prefix), at most `limit`.
Task<kv::RangePage> read_prefix(kv::Snapshot& from, std::string prefix, std::string begin, std::uint32_t limit);

/// True while the seal of a live process and commit holds.
bool seal_holds(const Cell& cell, const UploadHead& head);
/// True when something was staged.
bool has_blocks(const std::optional<UploadHead>& head);
/// Erases the head and queues the purge of its blocks.
void drop_upload(kv::Transaction& txn, ContainerKey container, const std::string& name, const UploadHead& head,
                 Stamp now);

void put_gen(kv::Transaction& txn, TenantId tenant, const Gen& gen);
void queue_candidate(kv::Transaction& txn, TenantId tenant, GenId gen, Stamp now);
/// As queue_native puts it.
Candidate native_candidate(TenantId tenant, const NativeKey& native, Stamp queued);
/// Garbage collection looks at the remote object of row K, once `queued` is older than its grace.
void queue_native(kv::Transaction& txn, TenantId tenant, const NativeKey& native, Stamp queued);
/// The holder lets go: the gen becomes a candidate.
void drop_edge(kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder, Stamp now);
void put_runs(const Cell& cell, kv::Transaction& txn, TenantId tenant, const std::vector<Run>& runs);
/// Makes the new gen live, held by `holder`, with its last runs.
Task<void> install_gen(Cell cell, kv::Transaction& txn, TenantId tenant, const NewGen& source, HolderId holder,
                       Stamp now);

/// One record per transaction: `now` is its key.
void write_feed(const Cell& cell, kv::Transaction& txn, const FeedRecord& record, Stamp now);
void write_object_feed(const Cell& cell, kv::Transaction& txn, FeedKind kind, ContainerKey container,
                       const Object& object, Stamp now);
/// A run lost its local place (length), got one or went without one (-length).
void count_cold(kv::Transaction& txn, std::int64_t bytes);
void count_usage(kv::Transaction& txn, ContainerKey container, ObjectId object, std::int64_t objects,
                 std::int64_t bytes);

}  // namespace tombolo::meta
