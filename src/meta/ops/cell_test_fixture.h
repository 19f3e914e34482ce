// CellTest: a cell over kv/memory with the guard checker on, once as it is and once with commits whose outcome stays
// hidden. Included by tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "async/run.h"
#include "base/crc64.h"
#include "base/endian.h"
#include "base/units.h"
#include "kv/memory/memory_engine.h"
#include "meta/cell.h"
#include "meta/keys/keys.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "meta/ops/objects.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {

enum class Outcomes { kKnown, kOftenUnknown };

/// Counts the live bytes of each segment in rows of its own.
class TestLedger final : public SegmentLedger {
 public:
  static std::string key(SegmentId segment) {
    std::string out = "test live ";
    append_be64(out, segment.value);
    return out;
  }
  void placed(kv::Transaction& txn, LocalPlace place, std::uint64_t length) override {
    txn.add(key(place.segment), static_cast<std::int64_t>(length));
  }
  void freed(kv::Transaction& txn, LocalPlace place, std::uint64_t length) override {
    txn.add(key(place.segment), -static_cast<std::int64_t>(length));
  }
};

class CellTest : public ::testing::TestWithParam<Outcomes> {
 protected:
  CellTest() : engine(clock, options()), stamper(engine, random, clock), ids(engine, random) {
    EXPECT_TRUE(run_to_end(stamper.recover()).ok());
    EXPECT_TRUE(run_to_end(ids.recover()).ok());
    container = make_container("box");
  }

  template <class T>
  Result<T> wait(Task<T> task) {
    return run_to_end(loop, std::move(task));
  }
  /// The value; fails the test, and ends the program, on an error.
  template <class T>
  T must(Task<T> task) {
    Result<T> result = wait(std::move(task));
    if (!result.ok()) {
      ADD_FAILURE() << to_string(result.error());
      std::abort();
    }
    return *std::move(result);
  }
  template <class T>
  Error error_of(Task<T> task) {
    Result<T> result = wait(std::move(task));
    if (result.ok()) {
      ADD_FAILURE() << "it succeeded";
      return Error{};
    }
    return std::move(result).error();
  }
  template <class T>
  std::string detail_of(Task<T> task) {
    return std::string(error_of(std::move(task)).detail);
  }

  ContainerKey make_container(std::string name) {
    CreateContainer request;
    request.tenant = kTenant;
    request.account = "acc";
    request.name = std::move(name);
    return key_of(must(create_container(cell, std::move(request))));
  }

  NewGen inline_gen(std::string bytes) {
    NewGen out;
    out.gen.id = must(ids.next_id<GenId>());
    out.gen.shape = GenShape::kInline;
    out.gen.length = bytes.size();
    out.gen.crc64 = crc64(as_bytes(bytes));
    out.gen.inline_bytes = std::move(bytes);
    return out;
  }
  meta::Run run_at(GenId gen, std::uint64_t offset, std::uint64_t length, SegmentId segment) {
    meta::Run run;
    run.gen = gen;
    run.offset = offset;
    run.length = length;
    run.granule_crcs.resize((length + kGranuleBytes - 1) / kGranuleBytes, 0x1234);
    run.local = LocalPlace{segment, 4096 + offset};
    return run;
  }
  /// A fresh gen of `runs` runs of `length` bytes each.
  NewGen runs_gen(std::uint64_t runs, std::uint64_t length, SegmentId segment = {1}) {
    NewGen out;
    out.gen.id = must(ids.next_id<GenId>());
    out.gen.shape = GenShape::kRuns;
    out.gen.length = runs * length;
    for (std::uint64_t i = 0; i < runs; ++i) out.runs.push_back(run_at(out.gen.id, i * length, length, segment));
    return out;
  }
  Task<Object> put(std::string name, NewGen gen, Conditions conditions = {}) {
    PublishObject request;
    request.container = container;
    request.name = std::move(name);
    request.gen = std::move(gen);
    request.conditions = std::move(conditions);
    return publish_object(cell, std::move(request));
  }
  Task<Object> put(std::string name, std::string bytes = "hello", Conditions conditions = {}) {
    return put(std::move(name), inline_gen(std::move(bytes)), std::move(conditions));
  }
  Task<void> stage(std::string name, std::string block_id, NewGen gen) {
    PublishBlock request;
    request.container = container;
    request.name = std::move(name);
    request.block_id = std::move(block_id);
    request.gen = std::move(gen);
    return publish_block(cell, std::move(request));
  }
  Task<void> stage(std::string name, std::string block_id, std::string bytes) {
    return stage(std::move(name), std::move(block_id), inline_gen(std::move(bytes)));
  }

  std::vector<kv::Row> rows_of(std::string prefix) {
    kv::RangeQuery query;
    query.end = kv::prefix_end(prefix);
    query.begin = std::move(prefix);
    query.limit = kv::kRangeRowsMax;
    const auto snapshot = engine.snapshot();
    return must(snapshot->range(std::move(query))).rows;
  }
  std::int64_t live_bytes(SegmentId segment) {
    const auto snapshot = engine.snapshot();
    const auto value = must(snapshot->get(TestLedger::key(segment)));
    return value ? load_le<std::int64_t>(value->data()) : 0;
  }
  std::size_t edges_of(GenId gen) { return must(list_edges(cell, kTenant, gen, 1'000)).size(); }
  std::vector<Candidate> candidates() {
    std::vector<Candidate> out;
    const Stamp future{~0ull};
    for (unsigned shard = 0; shard < kCandidateShards; ++shard) {
      auto page = must(list_candidates(cell, {.shard = shard, .before = future, .limit = 1'000}));
      for (Candidate& each : page.rows) out.push_back(std::move(each));
    }
    return out;
  }
  /// Purges and collects garbage until nothing is left to do.
  void collect() {
    const auto purges = must(list_purges(cell, 1'000));
    for (const PurgeEntry& entry : purges.rows) {
      while (must(purge_batch(cell, entry)).progress == Progress::kMore) {
      }
    }
    for (int round = 0; round < 4; ++round) {
      for (const Candidate& candidate : candidates()) {
        if (candidate.kind == CandidateKind::kGen) must(condemn_gen(cell, candidate));
      }
      const Stamp now = must(stamper.next());
      for (const Candidate& candidate : candidates()) {
        if (candidate.kind != CandidateKind::kGen) continue;
        while (must(erase_gen(cell, candidate, now)) == Erased::kMore) {
        }
      }
    }
  }

  static constexpr TenantId kTenant{7};
  boost::asio::io_context loop;
  ManualClock clock;
  SeededRandom random{42};
  kv::MemoryEngine engine;
  Stamper stamper;
  IdAllocator ids;
  TestLedger ledger;
  HeldSeals seals;
  Cell cell{engine, random, clock, stamper, ids, ledger, seals};
  ContainerKey container;

 private:
  static kv::MemoryEngineOptions options() {
    kv::MemoryEngineOptions out;
    out.guard_of = keys::guard_of;
    if (GetParam() == Outcomes::kOftenUnknown) {
      out.fault = [](std::uint64_t number) {
        if (number % 5 == 2) return kv::CommitFault::kFailUnknown;
        if (number % 5 == 4) return kv::CommitFault::kSucceedUnknown;
        return kv::CommitFault::kNone;
      };
    }
    return out;
  }
};

}  // namespace tombolo::meta

#define TOMBOLO_CELL_TESTS(fixture)                                                                     \
  INSTANTIATE_TEST_SUITE_P(Cell, fixture, ::testing::Values(Outcomes::kKnown, Outcomes::kOftenUnknown), \
                           [](const auto& each) { return each.param == Outcomes::kKnown ? "Known" : "Unknown"; })
