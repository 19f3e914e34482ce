// The log engine over RocksDB, on a real directory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rocksdb/env.h>

#include <condition_variable>
#include <fstream>

#include "kv/rocks/rocks_rig_test.h"

namespace tombolo::kv {
namespace {

using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(LogOverRocks, EngineContract,
                         testing::Values(HarnessKind{"log_rocks", [] { return std::make_unique<RocksRig>(); }}),
                         harness_name);

/// Keeps RocksDB's compactions from running for as long as it lives.
class NoCompactions {
 public:
  NoCompactions() {
    const int threads = std::max(rocksdb::Env::Default()->GetBackgroundThreads(rocksdb::Env::LOW), 1);
    for (int n = 0; n < threads; ++n) rocksdb::Env::Default()->Schedule(&wait, &state_, rocksdb::Env::LOW);
    state_.waiting = threads;
  }
  ~NoCompactions() {
    std::unique_lock lock(state_.mutex);
    state_.over = true;
    state_.changed.notify_all();
    state_.changed.wait(lock, [this] { return state_.waiting == 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool over = false;
    int waiting = 0;
  };
  static void wait(void* given) {
    State& state = *static_cast<State*>(given);
    std::unique_lock lock(state.mutex);
    state.changed.wait(lock, [&state] { return state.over; });
    --state.waiting;
    state.changed.notify_all();
  }
  State state_;
};

TEST_F(Rocks, RowsOfFilesThatAreNotOpenYetAreWhole) {
  constexpr int kFiles = 19;  // it opens 16 at a start; from 20 on it slows writers down
  const NoCompactions none;
  for (int n = 0; n < kFiles; ++n) {
    ASSERT_TRUE(rig_.put("row " + std::to_string(n), "value").ok());
    ASSERT_TRUE(rig_.put("empty " + std::to_string(n), "").ok());
    ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  }
  ASSERT_TRUE(rig_.reopen());
  ASSERT_GT(rig_.index_files(".sst").size(), 16u) << "else all are open";
  for (int n = 0; n < kFiles; ++n) {
    const auto row = rig_.get("row " + std::to_string(n));
    ASSERT_TRUE(row.ok()) << to_string(row.error());
    EXPECT_EQ(*row, "value") << n;
    EXPECT_EQ(*rig_.get("empty " + std::to_string(n)), "") << n;
    EXPECT_EQ(*rig_.get("absent " + std::to_string(n)), std::nullopt) << n;
  }
}

TEST_F(Rocks, KillKeepsEveryCommitWhateverWasFlushed) {
  int n = 0;
  for (const int flush_at : {0, 7, 20}) {
    for (int i = 0; i < 25; ++i) {
      ASSERT_TRUE(rig_.put("n", std::to_string(++n)).ok());
      if (i == flush_at) {
        ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
      }
    }
    rig_.stop();
    const auto opened = rig_.open();
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    EXPECT_EQ(*rig_.get("n"), std::to_string(n));
    EXPECT_EQ(rig_.engine().committed().value, static_cast<std::uint64_t>(n));
  }
}

TEST_F(Rocks, ReadsGoPastTheBlockCache) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(rig_.put("k" + std::to_string(100 + i), std::string(60'000, 'v')).ok());
  rig_.reopen();  // nothing is in memory now
  const auto rows = rig_.engine().snapshot();
  EXPECT_EQ((*run_to_end(rig_.loop, rows->get("k120")))->size(), 60'000u);
  EXPECT_EQ(*run_to_end(rig_.loop, rows->get("k999")), std::nullopt);
  auto several = run_to_end(rig_.loop, rows->multi_get({"k149", "none", "k101"}));
  ASSERT_TRUE(several.ok());
  EXPECT_TRUE((*several)[0] && !(*several)[1] && (*several)[2]);
  auto page = run_to_end(rig_.loop, rows->range({.begin = "k", .end = "l", .byte_limit = 100'000'000}));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->rows.size(), 50u);
}

Task<void> put_many(Engine& engine, int from, int count) {
  for (int i = from; i < from + count; ++i) {
    const auto transaction = engine.begin();
    transaction->put("k" + std::to_string(i), "v");
    CO_TRY(transaction->commit());
  }
  co_return Result<void>{};
}

Task<void> put_from_many(Engine& engine) {
  Scope scope("writers");
  const auto executor = co_await boost::asio::this_coro::executor;
  for (int i = 0; i < 32; ++i) scope.spawn(executor, put_many(engine, i * 20, 20));
  co_return co_await scope.join();
}

TEST_F(Rocks, ConcurrentCommitsShareSyncs) {
  const auto before = rig_.log_engine().status();
  ASSERT_TRUE(run_to_end(rig_.loop, put_from_many(rig_.engine())).ok());
  const auto after = rig_.log_engine().status();
  EXPECT_EQ(after.committed.value - before.committed.value, 640u);
  EXPECT_LT(after.log.syncs - before.log.syncs, 200u);
}

TEST_F(Rocks, TellsWhatAFlushMayTake) {
  constexpr std::uint64_t kRows = 3'000, kRowBytes = 1'000, kMiB = 1 << 20;
  const TestFolder folder;
  auto opened = run_to_end(rig_.loop, open_rocks_index({.path = folder.path() + "/index"}, rig_.workers()));
  ASSERT_TRUE(opened.ok()) << to_string(opened.error());
  Index& index = **opened;
  EXPECT_LT(index.flush_bytes(), 2 * kMiB);
  LogEntry entry{.sequence = {1}, .writes = {}};
  for (std::uint64_t n = 0; n < kRows; ++n)
    entry.writes.emplace_back(fmt::format("row {:05}", n), std::string(kRowBytes, 'x'));
  const std::vector<LogEntry> group{entry};
  ASSERT_TRUE(run_to_end(rig_.loop, index.apply(group, {.log_id = 1, .sequence = {1}, .chain = 1})).ok());
  EXPECT_GE(index.flush_bytes(), kRows * kRowBytes);
  ASSERT_TRUE(run_to_end(rig_.loop, index.flush()).ok());
  EXPECT_LT(index.flush_bytes(), 2 * kMiB);
}

TEST_F(Rocks, FullDiskHoldsFlushesAndHeals) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.files->full = true;
  EXPECT_EQ(run_to_end(rig_.loop, rig_.log_engine().flush()).error().code, Code::kNoSpace);
  EXPECT_EQ(*rig_.get("a"), "1");
  const auto held = rig_.put("a", "2");  // RocksDB may refuse writes now, or not
  if (!held.ok()) {
    EXPECT_EQ(held.error().code, Code::kUnknownOutcome);
  }
  rig_.files->full = false;
  // RocksDB looks for space every 5 s; docs/durability.md says within 10.
  for (int i = 0; i < 100 && rig_.log_engine().status().stalled; ++i) {
    rig_.loop.restart();
    rig_.loop.run_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(rig_.put("b", "1").ok());
  EXPECT_EQ(*rig_.get("a"), "2");
  const auto flushed = run_to_end(rig_.loop, rig_.log_engine().flush());
  EXPECT_TRUE(flushed.ok()) << to_string(flushed.error());
  rig_.reopen();
  EXPECT_EQ(*rig_.get("a"), "2");
}

/// A closed index with some tables, one of which rots.
class RocksTable : public Rocks {
 protected:
  void write_and_close() {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(rig_.put("k" + std::to_string(i), std::string(1'000, 'v')).ok());
    ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().verify()).ok());
    ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().close()).ok());
    ASSERT_FALSE(rig_.index_files(".sst").empty());
    table_ = rig_.index_files(".sst").front();
    rig_.stop();
  }
  void damage(std::streamoff at, std::ios::seekdir from, char byte) const {
    std::fstream file(table_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at, from);
    file.put(byte);
  }
  void expect_named() {
    const auto opened = rig_.open();
    const auto checked = opened.ok() ? run_to_end(rig_.loop, rig_.log_engine().verify()) : opened;
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().code, Code::kCorrupt);
    EXPECT_THAT(checked.error().message, HasSubstr(table_.filename().string()));
  }
  std::filesystem::path table_;
};

TEST_F(RocksTable, DamagedRowsAreNamedNotServed) {
  write_and_close();
  damage(100, std::ios::beg, '\x5a');
  expect_named();
}

TEST_F(RocksTable, FooterThatSaysThatBlocksHaveNoChecksumsIsNamed) {
  write_and_close();
  damage(-53, std::ios::end, '\0');  // one bit away from XXH3, and all rows are read well
  expect_named();
}

/// RocksDB's MANIFEST, of the flushes and commits before it.
class RocksManifest : public Rocks {
 protected:
  void flush() { ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok()); }
  std::filesystem::path path() const {
    for (const auto& file : rig_.index_files("")) {
      if (file.filename().string().starts_with("MANIFEST")) return file;
    }
    return {};
  }
  void damage(std::uint64_t at) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('\x5a');
  }
};

TEST_F(RocksManifest, WhatNoSyncHadCoveredIsCutAndTheLogHasTheRest) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  flush();
  ASSERT_TRUE(rig_.put("a", "2").ok());
  rig_.stop();
  {
    std::ofstream tail(path(), std::ios::app | std::ios::binary);  // a hole, and something behind it
    tail << std::string(700, '\0') << std::string(300, 'x');
  }
  const auto opened = rig_.open();
  ASSERT_TRUE(opened.ok()) << to_string(opened.error());
  EXPECT_EQ(*rig_.get("a"), "2");
  ASSERT_TRUE(rig_.put("a", "3").ok());
  flush();
  rig_.reopen();
  EXPECT_EQ(*rig_.get("a"), "3");
}

/// Its tables may be gone as well, since what followed was durable: then RocksDB refuses again.
TEST_F(RocksManifest, AVersionThatTheLogDoesNotReachBackToHalts) {
  rig_.options.log.file_bytes = 6 * 4096;
  rig_.reopen();
  ASSERT_TRUE(rig_.put("a", "0").ok());
  flush();
  const auto before = std::filesystem::file_size(path());
  for (int n = 1; n <= 20; ++n) ASSERT_TRUE(rig_.put("a", std::to_string(n)).ok());
  flush();  // trims the log
  ASSERT_GT(std::filesystem::file_size(path()), before);
  rig_.stop();
  damage(before + 10);
  const auto opened = rig_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
}

TEST_F(Rocks, MissingTableFileRefusesToOpen) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().close()).ok());
  const auto tables = rig_.index_files(".sst");
  rig_.stop();
  ASSERT_FALSE(tables.empty());
  std::filesystem::remove(tables.front());
  const auto opened = rig_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace tombolo::kv
