// The bytes of the commit log: docs/formats/commit-log.md. Pure functions; no input of any kind crashes a parser.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/pages.h"
#include "kv/commit/index.h"
#include "kv/kv.h"

namespace tombolo::kv::log_format {

inline constexpr std::uint64_t kBlockBytes = 4096;
inline constexpr std::size_t kRecordHeaderBytes = 64;
inline constexpr std::size_t kPayloadBytesMax = 16 * 1024 * 1024;

constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

struct FileHeader {
  std::uint64_t cell_id = 0;
  std::uint64_t log_id = 0;
  std::uint64_t number = 0;
  std::uint64_t nonce = 0;
  Sequence first;
  std::uint64_t chain_before = 0;
  std::uint64_t previous_number = 0;
  std::uint64_t previous_end = 0;
};

/// kBlockBytes bytes.
Bytes encode_header(const FileHeader& header);
/// kCorrupt, or kUnsupported for a version or feature of the future.
Result<FileHeader> parse_header(BytesView block);

enum class Kind : std::uint8_t { kGroup = 1, kMark = 2, kSeal = 3 };

struct RecordHeader {
  Kind kind = Kind::kGroup;
  std::uint64_t nonce = 0;
  std::uint64_t offset = 0;
  Sequence sequence;
  std::uint32_t count = 0;
  std::uint32_t payload_bytes = 0;
  Sequence durable_through;
  std::uint64_t chain_before = 0;

  Sequence last() const { return {sequence.value + count - 1}; }  // of a group
  std::uint64_t end() const { return offset + round_up(kRecordHeaderBytes + payload_bytes); }
};

/// Header, payload and padding, fit for a direct write. Sets payload_bytes from `payload`. Requires its size <=
/// kPayloadBytesMax.
PageBytes encode_record(RecordHeader header, BytesView payload);

/// The record at the start of `from`, a file's bytes from `offset` on, if one verifies there.
std::optional<RecordHeader> find_record(BytesView from, std::uint64_t offset, std::uint64_t nonce);
inline BytesView payload_of(const RecordHeader& header, BytesView record) {
  return record.subspan(kRecordHeaderBytes, header.payload_bytes);
}

std::uint64_t chain_after(const RecordHeader& group, BytesView payload);

struct Seal {
  std::uint64_t successor_number = 0;
  std::uint64_t successor_nonce = 0;
  std::uint64_t end = 0;
};
Bytes encode_seal(const Seal& seal);
std::optional<Seal> parse_seal(BytesView payload);

/// Appends one transaction to a group's payload.
void append_transaction(Bytes& payload, const LogEntry& entry);
std::size_t transaction_bytes(const LogEntry& entry);
/// The group's transactions, numbered from header.sequence. kCorrupt if the payload is not exactly header.count of
/// them.
Result<std::vector<LogEntry>> parse_group(const RecordHeader& header, BytesView payload);

/// "00000000000000a1.log"
std::string file_name(std::uint64_t number);
std::optional<std::uint64_t> parse_file_name(std::string_view name);

}  // namespace tombolo::kv::log_format
