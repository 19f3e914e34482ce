#include "data/segment_rows.h"

#include <fmt/format.h>

#include "base/endian.h"
#include "base/wire.h"
#include "data/layout.h"
#include "kv/tables.h"

namespace tombolo::data {

namespace {

std::string key_of(kv::Table table, std::uint64_t segment) {
  std::string key = kv::table_prefix(table);
  append_be64(key, segment);
  return key;
}

Task<std::vector<kv::Row>> read_table(kv::Snapshot& snapshot, std::string begin, std::string end) {
  std::vector<kv::Row> rows;
  while (true) {
    kv::RangeQuery query{.begin = begin, .end = end};
    CO_TRY_ASSIGN(auto page, snapshot.range(std::move(query)));
    for (auto& row : page.rows) rows.push_back(std::move(row));
    if (!page.more) break;
    begin = rows.back().key + '\0';
  }
  co_return rows;
}

}  // namespace

std::string segment_key(SegmentId segment) {
  return key_of(kv::Table::kSegments, segment.value);
}

std::string segment_live_key(SegmentId segment) {
  return key_of(kv::Table::kSegmentLive, segment.value);
}

std::string segment_next_key() {
  return key_of(kv::Table::kSegments, 0);
}

std::string encode(const SegmentRow& row) {
  WireWriter out;
  out.u8(static_cast<std::uint8_t>(row.state));
  out.u64(row.incarnation);
  out.u64(row.file_bytes);
  return std::move(out).take();
}

Result<SegmentRow> decode_segment_row(std::string_view value) {
  WireReader in(value);
  const std::uint8_t state = in.u8();
  SegmentRow row{.state = static_cast<SegmentState>(state), .incarnation = in.u64(), .file_bytes = in.u64()};
  TRY(in.finish("segment row"));
  if (state > static_cast<std::uint8_t>(SegmentState::kFreeing)) {
    return Error{Code::kCorrupt, fmt::format("segment row: there is no state {}", state)};
  }
  return row;
}

void segment_live_placed(kv::Transaction& txn, SegmentId segment, std::uint64_t offset, std::uint64_t length) {
  txn.add(segment_live_key(segment), static_cast<std::int64_t>(occupied_bytes(offset, length)));
}

void segment_live_freed(kv::Transaction& txn, SegmentId segment, std::uint64_t offset, std::uint64_t length) {
  txn.add(segment_live_key(segment), -static_cast<std::int64_t>(occupied_bytes(offset, length)));
}

Task<std::vector<SegmentInfo>> read_segments(kv::Snapshot& snapshot) {
  const std::string first = segment_key(SegmentId{1});
  CO_TRY_ASSIGN(const auto rows, read_table(snapshot, first, kv::prefix_end(kv::table_prefix(kv::Table::kSegments))));
  const std::string live_prefix = kv::table_prefix(kv::Table::kSegmentLive);
  CO_TRY_ASSIGN(const auto counters, read_table(snapshot, live_prefix, kv::prefix_end(live_prefix)));
  std::vector<SegmentInfo> out;
  auto counter = counters.begin();
  for (const auto& row : rows) {
    SegmentInfo info;
    info.segment = {load_be64(row.key.data() + row.key.size() - 8)};
    auto decoded = decode_segment_row(row.value);
    if (!decoded.ok()) {
      co_return Error{Code::kCorrupt, fmt::format("segment {:016x}: {}", info.segment.value, decoded.error().message)};
    }
    info.row = *decoded;
    const std::string live_key = segment_live_key(info.segment);
    while (counter != counters.end() && counter->key < live_key) ++counter;
    if (counter != counters.end() && counter->key == live_key && counter->value.size() == 8) {
      info.live_bytes = load_le<std::int64_t>(counter->value.data());
    }
    out.push_back(info);
  }
  co_return out;
}

}  // namespace tombolo::data
