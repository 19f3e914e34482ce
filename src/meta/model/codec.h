// The value of every row of meta, and back (docs/formats/values.md).
//
// The first byte is the version of that record's layout. A decoder takes what the row's key says as arguments. Errors:
// kCorrupt when the value is cut short, has bytes left over or holds a number that means nothing; kUnsupported, naming
// the record, when its version is newer than this program.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "meta/model/account.h"
#include "meta/model/candidate.h"
#include "meta/model/container.h"
#include "meta/model/feed.h"
#include "meta/model/gen.h"
#include "meta/model/native.h"
#include "meta/model/object.h"
#include "meta/model/upload.h"

namespace tombolo::meta {

std::string encode(const Tenant& tenant);
std::string encode(const Account& account);
std::string encode(const ServiceProperties& properties);
std::string encode(const RemoteConfig& remote);
std::string encode(const ContainerKey& link);  // row N
std::string encode(const Container& container);
std::string encode(const Object& object);
std::string encode(const UploadHead& head);
std::string encode(const StagedBlockRow& block);
std::string encode(const Gen& gen);
std::string encode(const Run& run);
std::string encode(const Slice& slice);
std::string encode_edge();
std::string encode(const NativeKey& native);
std::string encode(const FeedRecord& record);
std::string encode(const Candidate& candidate);
std::string encode(const PurgeEntry& entry);

Result<Tenant> decode_tenant(TenantId id, std::string_view value);
Result<Account> decode_account(std::string name, std::string_view value);
Result<ServiceProperties> decode_service_properties(std::string_view value);
Result<RemoteConfig> decode_remote(std::string name, std::string_view value);
Result<ContainerKey> decode_container_link(std::string_view value);
Result<Container> decode_container(ContainerKey key, std::string_view value);
Result<Object> decode_object(std::string name, std::string_view value);
Result<UploadHead> decode_upload_head(std::string_view value);
Result<StagedBlockRow> decode_staged_block(std::string block_id, std::string_view value);
Result<Gen> decode_gen(GenId id, std::string_view value);
Result<Run> decode_run(GenId gen, std::uint64_t offset, std::string_view value);
Result<Slice> decode_slice(std::uint64_t offset, std::string_view value);
Result<NativeKey> decode_native_key(std::string remote, std::string key, std::string_view value);
Result<FeedRecord> decode_feed_record(std::string_view value);
/// `key` holds shard, queued and id.
Result<Candidate> decode_candidate(Candidate key, std::string_view value);
Result<PurgeEntry> decode_purge(Stamp queued, std::string_view value);

}  // namespace tombolo::meta
