// The log engine over RocksDB, on a real directory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>

#include "async/scope.h"
#include "base/log.h"
#include "disk/posix/posix_disk.h"
#include "kv/contract_test.h"
#include "kv/log/log_engine.h"
#include "kv/rocks/rocks_index.h"
#include "testing/test_folder.h"

namespace tombolo::kv {
namespace {

using testing::HasSubstr;

/// Pretends that the disk is full while told so.
class FullFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FullFile(std::unique_ptr<rocksdb::FSWritableFile> inner, const std::atomic<bool>& full)
      : FSWritableFileOwnerWrapper(std::move(inner)), full_(full) {}
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (full_) return rocksdb::IOStatus::NoSpace("full, says the test");
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info, rocksdb::IODebugContext* debug) override {
    if (full_) return rocksdb::IOStatus::NoSpace("full, says the test");
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }

 private:
  const std::atomic<bool>& full_;
};

class FullFiles final : public rocksdb::FileSystemWrapper {
 public:
  FullFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FullFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    auto status = FileSystemWrapper::NewWritableFile(name, options, &inner, debug);
    if (status.ok()) *out = std::make_unique<FullFile>(std::move(inner), full);
    return status;
  }
  std::atomic<bool> full{false};
};

class RocksRig final : public Harness {
 public:
  RocksRig() {
    disk_ = *disk::PosixDisk::open_root(root_, workers_);
    options.free_bytes_min = 0;
    const auto opened = open();
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
  }
  ~RocksRig() override {
    stop();
    disk_.reset();
  }

  static constexpr unsigned kThreads = 4;
  Workers& workers() { return workers_; }
  Engine& engine() override { return *engine_; }
  LogEngine& log_engine() { return *engine_; }
  bool reopen() override {
    const auto closed = run_to_end(loop, engine_->close());
    EXPECT_TRUE(closed.ok()) << to_string(closed.error());
    engine_.reset();
    const auto opened = open();
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
    return true;
  }
  Result<void> open() {
    RocksIndexOptions rocks{.path = root_ + "/index", .write_buffer_bytes = 1 << 20, .files = files};
    TRY_ASSIGN(auto index, run_to_end(loop, open_rocks_index(rocks, workers_)));
    LogEngine::Services services{
        .disk = *disk_, .index = std::move(index), .clock = clock, .random = random, .executor = loop.get_executor()};
    TRY_ASSIGN(engine_, run_to_end(loop, LogEngine::open(std::move(services), options)));
    return {};
  }
  /// Ends the engine as a kill would: what RocksDB had only in memory is gone.
  void stop() {
    if (!engine_) return;
    EXPECT_TRUE(run_to_end(loop, engine_->stop()).ok());
    engine_.reset();
  }
  Result<Sequence> put(std::string key, std::string value) {
    const auto transaction = engine_->begin();
    transaction->put(std::move(key), std::move(value));
    return run_to_end(loop, transaction->commit());
  }
  Result<std::optional<std::string>> get(std::string key) {
    return run_to_end(loop, engine_->snapshot()->get(std::move(key)));
  }
  std::vector<std::filesystem::path> index_files(const std::string& extension) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(root_ + "/index")) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    return found;
  }

  LogEngineOptions options;
  std::shared_ptr<FullFiles> files = std::make_shared<FullFiles>();

 private:
  const TestFolder folder_;
  const std::string root_ = folder_.path();
  Workers workers_{{.threads = kThreads}};
  std::unique_ptr<disk::PosixDisk> disk_;
  std::unique_ptr<LogEngine> engine_;
};

INSTANTIATE_TEST_SUITE_P(LogOverRocks, EngineContract,
                         testing::Values(HarnessKind{"log_rocks", [] { return std::make_unique<RocksRig>(); }}),
                         harness_name);

class Rocks : public testing::Test {
 protected:
  Rocks() { set_log_level(LogLevel::kError); }
  ~Rocks() override { set_log_level(LogLevel::kInfo); }
  RocksRig rig_;
};

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

/// Keeps all workers busy for as long as it lives.
class BusyWorkers {
 public:
  explicit BusyWorkers(Workers& workers, unsigned threads) {
    for (unsigned n = 0; n < threads; ++n) EXPECT_TRUE(workers.submit([free = free_] { free.wait(); }));
  }
  ~BusyWorkers() { let_go_.set_value(); }

 private:
  std::promise<void> let_go_;
  std::shared_future<void> free_ = let_go_.get_future().share();
};

Task<void> note_range(Engine& engine, RangeQuery query, std::optional<RangePage>& out) {
  CO_TRY_ASSIGN(out, engine.snapshot()->range(std::move(query)));
  co_return Result<void>{};
}

TEST_F(Rocks, ARangeOfRowsWithManyErasedBetweenThemIsReadByAWorker) {
  constexpr int kRows = 20'000, kLeft = 100;  // one of each 200
  for (const bool erased : {false, true}) {
    const auto transaction = rig_.engine().begin();
    for (int n = 0; n < kRows / 2; ++n) transaction->put(fmt::format("row {:05}", 2 * n), "value");
    if (erased) {
      for (int n = 0; n < kRows / 2; ++n) {
        if (n % 100 != 0) transaction->erase(fmt::format("row {:05}", 2 * n));
      }
    }
    ASSERT_TRUE(run_to_end(rig_.loop, transaction->commit()).ok());
  }
  Scope scope("range");
  std::optional<RangePage> page;
  {
    const BusyWorkers busy(rig_.workers(), RocksRig::kThreads);
    const RangeQuery all{.begin = "row ", .end = "row zz", .limit = 256};
    scope.spawn(rig_.loop.get_executor(), note_range(rig_.engine(), all, page));
    rig_.loop.restart();
    rig_.loop.poll();
    EXPECT_FALSE(page.has_value()) << "the loop went over " << kRows / 2 << " erased rows, a few at a time";
  }
  ASSERT_TRUE(run_to_end(rig_.loop, scope.join()).ok());
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->rows.size(), static_cast<std::size_t>(kLeft));
}

TEST_F(Rocks, ARangeBehindManyErasedRowsIsReadByAWorker) {
  constexpr int kRows = 5'000;
  for (const bool erased : {false, true}) {
    const auto transaction = rig_.engine().begin();
    for (int n = 0; n < kRows; ++n) {
      const std::string key = fmt::format("row {:04}", n);
      if (erased) {
        transaction->erase(key);
      } else {
        transaction->put(key, "value");
      }
    }
    transaction->put("row z", "value");
    ASSERT_TRUE(run_to_end(rig_.loop, transaction->commit()).ok());
  }
  Scope scope("range");
  std::optional<RangePage> few, none;
  {
    const BusyWorkers busy(rig_.workers(), RocksRig::kThreads);
    const RangeQuery rest{.begin = fmt::format("row {:04}", kRows - 500), .end = "row zz", .limit = 10};
    scope.spawn(rig_.loop.get_executor(), note_range(rig_.engine(), rest, few));
    const RangeQuery all{.begin = "row ", .end = "row zz", .limit = 10};
    scope.spawn(rig_.loop.get_executor(), note_range(rig_.engine(), all, none));
    rig_.loop.restart();
    rig_.loop.poll();
    EXPECT_TRUE(few.has_value()) << "at once";
    EXPECT_FALSE(none.has_value()) << "the loop went over " << kRows << " erased rows";
  }
  ASSERT_TRUE(run_to_end(rig_.loop, scope.join()).ok());
  for (const auto& page : {few, none}) {
    ASSERT_TRUE(page.has_value());
    ASSERT_EQ(page->rows.size(), 1u);
    EXPECT_EQ(page->rows[0].key, "row z");
    EXPECT_FALSE(page->more);
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
