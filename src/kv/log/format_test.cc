#include "kv/log/format.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"

namespace tombolo::kv::log_format {
namespace {

std::vector<LogEntry> sample_group() {
  return {{.sequence = {7}, .writes = {{"Gaccount", "value"}, {"Gempty", ""}, {"Ggone", std::nullopt}}},
          {.sequence = {8}, .writes = {}},
          {.sequence = {9}, .writes = {{std::string("D\xff\x00\x01", 4), std::string(5'000, 'v')}}}};
}

/// One of each kind of record, with fixed ids: what the golden file holds.
Bytes golden_file() {
  const FileHeader header{.cell_id = 0x0102030405060708,
                          .log_id = 0x1112131415161718,
                          .number = 0x2a,
                          .nonce = 0x2122232425262728,
                          .first = {7},
                          .chain_before = 0x3132333435363738,
                          .previous_number = 0x29,
                          .previous_end = 0x5000};
  Bytes file = encode_header(header);
  const auto add = [&](RecordHeader record, BytesView payload) {
    record.nonce = header.nonce;
    record.offset = file.size();
    const PageBytes bytes = encode_record(record, payload);
    file.insert(file.end(), bytes.begin(), bytes.end());
  };
  Bytes payload;
  for (const auto& entry : sample_group()) append_transaction(payload, entry);
  RecordHeader group{.kind = Kind::kGroup,
                     .sequence = {7},
                     .count = 3,
                     .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                     .durable_through = {6},
                     .chain_before = header.chain_before};
  const std::uint64_t chain = chain_after(group, payload);
  add(group, payload);
  add({.kind = Kind::kMark, .sequence = {10}, .durable_through = {9}, .chain_before = chain}, {});
  add({.kind = Kind::kSeal, .sequence = {10}, .durable_through = {9}, .chain_before = chain},
      encode_seal({.successor_number = 0x2b, .successor_nonce = 0x4142434445464748, .end = file.size()}));
  return file;
}

Bytes read_golden() {
  std::ifstream in(std::string(KV_GOLDEN_DIRECTORY) + "/commit-log-1.bin", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  return to_bytes(text);
}

TEST(CommitLogFormat, GoldenFileIsWhatIsWritten) {
  const Bytes golden = read_golden();
  ASSERT_FALSE(golden.empty());
  EXPECT_TRUE(golden == golden_file()) << "constants on disk never change: docs/formats/commit-log.md";
}

TEST(CommitLogFormat, GoldenFileIsRead) {
  const Bytes golden = read_golden();
  auto header = parse_header(golden);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->number, 0x2au);
  EXPECT_EQ(header->first.value, 7u);
  const BytesView from = BytesView(golden).subspan(kBlockBytes);
  const auto group = find_record(from, kBlockBytes, header->nonce);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->last().value, 9u);
  auto entries = parse_group(*group, payload_of(*group, from));
  ASSERT_TRUE(entries.ok());
  const auto expected = sample_group();
  ASSERT_EQ(entries->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*entries)[i].sequence, expected[i].sequence);
    EXPECT_EQ((*entries)[i].writes, expected[i].writes);
  }
  const auto mark = find_record(BytesView(golden).subspan(group->end()), group->end(), header->nonce);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->durable_through.value, 9u);
  const BytesView sealed = BytesView(golden).subspan(mark->end());
  const auto seal = find_record(sealed, mark->end(), header->nonce);
  ASSERT_TRUE(seal);
  EXPECT_EQ(parse_seal(payload_of(*seal, sealed))->successor_number, 0x2bu);
}

TEST(CommitLogFormat, AnyFlippedBitIsNoticed) {
  const Bytes golden = read_golden();
  SeededRandom random(5);
  const auto group = find_record(BytesView(golden).subspan(kBlockBytes), kBlockBytes, 0x2122232425262728);
  ASSERT_TRUE(group);
  for (int i = 0; i < 2'000; ++i) {
    Bytes damaged = golden;
    const std::uint64_t record_bytes = kRecordHeaderBytes + group->payload_bytes;  // padding is not covered
    const std::uint64_t at = random.below(kBlockBytes + record_bytes);
    damaged[at] ^= static_cast<std::byte>(1u << random.below(8));
    if (at < kBlockBytes) {
      EXPECT_FALSE(parse_header(damaged).ok()) << at;
    } else {
      EXPECT_FALSE(find_record(BytesView(damaged).subspan(kBlockBytes), kBlockBytes, 0x2122232425262728)) << at;
    }
  }
}

TEST(CommitLogFormat, ParsersStandAnyBytes) {
  SeededRandom random(6);
  Bytes payload;
  for (const auto& entry : sample_group()) append_transaction(payload, entry);
  for (int i = 0; i < 5'000; ++i) {
    Bytes damaged = payload;
    for (auto n = random.below(4); n < 4; ++n) damaged[random.below(60)] = static_cast<std::byte>(random.below(256));
    damaged.resize(random.below(damaged.size() + 1));
    auto parsed = parse_group({.sequence = {7}, .count = 3}, damaged);
    if (parsed.ok()) {
      EXPECT_EQ(parsed->size(), 3u);
    }
    (void)find_record(damaged, 0, 0);
    (void)parse_seal(damaged);
    EXPECT_FALSE(parse_header(damaged).ok());
  }
}

TEST(CommitLogFormat, FileNames) {
  EXPECT_EQ(file_name(0xa1), "00000000000000a1.log");
  EXPECT_EQ(parse_file_name("00000000000000a1.log"), 0xa1u);
  for (const char* name : {"a1.log", "00000000000000A1.log", "00000000000000a1.tmp", "spare.tmp", ""}) {
    EXPECT_FALSE(parse_file_name(name)) << name;
  }
}

}  // namespace
}  // namespace tombolo::kv::log_format
