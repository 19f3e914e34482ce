#include "kv/log/format.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/crc64.h"
#include "base/endian.h"

namespace tombolo::kv::log_format {

namespace {

constexpr std::string_view kFileMagic = "TMBLCLOG";
constexpr std::string_view kRecordMagic = "TREC";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderCrcAt = kBlockBytes - 8;
constexpr std::size_t kRecordCrcAt = 56;
constexpr std::size_t kSealBytes = 24;
constexpr std::uint8_t kPut = 1, kErase = 2;

std::uint64_t load64(BytesView bytes, std::size_t at) {
  return load_le<std::uint64_t>(bytes.data() + at);
}
std::uint32_t load32(BytesView bytes, std::size_t at) {
  return load_le<std::uint32_t>(bytes.data() + at);
}
void store_text(MutableBytes to, std::string_view text) {
  std::copy_n(as_bytes(text).data(), text.size(), to.data());
}

template <class T>
void append(Bytes& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof value);
  store_le(to.data() + at, value);
}
void append(Bytes& to, std::string_view text) {
  const BytesView bytes = as_bytes(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

Bytes encode_header(const FileHeader& header) {
  Bytes block(kBlockBytes);
  store_text(block, kFileMagic);
  store_le(block.data() + 8, kVersion);
  store_le(block.data() + 12, std::uint32_t{0});
  store_le(block.data() + 16, header.cell_id);
  store_le(block.data() + 24, header.log_id);
  store_le(block.data() + 32, header.number);
  store_le(block.data() + 40, header.nonce);
  store_le(block.data() + 48, header.first.value);
  store_le(block.data() + 56, header.chain_before);
  store_le(block.data() + 64, header.previous_number);
  store_le(block.data() + 72, header.previous_end);
  store_le(block.data() + kHeaderCrcAt, crc64(BytesView(block).first(kHeaderCrcAt)));
  return block;
}

Result<FileHeader> parse_header(BytesView block) {
  const Error broken{Code::kCorrupt, "the header of a commit-log file does not verify"};
  if (block.size() < kBlockBytes) return broken;
  if (as_text(block.first(kFileMagic.size())) != kFileMagic) return broken;
  if (load64(block, kHeaderCrcAt) != crc64(block.first(kHeaderCrcAt))) return broken;
  if (load32(block, 8) != kVersion || load32(block, 12) != 0) {
    return Error{Code::kUnsupported, "a commit-log file was written by a newer version"};
  }
  if (load64(block, 48) == 0) return broken;
  return FileHeader{.cell_id = load64(block, 16),
                    .log_id = load64(block, 24),
                    .number = load64(block, 32),
                    .nonce = load64(block, 40),
                    .first = {load64(block, 48)},
                    .chain_before = load64(block, 56),
                    .previous_number = load64(block, 64),
                    .previous_end = load64(block, 72)};
}

PageBytes encode_record(RecordHeader header, BytesView payload) {
  ASSERT(payload.size() <= kPayloadBytesMax);
  ASSERT(header.offset % kBlockBytes == 0 && header.offset >= kBlockBytes);
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  PageBytes record(header.end() - header.offset);
  store_text(record, kRecordMagic);
  store_le(record.data() + 4, static_cast<std::uint8_t>(header.kind));
  store_le(record.data() + 8, header.nonce);
  store_le(record.data() + 16, header.offset);
  store_le(record.data() + 24, header.sequence.value);
  store_le(record.data() + 32, header.count);
  store_le(record.data() + 36, header.payload_bytes);
  store_le(record.data() + 40, header.durable_through.value);
  store_le(record.data() + 48, header.chain_before);
  store_le(record.data() + kRecordCrcAt, crc64(payload, crc64(BytesView(record).first(kRecordCrcAt))));
  std::copy(payload.begin(), payload.end(), record.begin() + kRecordHeaderBytes);
  return record;
}

std::optional<RecordHeader> find_record(BytesView from, std::uint64_t offset, std::uint64_t nonce) {
  if (from.size() < kRecordHeaderBytes) return std::nullopt;
  if (as_text(from.first(kRecordMagic.size())) != kRecordMagic) return std::nullopt;
  const auto kind = load_le<std::uint8_t>(from.data() + 4);
  const RecordHeader header{.kind = static_cast<Kind>(kind),
                            .nonce = load64(from, 8),
                            .offset = load64(from, 16),
                            .sequence = {load64(from, 24)},
                            .count = load32(from, 32),
                            .payload_bytes = load32(from, 36),
                            .durable_through = {load64(from, 40)},
                            .chain_before = load64(from, 48)};
  if (kind < 1 || kind > 3 || header.nonce != nonce || header.offset != offset) return std::nullopt;
  if ((header.kind == Kind::kGroup) != (header.count > 0)) return std::nullopt;
  if (header.payload_bytes > kPayloadBytesMax) return std::nullopt;
  if (header.payload_bytes > from.size() - kRecordHeaderBytes) return std::nullopt;
  const BytesView payload = from.subspan(kRecordHeaderBytes, header.payload_bytes);
  if (load64(from, kRecordCrcAt) != crc64(payload, crc64(from.first(kRecordCrcAt)))) return std::nullopt;
  return header;
}

std::uint64_t chain_after(const RecordHeader& group, BytesView payload) {
  std::array<std::byte, 24> prefix;
  store_le(prefix.data(), group.chain_before);
  store_le(prefix.data() + 8, group.sequence.value);
  store_le(prefix.data() + 16, group.count);
  store_le(prefix.data() + 20, static_cast<std::uint32_t>(payload.size()));
  return crc64(payload, crc64(prefix));
}

Bytes encode_seal(const Seal& seal) {
  Bytes payload(kSealBytes);
  store_le(payload.data(), seal.successor_number);
  store_le(payload.data() + 8, seal.successor_nonce);
  store_le(payload.data() + 16, seal.end);
  return payload;
}

std::optional<Seal> parse_seal(BytesView payload) {
  if (payload.size() != kSealBytes) return std::nullopt;
  return Seal{
      .successor_number = load64(payload, 0), .successor_nonce = load64(payload, 8), .end = load64(payload, 16)};
}

std::size_t transaction_bytes(const LogEntry& entry) {
  std::size_t bytes = 8;
  for (const auto& [key, value] : entry.writes) bytes += 8 + key.size() + (value ? value->size() : 0);
  return bytes;
}

void append_transaction(Bytes& payload, const LogEntry& entry) {
  append(payload, static_cast<std::uint32_t>(transaction_bytes(entry) - 4));
  append(payload, static_cast<std::uint32_t>(entry.writes.size()));
  for (const auto& [key, value] : entry.writes) {
    append(payload, static_cast<std::uint16_t>(key.size()));
    append(payload, value ? kPut : kErase);
    append(payload, std::uint8_t{0});
    append(payload, static_cast<std::uint32_t>(value ? value->size() : 0));
    append(payload, std::string_view(key));
    if (value) append(payload, std::string_view(*value));
  }
}

namespace {

/// Reads the writes of one transaction from exactly `bytes`.
bool parse_writes(BytesView bytes, std::uint32_t count, LogEntry& entry) {
  for (; count > 0; --count) {
    if (bytes.size() < 8) return false;
    const std::size_t key_bytes = load_le<std::uint16_t>(bytes.data());
    const auto kind = load_le<std::uint8_t>(bytes.data() + 2);
    const std::size_t value_bytes = load32(bytes, 4);
    bytes = bytes.subspan(8);
    if (key_bytes > bytes.size() || value_bytes > bytes.size() - key_bytes) return false;
    if (kind != kPut && (kind != kErase || value_bytes != 0)) return false;
    std::optional<std::string> value;
    if (kind == kPut) value = as_text(bytes.subspan(key_bytes, value_bytes));
    entry.writes.emplace_back(as_text(bytes.first(key_bytes)), std::move(value));
    bytes = bytes.subspan(key_bytes + value_bytes);
  }
  return bytes.empty();
}

}  // namespace

Result<std::vector<LogEntry>> parse_group(const RecordHeader& header, BytesView payload) {
  const Error broken{Code::kCorrupt, "a commit-log group does not parse"};
  std::vector<LogEntry> group;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    if (payload.size() < 8) return broken;
    const std::size_t bytes = load32(payload, 0);
    const std::uint32_t writes = load32(payload, 4);
    if (bytes < 4 || bytes > payload.size() - 4) return broken;
    LogEntry entry{.sequence = {header.sequence.value + i}, .writes = {}};
    if (!parse_writes(payload.subspan(8, bytes - 4), writes, entry)) return broken;
    group.push_back(std::move(entry));
    payload = payload.subspan(4 + bytes);
  }
  if (!payload.empty()) return broken;
  return group;
}

std::string file_name(std::uint64_t number) {
  return fmt::format("{:016x}.log", number);
}

std::optional<std::uint64_t> parse_file_name(std::string_view name) {
  if (name.size() != 20 || !name.ends_with(".log")) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name.substr(0, 16)) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    number = number * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return number;
}

}  // namespace tombolo::kv::log_format
