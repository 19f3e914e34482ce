// The words that store operations and dialects share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/byte_stream.h"
#include "base/ids.h"
#include "meta/model/conditions.h"
#include "meta/model/container.h"
#include "meta/model/gen.h"
#include "meta/model/object.h"

namespace tombolo::store {

/// Which container; the account has been verified to belong to the tenant.
struct ContainerRef {
  TenantId tenant;
  std::string account;
  std::string container;
};

struct ObjectRef {
  ContainerRef container;
  std::string name;  // decoded UTF-8, 1 … 1,024 characters, opaque
};

/// Checks that the client asked for on the bytes it sends; a mismatch is kInvalid with detail "Md5Mismatch" or
/// "Crc64Mismatch" and stores nothing.
struct ExpectedDigests {
  std::optional<std::array<std::byte, 16>> md5;
  std::optional<std::uint64_t> crc64;
};

struct PutObject {
  std::uint64_t length = 0;  // exactly what `body` gives; a body that ends early or goes on is an error
  ByteSource* body = nullptr;
  meta::ObjectHeaders headers;  // a content_md5 given here is stored unchecked; else the computed one is
  meta::Metadata metadata;
  ExpectedDigests expected;
  meta::Conditions conditions;
};

struct StageBlock {
  std::string block_id;      // raw (decoded) bytes, 1 … 64
  std::uint64_t length = 0;  // 1 … 4,000 MiB
  ByteSource* body = nullptr;
  ExpectedDigests expected;
};

struct StagedBlock {
  std::uint64_t crc64 = 0;
  std::optional<std::array<std::byte, 16>> md5;  // when the client sent one
};

enum class BlockSource : std::uint8_t { kCommitted, kUncommitted, kLatest };
struct BlockChoice {
  BlockSource source = BlockSource::kLatest;
  std::string block_id;
};

struct CommitBlockList {
  std::vector<BlockChoice> blocks;  // at most 50,000; empty makes an empty object
  meta::ObjectHeaders headers;      // content_md5 stored verbatim, never computed
  meta::Metadata metadata;
  meta::Conditions conditions;
};

struct BlockInfo {
  std::string block_id;
  std::uint64_t length = 0;
};
struct BlockList {
  std::optional<meta::Object> object;  // nullopt: only uncommitted blocks exist
  std::vector<BlockInfo> committed;    // in the order of the object
  std::vector<BlockInfo> uncommitted;  // in the order of block ids
};

/// A byte range as asked. `length` nullopt = to the end.
struct ByteRange {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

/// kTwice: rewind() will follow, and should find in the block cache what a remote gave before.
enum class Reads : std::uint8_t { kOnce = 0, kTwice = 1 };

/// The bytes of an open read, which may be read again: those of a gen never change.
class ObjectBody : public ByteSource {
 public:
  /// Back to the first byte, which is fetched ahead as by opening. Not after an error.
  virtual Task<void> rewind() = 0;
};

/// An open read: the record as of the read's snapshot and a stream of exactly `length` verified bytes.
struct ObjectReader {
  meta::Object object;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::unique_ptr<ObjectBody> body;  // pins what it reads; destroy it when the client has gone
};

enum class Include : std::uint8_t { kNothing = 0, kUncommitted = 1 };

struct ListObjects {
  std::string prefix;
  std::string delimiter;        // empty: flat; else names are folded after its first occurrence behind the prefix
  std::string start_after;      // exclusive lower bound in byte order; from ListObjectsPage::next
  std::string start_from;       // inclusive lower bound, any name; the later of both counts
  std::uint32_t limit = 5'000;  // 1 … 5,000, objects and prefixes together
  Include include = Include::kNothing;
};

/// Exactly one of object, uncommitted_name, prefix is set.
struct ListEntry {
  std::optional<meta::Object> object;
  std::optional<std::string> uncommitted_name;  // only staged blocks exist under this name
  std::optional<std::string> prefix;
};

struct ListObjectsPage {
  std::vector<ListEntry> entries;   // byte order of name or prefix
  std::optional<std::string> next;  // pass as start_after; nullopt at the end. Survives deletes.
};

struct ListContainers {
  std::string prefix;
  std::string start_after;
  std::uint32_t limit = 5'000;
};
struct ListContainersPage {
  std::vector<meta::Container> containers;
  std::optional<std::string> next;
};

}  // namespace tombolo::store
