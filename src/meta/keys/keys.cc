#include "meta/keys/keys.h"

#include "base/encoding.h"
#include "base/endian.h"

namespace tombolo::meta::keys {
namespace {

using kv::Table;
using kv::table_prefix;

constexpr std::size_t kDataPrefix = 1 + 8 + 8 + 1;  // space, tenant, container, letter
constexpr std::size_t kPlainPrefix = 1 + 1;         // space, letter
constexpr std::string_view kTerminator("\0\0", 2);
constexpr char kBlockRow = 'b';
constexpr char kCounterRow = 'n';

std::string names_prefix(Table table, ContainerKey container) {
  return table_prefix(table, container.tenant, container.id);
}

std::string bytes_prefix(Table table, TenantId tenant) {
  return table_prefix(table, tenant, ContainerId{});
}

std::string bytes_row(Table table, TenantId tenant, GenId gen) {
  std::string key = bytes_prefix(table, tenant);
  append_be64(key, gen.value);
  return key;
}

std::string in_root(Table table, ContainerKey container, std::string_view name) {
  std::string key = names_prefix(table, container);
  append_be64(key, kRootDirectory.value);
  key += escape(name);
  return key;
}

Error not_of(std::string_view table) {
  return {Code::kCorrupt, "a key of table " + std::string(table) + " does not decode"};
}

/// What follows the prefix of `table`, or nothing.
std::optional<std::string_view> rest_of(Table table, std::string_view key) {
  const auto& info = kv::info(table);
  const bool data = info.space == kv::Space::kData;
  const std::size_t length = data ? kDataPrefix : kPlainPrefix;
  if (key.size() < length || key[0] != static_cast<char>(info.space) || key[length - 1] != info.letter) return {};
  return key.substr(length);
}

/// Where the escaped name at the start of `text` ends (its terminator begins), npos without one.
std::size_t end_of_name(std::string_view text) {
  for (std::size_t at = text.find('\0'); at != text.npos; at = text.find('\0', at + 2)) {
    if (at + 1 == text.size()) return text.npos;
    if (text[at + 1] == '\0') return at;
  }
  return text.npos;
}

}  // namespace

std::string escape(std::string_view name) {
  if (name.find('\0') == name.npos) return std::string(name);
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    out += c;
    if (c == '\0') out += '\xff';
  }
  return out;
}

std::optional<std::string> unescape(std::string_view escaped) {
  std::string out;
  out.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    out += escaped[i];
    if (escaped[i] != '\0') continue;
    if (i + 1 == escaped.size() || escaped[i + 1] != '\xff') return std::nullopt;
    ++i;
  }
  return out;
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return Error{Code::kInvalid, "a name may not be empty", "InvalidResourceName"};
  if (!is_utf8(name)) return Error{Code::kInvalid, "a name must be UTF-8", "InvalidResourceName"};
  if (name.size() > kNameBytesMax || escape(name).size() > kNameBytesMax) {
    return Error{Code::kInvalid, "a name may take at most 2,400 bytes when encoded", "InvalidResourceName"};
  }
  return {};
}

std::optional<Table> table_of(std::string_view key) {
  for (std::size_t i = 0; i < kv::kTables.size(); ++i) {
    if (rest_of(static_cast<Table>(i), key)) return static_cast<Table>(i);
  }
  return std::nullopt;
}

std::optional<std::string> guard_of(std::string_view key) {
  const auto table = table_of(key);
  if (!table || kv::info(*table).guard == kv::GuardRule::kNone) return std::nullopt;
  const TenantId tenant{load_be64(key.data() + 1)};
  const ContainerId id{load_be64(key.data() + 9)};
  return container({tenant, id});
}

std::string tenant(TenantId id) {
  std::string key = table_prefix(Table::kTenants);
  append_be64(key, id.value);
  return key;
}

std::string account(std::string_view name) {
  return table_prefix(Table::kAccounts) + escape(name);
}

std::string service_properties(std::string_view account) {
  return table_prefix(Table::kServiceProperties) + escape(account);
}

std::string remote(std::string_view name) {
  return table_prefix(Table::kRemotes) + escape(name);
}

std::string container_names(std::string_view account, std::string_view name_prefix) {
  std::string key = table_prefix(Table::kContainerNames) + escape(account);
  key += kTerminator;
  key += escape(name_prefix);
  return key;
}

std::string container_name(std::string_view account, std::string_view name) {
  return container_names(account, name);
}

std::string container(ContainerKey container) {
  return names_prefix(Table::kContainers, container);
}

std::string container_rows(ContainerKey container) {
  std::string key = keys::container(container);
  key.pop_back();
  return key;
}

std::string object(ContainerKey container, std::string_view name) {
  return in_root(Table::kObjects, container, name);
}

std::string objects(ContainerKey container, std::string_view name_prefix) {
  return in_root(Table::kObjects, container, name_prefix);
}

std::string upload_head(ContainerKey container, std::string_view name, UploadId slot) {
  std::string key = in_root(Table::kUploadHeads, container, name);
  key += kTerminator;
  append_be64(key, slot.value);
  return key;
}

std::string upload_heads(ContainerKey container, std::string_view name_prefix) {
  return in_root(Table::kUploadHeads, container, name_prefix);
}

std::string upload_rows(ContainerKey container, UploadId upload) {
  std::string key = names_prefix(Table::kUploadBlocks, container);
  append_be64(key, upload.value);
  return key;
}

std::string staged_blocks(ContainerKey container, UploadId upload) {
  return upload_rows(container, upload) + kBlockRow;
}

std::string staged_block(ContainerKey container, UploadId upload, std::string_view block_id) {
  std::string key = staged_blocks(container, upload);
  key += block_id;
  return key;
}

std::string staged_block_count(ContainerKey container, UploadId upload) {
  return upload_rows(container, upload) + kCounterRow;
}

std::string usage(ContainerKey container, Metric metric, unsigned shard) {
  std::string key = names_prefix(Table::kUsage, container);
  key += static_cast<char>(metric);
  key += static_cast<char>(shard);
  return key;
}

std::string gen(TenantId tenant, GenId gen) {
  return bytes_row(Table::kGens, tenant, gen);
}

std::string runs(TenantId tenant, GenId gen) {
  return bytes_row(Table::kRuns, tenant, gen);
}

std::string run(TenantId tenant, GenId gen, std::uint64_t offset) {
  std::string key = runs(tenant, gen);
  append_be64(key, offset);
  return key;
}

std::string slices(TenantId tenant, GenId gen) {
  return bytes_row(Table::kSlices, tenant, gen);
}

std::string slice(TenantId tenant, GenId gen, std::uint64_t offset) {
  std::string key = slices(tenant, gen);
  append_be64(key, offset);
  return key;
}

std::string edges(TenantId tenant, GenId gen) {
  return bytes_row(Table::kEdges, tenant, gen);
}

std::string edge(TenantId tenant, GenId gen, HolderId holder) {
  std::string key = edges(tenant, gen);
  append_be64(key, holder.value);
  return key;
}

std::string native_keys(TenantId tenant, std::string_view remote) {
  std::string out = bytes_prefix(Table::kNativeKeys, tenant) + escape(remote);
  out += kTerminator;
  return out;
}

std::string native_key(TenantId tenant, std::string_view remote, std::string_view key) {
  return native_keys(tenant, remote) + escape(key);
}

std::string feed(unsigned shard, std::uint64_t epoch, Stamp stamp) {
  std::string key = table_prefix(Table::kFeed);
  key += static_cast<char>(shard);
  append_be64(key, epoch);
  append_be64(key, stamp.micros);
  return key;
}

std::string candidates(unsigned shard) {
  return table_prefix(Table::kCandidates) + static_cast<char>(shard);
}

std::string candidate(const Candidate& candidate) {
  std::string key = candidates(candidate.shard);
  append_be64(key, candidate.queued.micros);
  key += static_cast<char>(candidate.kind);
  append_be64(key, candidate.id);
  return key;
}

std::string purge(const PurgeEntry& entry) {
  std::string key = table_prefix(Table::kPurges);
  append_be64(key, entry.queued.micros);
  append_be64(key, entry.kind == PurgeKind::kContainer ? entry.container.value : entry.upload.value);
  return key;
}

std::string cold_bytes() {
  return table_prefix(Table::kColdBytes);
}

unsigned shard_of(std::uint64_t id) {
  return static_cast<unsigned>((id * 0x9E3779B97F4A7C15ULL) >> 60);
}

Result<std::string> name_of_object(std::string_view key) {
  const auto rest = rest_of(Table::kObjects, key);
  if (!rest || rest->size() < 8) return not_of("o");
  auto name = unescape(rest->substr(8));
  if (!name) return not_of("o");
  return *std::move(name);
}

Result<UploadHeadName> name_of_upload_head(std::string_view key) {
  const auto rest = rest_of(Table::kUploadHeads, key);
  if (!rest || rest->size() < 8 + kTerminator.size() + 8) return not_of("U");
  const std::string_view text = rest->substr(8);
  const std::size_t end = end_of_name(text);
  if (end == text.npos || text.size() != end + kTerminator.size() + 8) return not_of("U");
  auto name = unescape(text.substr(0, end));
  if (!name) return not_of("U");
  return UploadHeadName{*std::move(name), UploadId{load_be64(text.data() + end + kTerminator.size())}};
}

Result<StagedBlockId> id_of_staged_block(std::string_view key) {
  const auto rest = rest_of(Table::kUploadBlocks, key);
  if (!rest || rest->size() < 9) return not_of("u");
  StagedBlockId out{UploadId{load_be64(rest->data())}, std::nullopt};
  if ((*rest)[8] == kBlockRow) {
    out.block_id = std::string(rest->substr(9));
  } else if ((*rest)[8] != kCounterRow || rest->size() != 9) {
    return not_of("u");
  }
  return out;
}

Result<std::string> name_of_container(std::string_view key, std::string_view account) {
  const std::string prefix = container_names(account, {});
  if (!key.starts_with(prefix)) return not_of("N");
  auto name = unescape(key.substr(prefix.size()));
  if (!name) return not_of("N");
  return *std::move(name);
}

Result<std::string> name_of_global(std::string_view key) {
  auto rest = rest_of(Table::kAccounts, key);
  if (!rest) rest = rest_of(Table::kRemotes, key);
  if (!rest) return not_of("A or R");
  auto name = unescape(*rest);
  if (!name) return not_of("A or R");
  return *std::move(name);
}

Result<TenantId> id_of_tenant(std::string_view key) {
  const auto rest = rest_of(Table::kTenants, key);
  if (!rest || rest->size() != 8) return not_of("T");
  return TenantId{load_be64(rest->data())};
}

Result<GenId> id_of_gen(std::string_view key) {
  const auto rest = rest_of(Table::kGens, key);
  if (!rest || rest->size() != 8) return not_of("i");
  return GenId{load_be64(rest->data())};
}

Result<GenOffset> offset_of(std::string_view key) {
  auto rest = rest_of(Table::kRuns, key);
  if (!rest) rest = rest_of(Table::kSlices, key);
  if (!rest || rest->size() != 16) return not_of("m or s");
  return GenOffset{GenId{load_be64(rest->data())}, load_be64(rest->data() + 8)};
}

Result<EdgeEnds> ends_of_edge(std::string_view key) {
  const auto rest = rest_of(Table::kEdges, key);
  if (!rest || rest->size() != 16) return not_of("r");
  return EdgeEnds{GenId{load_be64(rest->data())}, HolderId{load_be64(rest->data() + 8)}};
}

Result<NativeName> name_of_native(std::string_view key) {
  const auto rest = rest_of(Table::kNativeKeys, key);
  const std::size_t end = rest ? end_of_name(*rest) : std::string_view::npos;
  if (end == std::string_view::npos) return not_of("K");
  auto remote = unescape(rest->substr(0, end));
  auto name = unescape(rest->substr(end + kTerminator.size()));
  if (!remote || !name) return not_of("K");
  return NativeName{*std::move(remote), *std::move(name)};
}

Result<CandidateId> id_of_candidate(std::string_view key) {
  const auto rest = rest_of(Table::kCandidates, key);
  if (!rest || rest->size() != 1 + 8 + 1 + 8) return not_of("G");
  return CandidateId{static_cast<unsigned char>((*rest)[0]), Stamp{load_be64(rest->data() + 1)},
                     load_be64(rest->data() + 10)};
}

Result<Stamp> queued_of_purge(std::string_view key) {
  const auto rest = rest_of(Table::kPurges, key);
  if (!rest || rest->size() != 16) return not_of("Q");
  return Stamp{load_be64(rest->data())};
}

Result<FeedId> id_of_feed(std::string_view key) {
  const auto rest = rest_of(Table::kFeed, key);
  if (!rest || rest->size() != 1 + 8 + 8) return not_of("e");
  return FeedId{static_cast<unsigned char>((*rest)[0]), load_be64(rest->data() + 1),
                Stamp{load_be64(rest->data() + 9)}};
}

}  // namespace tombolo::meta::keys
