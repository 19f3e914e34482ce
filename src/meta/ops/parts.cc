#include "meta/ops/parts.h"

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {

Error container_not_found() {
  return {Code::kNotFound, "there is no such container", "ContainerNotFound"};
}
Error blob_not_found() {
  return {Code::kNotFound, "there is no such object", "BlobNotFound"};
}
Error upload_sealed() {
  return {Code::kBusy, "a commit of this name is under way; try again in a moment", "UploadSealed"};
}
Error gen_condemned() {
  return {Code::kUnavailable, "the bytes were given up before they got a name; send them again", "GenCondemned"};
}
Error gen_moved() {
  return {Code::kConditionFailed, "the gen has changed since it was read; look again", "GenMoved"};
}
bool has_moved(const Error& error) {
  return error.detail == "GenMoved" || error.detail == "GenGone" || error.detail == "BlobNotFound";
}

Result<void> must_pass(const Conditions& conditions, std::optional<Stamp> etag) {
  switch (judge(conditions, etag)) {
    case Verdict::kPass:
      return {};
    case Verdict::kFailed:
      return Error{Code::kConditionFailed, "a condition of the request does not hold", "ConditionNotMet"};
    case Verdict::kNotModified:
      return Error{Code::kConditionFailed, "it has not been modified", "NotModified"};
    case Verdict::kExists:
      return Error{Code::kConditionFailed, "it exists already", "BlobAlreadyExists"};
  }
  return Error{Code::kInternal, "a verdict that is none"};
}

Result<void> check_metadata(const Metadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) bytes += name.size() + value.size();
  if (bytes > kMetadataBytesMax) return Error{Code::kTooLarge, "the metadata is over its limit", "MetadataTooLarge"};
  return {};
}

Task<Container> read_live_container(kv::Snapshot& from, ContainerKey key) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::container(key)));
  if (!value) co_return container_not_found();
  CO_CHECK_ASSIGN(Container container, decode_container(key, *value));
  if (container.state != ContainerState::kLive) co_return container_not_found();
  co_return container;
}

Task<Container> enter_container(kv::Transaction& txn, ContainerKey key) {
  if (!planted(PlantedBug::forget_container_guard)) {
    CO_TRY(txn.guard_shared(keys::container(key)));
  }
  co_return co_await read_live_container(txn, key);
}

Task<Container> enter_container_alone(kv::Transaction& txn, ContainerKey key) {
  CO_TRY(txn.guard_exclusive(keys::container(key)));
  co_return co_await read_live_container(txn, key);
}

Task<std::optional<Object>> read_object(kv::Snapshot& from, ContainerKey container, std::string name) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::object(container, name)));
  if (!value) co_return std::optional<Object>{};
  CO_CHECK_ASSIGN(Object object, decode_object(std::move(name), *value));
  co_return std::optional<Object>(std::move(object));
}

Task<std::optional<UploadHead>> read_head(kv::Snapshot& from, ContainerKey container, std::string name) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::upload_head(container, name)));
  if (!value) co_return std::optional<UploadHead>{};
  CO_CHECK_ASSIGN(const UploadHead head, decode_upload_head(*value));
  co_return std::optional<UploadHead>(head);
}

Task<std::optional<Gen>> read_gen(kv::Snapshot& from, TenantId tenant, GenId gen) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::gen(tenant, gen)));
  if (!value) co_return std::optional<Gen>{};
  CO_CHECK_ASSIGN(Gen row, decode_gen(gen, *value));
  co_return std::optional<Gen>(std::move(row));
}

Task<Gen> read_live_gen(kv::Snapshot& from, TenantId tenant, GenId gen) {
  CO_TRY_ASSIGN(auto row, read_gen(from, tenant, gen));
  if (!row || row->state != GenState::kLive) co_return gen_moved();
  co_return *std::move(row);
}

Task<std::optional<NativeKey>> read_native_key(kv::Snapshot& from, TenantId tenant, std::string remote,
                                               std::string key) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::native_key(tenant, remote, key)));
  if (!value) co_return std::optional<NativeKey>{};
  CO_CHECK_ASSIGN(NativeKey native, decode_native_key(std::move(remote), std::move(key), *value));
  co_return std::optional<NativeKey>(std::move(native));
}

Task<kv::RangePage> read_prefix(kv::Snapshot& from, std::string prefix, std::string begin, std::uint32_t limit) {
  kv::RangeQuery query;
  query.begin = std::move(begin);
  query.end = kv::prefix_end(std::move(prefix));
  query.limit = limit;
  co_return co_await from.range(std::move(query));
}

bool seal_holds(const Cell& cell, const UploadHead& head) {
  if (head.state != UploadState::kSealed || head.seal_epoch != cell.ids.process_epoch()) return false;
  return cell.seals.holds(head.seal_id, cell.clock.steady());
}

bool has_blocks(const std::optional<UploadHead>& head) {
  return head && head->block_id_length != 0;
}

void drop_upload(kv::Transaction& txn, ContainerKey container, const std::string& name, const UploadHead& head,
                 Stamp now) {
  if (!planted(PlantedBug::purge_later_blocks)) txn.erase(keys::upload_head(container, name));
  if (head.block_id_length == 0) return;
  const PurgeEntry entry{.queued = now,
                         .kind = PurgeKind::kUpload,
                         .tenant = container.tenant,
                         .container = container.id,
                         .upload = head.id};
  txn.put(keys::purge(entry), encode(entry));
}

void put_gen(kv::Transaction& txn, TenantId tenant, const Gen& gen) {
  txn.put(keys::gen(tenant, gen.id), encode(gen));
}

void queue_candidate(kv::Transaction& txn, TenantId tenant, GenId gen, Stamp now) {
  const Candidate candidate{.shard = keys::shard_of(gen.value),
                            .queued = now,
                            .id = gen.value,
                            .kind = CandidateKind::kGen,
                            .tenant = tenant};
  txn.put(keys::candidate(candidate), encode(candidate));
}

Candidate native_candidate(TenantId tenant, const NativeKey& native, Stamp queued) {
  Candidate candidate;
  candidate.shard = keys::shard_of(native.gen.value);
  candidate.queued = queued;
  candidate.id = native.gen.value;
  candidate.kind = CandidateKind::kNative;
  candidate.tenant = tenant;
  candidate.remote = native.remote;
  candidate.key = native.key;
  return candidate;
}

void queue_native(kv::Transaction& txn, TenantId tenant, const NativeKey& native, Stamp queued) {
  const Candidate candidate = native_candidate(tenant, native, queued);
  txn.put(keys::candidate(candidate), encode(candidate));
}

void drop_edge(kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder, Stamp now) {
  txn.erase(keys::edge(tenant, gen, holder));
  queue_candidate(txn, tenant, gen, now);
}

void put_runs(const Cell& cell, kv::Transaction& txn, TenantId tenant, const std::vector<Run>& runs) {
  ASSERT(runs.size() <= kRunsPerBatchMax);
  for (const Run& run : runs) {
    ASSERT(run.length >= 1 && run.length <= kRunBytesMax);
    ASSERT(run.granule_crcs.size() == (run.length + kGranuleBytes - 1) / kGranuleBytes);
    txn.put(keys::run(tenant, run.gen, run.offset), encode(run));
    if (run.local) cell.ledger.placed(txn, *run.local, run.length);
  }
}

namespace {

bool covers(const NewGen& source) {
  const Gen& gen = source.gen;
  if (gen.shape == GenShape::kInline) return gen.inline_bytes.size() == gen.length && source.runs.empty();
  if (gen.shape == GenShape::kSlices) return false;
  std::uint64_t end = 0;
  for (const Run& run : source.runs) {
    if (run.offset != end) return false;
    end += run.length;
  }
  return end == gen.length;
}

}  // namespace

Task<void> install_gen(Cell cell, kv::Transaction& txn, TenantId tenant, const NewGen& source, HolderId holder,
                       Stamp now) {
  Gen gen = source.gen;
  ASSERT(gen.id && holder);
  for (const Run& run : source.runs) ASSERT(run.gen == gen.id && run.offset + run.length <= gen.length);
  if (source.origin == GenOrigin::kStaged) {
    CO_TRY_ASSIGN(const auto staged, read_gen(txn, tenant, gen.id));
    if (!staged || staged->state != GenState::kStaging) co_return gen_condemned();
    ASSERT(staged->shape == gen.shape);
    gen.created = staged->created;
  } else {
    ASSERT(covers(source));
    gen.created = now;
  }
  gen.state = GenState::kLive;
  gen.writer_epoch = cell.ids.process_epoch();
  put_gen(txn, tenant, gen);
  put_runs(cell, txn, tenant, source.runs);
  txn.put(keys::edge(tenant, gen.id, holder), encode_edge());
  co_return Result<void>{};
}

void write_feed(const Cell& cell, kv::Transaction& txn, const FeedRecord& record, Stamp now) {
  const std::uint64_t id = record.object ? record.object.value : record.container.value;
  if (planted(PlantedBug::lose_feed_record) && now.micros % 8 == 0) return;
  txn.put(keys::feed(keys::shard_of(id), cell.ids.feed_epoch(), now), encode(record));
}

void write_object_feed(const Cell& cell, kv::Transaction& txn, FeedKind kind, ContainerKey container,
                       const Object& object, Stamp now) {
  FeedRecord record;
  record.kind = kind;
  record.tenant = container.tenant;
  record.container = container.id;
  record.object = object.id;
  record.name = object.name;
  record.version_stamp = object.version_stamp;
  record.content_stamp = object.content_stamp;
  record.etag_stamp = object.etag_stamp;
  write_feed(cell, txn, record, now);
}

void count_cold(kv::Transaction& txn, std::int64_t bytes) {
  if (bytes != 0) txn.add(keys::cold_bytes(), bytes);
}

void count_usage(kv::Transaction& txn, ContainerKey container, ObjectId object, std::int64_t objects,
                 std::int64_t bytes) {
  const unsigned shard = keys::shard_of(object.value);
  if (objects != 0) txn.add(keys::usage(container, keys::Metric::kObjects, shard), objects);
  if (bytes != 0) txn.add(keys::usage(container, keys::Metric::kBytes, shard), bytes);
}

}  // namespace tombolo::meta
