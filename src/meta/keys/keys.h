// The key of every row of names and bytes, and back (docs/formats/keys.md). The table of prefixes is kv/tables.h.
//
// Integers are big-endian, so that byte order is number order. Names are escaped (`\0` as `\0\xff`) so that the order
// of keys is the order of decoded names, and end in `\0\0` where something follows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "kv/tables.h"
#include "meta/model/candidate.h"
#include "meta/model/container.h"

namespace tombolo::meta::keys {

/// Escaped bytes of a name (kInvalid "InvalidResourceName" past it).
inline constexpr std::size_t kNameBytesMax = 2'400;
/// The one directory of a flat container, and the root of a hierarchical one.
inline constexpr DirectoryId kRootDirectory{1};
/// The upload slot of a name's one implicit upload (Azure); others are upload ids.
inline constexpr UploadId kImplicitUpload{0};

/// `\0` → `\0\xff`. Order-preserving.
std::string escape(std::string_view name);
/// nullopt for bytes that escape() does not make.
std::optional<std::string> unescape(std::string_view escaped);
/// kInvalid "InvalidResourceName": empty, not UTF-8, or too long when escaped.
Result<void> check_name(std::string_view name);

/// Which guard a writer of this row must hold: the container's config row, or none. For kv/memory's checker.
std::optional<std::string> guard_of(std::string_view key);

// Global rows.
std::string tenant(TenantId id);
std::string account(std::string_view name);
std::string service_properties(std::string_view account);
std::string remote(std::string_view name);
std::string container_name(std::string_view account, std::string_view name);
/// Prefix of all container names of an account that begin with `name_prefix`.
std::string container_names(std::string_view account, std::string_view name_prefix);

// Rows of names, inside a container.
std::string container(ContainerKey container);  // also the guard key
/// Everything of a container begins with it.
std::string container_rows(ContainerKey container);
std::string object(ContainerKey container, std::string_view name);
/// Prefix of all objects whose names begin with `name_prefix`.
std::string objects(ContainerKey container, std::string_view name_prefix);
std::string upload_head(ContainerKey container, std::string_view name, UploadId slot = kImplicitUpload);
std::string upload_heads(ContainerKey container, std::string_view name_prefix);
std::string staged_block(ContainerKey container, UploadId upload, std::string_view block_id);
std::string staged_blocks(ContainerKey container, UploadId upload);       // prefix
std::string staged_block_count(ContainerKey container, UploadId upload);  // counter
std::string upload_rows(ContainerKey container, UploadId upload);         // prefix of both

enum class Metric : std::uint8_t { kObjects = 1, kBytes = 2 };
inline constexpr unsigned kUsageShards = 16;
std::string usage(ContainerKey container, Metric metric, unsigned shard);

// Rows of bytes, inside a tenant.
std::string gen(TenantId tenant, GenId gen);
std::string run(TenantId tenant, GenId gen, std::uint64_t offset);
std::string runs(TenantId tenant, GenId gen);  // prefix
std::string slice(TenantId tenant, GenId gen, std::uint64_t offset);
std::string slices(TenantId tenant, GenId gen);  // prefix
std::string edge(TenantId tenant, GenId gen, HolderId holder);
std::string edges(TenantId tenant, GenId gen);  // prefix
std::string native_key(TenantId tenant, std::string_view remote, std::string_view key);
std::string native_keys(TenantId tenant, std::string_view remote);  // prefix

// Rows of the cell.
std::string feed(unsigned shard, std::uint64_t epoch, Stamp stamp);
std::string candidate(const Candidate& candidate);
std::string candidates(unsigned shard);  // prefix
std::string purge(const PurgeEntry& entry);
std::string cold_bytes();

/// Which shard of 16 an id's rows go to: spreads consecutive ids.
unsigned shard_of(std::uint64_t id);

// Decoding. kCorrupt when the key is not of the table.
struct UploadHeadName {
  std::string name;
  UploadId slot;
};
struct CandidateId {
  unsigned shard = 0;
  Stamp queued;
  std::uint64_t id = 0;
};
struct FeedId {
  unsigned shard = 0;
  std::uint64_t epoch = 0;
  Stamp stamp;
};
struct NativeName {
  std::string remote, key;
};
struct EdgeEnds {
  GenId gen;
  HolderId holder;
};
struct GenOffset {
  GenId gen;
  std::uint64_t offset = 0;
};
struct StagedBlockId {
  UploadId upload;
  std::optional<std::string> block_id;  // nullopt: the counter
};
Result<std::string> name_of_object(std::string_view key);
Result<UploadHeadName> name_of_upload_head(std::string_view key);
Result<StagedBlockId> id_of_staged_block(std::string_view key);
Result<std::string> name_of_container(std::string_view key, std::string_view account);
Result<std::string> name_of_global(std::string_view key);  // of an account or remote
Result<TenantId> id_of_tenant(std::string_view key);
Result<GenId> id_of_gen(std::string_view key);
Result<GenOffset> offset_of(std::string_view key);  // of a run or slice
Result<EdgeEnds> ends_of_edge(std::string_view key);
Result<NativeName> name_of_native(std::string_view key);
Result<CandidateId> id_of_candidate(std::string_view key);
Result<Stamp> queued_of_purge(std::string_view key);
Result<FeedId> id_of_feed(std::string_view key);

/// The table of a key, nullopt when it is of none.
std::optional<kv::Table> table_of(std::string_view key);

}  // namespace tombolo::meta::keys
