// Keys: what decodes is of one table and encodes to the same bytes; names sort as themselves.
#include "meta/keys/keys.h"

#include <algorithm>

#include "base/endian.h"
#include "testing/fuzz.h"

namespace tombolo::meta::keys {
namespace {

/// Tenant and container of a key of a data table.
ContainerKey scope_of(std::string_view key) {
  return {TenantId{load_be64(key.data() + 1)}, ContainerId{load_be64(key.data() + 9)}};
}

DirectoryId directory_of(std::string_view key) {
  return DirectoryId{load_be64(key.data() + 18)};
}

void check_names(std::string_view key, kv::Table table) {
  if (const auto name = name_of_object(key); name.ok()) {
    ASSERT(table == kv::Table::kObjects);
    if (directory_of(key) == kRootDirectory) ASSERT(object(scope_of(key), *name) == key);
  }
  if (const auto head = name_of_upload_head(key); head.ok()) {
    ASSERT(table == kv::Table::kUploadHeads);
    if (directory_of(key) == kRootDirectory) ASSERT(upload_head(scope_of(key), head->name, head->slot) == key);
  }
  if (const auto block = id_of_staged_block(key); block.ok()) {
    ASSERT(table == kv::Table::kUploadBlocks);
    ASSERT((block->block_id ? staged_block(scope_of(key), block->upload, *block->block_id)
                            : staged_block_count(scope_of(key), block->upload)) == key);
  }
  if (const auto name = name_of_global(key); name.ok()) {
    ASSERT((table == kv::Table::kAccounts ? account(*name) : remote(*name)) == key);
  }
  if (const auto name = name_of_container(key, "acct"); name.ok()) ASSERT(container_name("acct", *name) == key);
}

// Rows of bytes lie outside of containers: a container id in such a key is not for its decoder to judge.
void check_bytes(std::string_view key, kv::Table table) {
  const bool plain = key.size() >= 17 && !scope_of(key).id;
  if (const auto id = id_of_gen(key); id.ok()) {
    ASSERT(table == kv::Table::kGens);
    if (plain) ASSERT(gen(scope_of(key).tenant, *id) == key);
  }
  if (const auto at = offset_of(key); at.ok()) {
    const TenantId tenant = scope_of(key).tenant;
    ASSERT(table == kv::Table::kRuns || table == kv::Table::kSlices);
    if (plain) {
      ASSERT((table == kv::Table::kRuns ? run(tenant, at->gen, at->offset) : slice(tenant, at->gen, at->offset)) ==
             key);
    }
  }
  if (const auto ends = ends_of_edge(key); ends.ok()) {
    ASSERT(table == kv::Table::kEdges);
    if (plain) ASSERT(edge(scope_of(key).tenant, ends->gen, ends->holder) == key);
  }
  if (const auto name = name_of_native(key); name.ok()) {
    ASSERT(table == kv::Table::kNativeKeys);
    if (plain) ASSERT(native_key(scope_of(key).tenant, name->remote, name->key) == key);
  }
}

void check_cell(std::string_view key, kv::Table table) {
  if (const auto id = id_of_tenant(key); id.ok()) {
    ASSERT(table == kv::Table::kTenants && tenant(*id) == key);
  }
  if (const auto id = id_of_candidate(key); id.ok()) {
    ASSERT(table == kv::Table::kCandidates);
    const auto kind = static_cast<CandidateKind>(key[11]);
    ASSERT(candidate({.shard = id->shard, .queued = id->queued, .id = id->id, .kind = kind}) == key);
  }
  if (const auto queued = queued_of_purge(key); queued.ok()) {
    ASSERT(table == kv::Table::kPurges);
    ASSERT(purge({.queued = *queued, .container = ContainerId{load_be64(key.data() + 10)}}) == key);
  }
  if (const auto id = id_of_feed(key); id.ok()) {
    ASSERT(table == kv::Table::kFeed && feed(id->shard, id->epoch, id->stamp) == key);
  }
}

void check_key(std::string_view key) {
  const auto table = table_of(key);
  if (const auto guard = guard_of(key))
    ASSERT(table && guard_of(*guard) == *guard && *guard == container(scope_of(key)));
  // A key of no table must decode as none: the checks compare with a table that it is not.
  const kv::Table compared = table.value_or(kv::Table::kUsage);
  check_names(key, compared);
  check_bytes(key, compared);
  check_cell(key, compared);
}

void check_name_pair(const std::string& a, const std::string& b) {
  ASSERT(unescape(escape(a)) == a && unescape(escape(b)) == b);
  const ContainerKey in{TenantId{1}, ContainerId{2}};
  ASSERT((a < b) == (object(in, a) < object(in, b)) && (a == b) == (object(in, a) == object(in, b)));
  // Where something follows the name, the order is the same.
  ASSERT((a < b) == (upload_head(in, a, UploadId{~0ULL}) < upload_head(in, b)) || a == b);
  ASSERT(b.starts_with(a) == upload_head(in, b).starts_with(upload_heads(in, a)));
  const auto head = name_of_upload_head(upload_head(in, a, UploadId{7}));
  ASSERT(head.ok() && head->name == a && head->slot == UploadId{7});
  const auto native = name_of_native(native_key(in.tenant, a, b));
  ASSERT(native.ok() && native->remote == a && native->key == b);
  const auto named = name_of_container(container_name(a, b), a);
  ASSERT(named.ok() && *named == b);
}

}  // namespace

FUZZ(meta_keys) {
  const fuzz::Exact copy(as_text(input));
  check_key(copy.text());
  if (const auto name = unescape(copy.text())) ASSERT(escape(*name) == copy.text());
  fuzz::Pieces pieces(input);
  const std::string first = pieces.text();
  check_name_pair(first, std::string(pieces.rest()));
}

}  // namespace tombolo::meta::keys
