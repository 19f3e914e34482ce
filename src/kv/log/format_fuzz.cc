// Bytes of the commit log: whatever verifies encodes to the same bytes, and what is encoded is found again.
#include "kv/log/format.h"

#include <algorithm>

#include "base/crc64.h"
#include "base/endian.h"
#include "testing/fuzz.h"

namespace tombolo::kv::log_format {
namespace {

constexpr std::size_t kHeaderCrcAt = kBlockBytes - 8, kRecordCrcAt = 56;
constexpr std::uint64_t kOffset = 3 * kBlockBytes;

// With a right checksum: a fuzzer does not guess those.
Bytes sealed_block(BytesView input) {
  Bytes block(kBlockBytes);
  std::copy_n(input.begin(), std::min(input.size(), kHeaderCrcAt), block.begin());
  store_le(block.data() + kHeaderCrcAt, crc64(BytesView(block).first(kHeaderCrcAt)));
  return block;
}

void check_header(BytesView block) {
  const auto header = parse_header(block);
  if (!header.ok()) {
    ASSERT(header.error().code == Code::kCorrupt || header.error().code == Code::kUnsupported);
    return;
  }
  // What version 1 does not write it does not read either, but for the slot of the wrapped key and the zeros.
  const Bytes again = encode_header(*header);
  ASSERT(std::equal(again.begin(), again.begin() + 80, block.begin()));
  ASSERT(parse_header(again).ok());
}

bool same(const std::vector<LogEntry>& a, const std::vector<LogEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const LogEntry& x, const LogEntry& y) {
    return x.sequence == y.sequence && x.writes == y.writes;
  });
}

void check_group(const RecordHeader& header, BytesView payload) {
  const auto group = parse_group(header, payload);
  if (!group.ok()) return;
  ASSERT(group->size() == header.count);
  Bytes again;
  std::uint64_t sequence = header.sequence.value;
  for (const LogEntry& entry : *group) {
    ASSERT(entry.sequence.value == sequence++);
    append_transaction(again, entry);
  }
  ASSERT(again.size() == payload.size());
  const auto reread = parse_group(header, again);
  ASSERT(reread.ok() && same(*reread, *group));
}

void check_record(BytesView from, std::uint64_t nonce) {
  const fuzz::Exact copy(as_text(from));
  const auto record = find_record(copy.bytes(), kOffset, nonce);
  if (!record) return;
  ASSERT(record->offset == kOffset && record->nonce == nonce && record->end() % kBlockBytes == 0);
  ASSERT(record->end() > kOffset && kRecordHeaderBytes + record->payload_bytes <= from.size());
  const BytesView payload = payload_of(*record, copy.bytes());
  const PageBytes again = encode_record(*record, payload);
  const auto reread = find_record(again, kOffset, nonce);
  ASSERT(reread && chain_after(*reread, payload_of(*reread, again)) == chain_after(*record, payload));
  ASSERT(std::equal(again.begin() + 8, again.begin() + kRecordCrcAt, copy.bytes().begin() + 8));
  if (record->kind == Kind::kGroup) check_group(*record, payload);
  if (const auto seal = parse_seal(payload)) {
    ASSERT(std::equal(payload.begin(), payload.end(), encode_seal(*seal).begin()));
  }
  ASSERT(!find_record(copy.bytes(), kOffset + kBlockBytes, nonce) && !find_record(copy.bytes(), kOffset, nonce + 1));
  ASSERT(!find_record(copy.bytes().first(kRecordHeaderBytes + record->payload_bytes - 1), kOffset, nonce));
}

// The input as a record's header and payload, with what a fuzzer cannot guess made right.
void check_patched_record(BytesView input) {
  Bytes record = to_bytes(input);
  if (record.size() < kRecordHeaderBytes) return;
  const auto nonce = load_le<std::uint64_t>(record.data() + 8);
  std::memcpy(record.data(), "TREC", 4);
  store_le(record.data() + 16, kOffset);
  const std::size_t room = record.size() - kRecordHeaderBytes;
  const std::size_t size = std::min<std::size_t>(load_le<std::uint32_t>(record.data() + 36), room);
  store_le(record.data() + 36, static_cast<std::uint32_t>(size));
  const BytesView payload = BytesView(record).subspan(kRecordHeaderBytes, size);
  store_le(record.data() + kRecordCrcAt, crc64(payload, crc64(BytesView(record).first(kRecordCrcAt))));
  check_record(record, nonce);
}

std::vector<LogEntry> entries_of(fuzz::Pieces& pieces, std::uint64_t first) {
  std::vector<LogEntry> entries(1 + pieces.below(4));
  for (LogEntry& entry : entries) {
    entry.sequence = {first++};
    for (std::size_t writes = pieces.below(4); writes > 0; --writes) {
      std::string key = pieces.text();
      std::optional<std::string> value;
      if (pieces.flag()) value = pieces.text();
      entry.writes.emplace_back(std::move(key), std::move(value));
    }
  }
  return entries;
}

void check_written(BytesView input) {
  fuzz::Pieces pieces(input);
  const std::uint64_t first = 1 + pieces.u64() % (1ULL << 62), nonce = pieces.u64();
  const auto entries = entries_of(pieces, first);
  Bytes payload;
  for (const LogEntry& entry : entries) {
    const std::size_t before = payload.size();
    append_transaction(payload, entry);
    ASSERT(payload.size() - before == transaction_bytes(entry));
  }
  PageBytes record = encode_record({.kind = Kind::kGroup,
                                    .nonce = nonce,
                                    .offset = kOffset,
                                    .sequence = {first},
                                    .count = static_cast<std::uint32_t>(entries.size()),
                                    .durable_through = {first - 1},
                                    .chain_before = pieces.u64()},
                                   payload);
  const auto found = find_record(record, kOffset, nonce);
  ASSERT(found && found->end() - kOffset == record.size());
  const auto group = parse_group(*found, payload_of(*found, record));
  ASSERT(group.ok() && same(*group, entries));
  // One wrong bit of what the checksum covers hides the record.
  const std::size_t at = pieces.u64() % (kRecordHeaderBytes + payload.size());
  record[at] ^= static_cast<std::byte>(1U << pieces.below(8));
  ASSERT(!find_record(record, kOffset, nonce));
}

}  // namespace

FUZZ(kv_log_format) {
  const fuzz::Exact copy(as_text(input));
  check_header(copy.bytes());
  check_header(sealed_block(input));
  check_record(input, 0x2122232425262728);
  check_patched_record(input);
  check_written(input);
  if (const auto seal = parse_seal(copy.bytes())) {
    ASSERT(std::equal(input.begin(), input.end(), encode_seal(*seal).begin()));
  }
  if (const auto number = parse_file_name(copy.text())) ASSERT(file_name(*number) == copy.text());
}

}  // namespace tombolo::kv::log_format
