// A segment store over memory, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "async/run.h"
#include "base/crc64.h"
#include "data/run_reader.h"
#include "data/segment_store.h"
#include "disk/memory/memory_disk.h"
#include "disk/memory/memory_file.h"
#include "kv/memory/memory_engine.h"
#include "kv/run.h"
#include "testing/faulty_disk.h"

namespace tombolo::data {

inline Bytes pattern(std::size_t length, std::uint64_t seed) {
  SeededRandom random(seed);
  Bytes out(length);
  random.fill(out);
  return out;
}

inline RunToRead to_read(const RunPlace& place, TenantId tenant, GenId gen, std::uint64_t gen_offset = 0) {
  return {.tenant = tenant,
          .gen = gen,
          .gen_offset = gen_offset,
          .length = place.length,
          .granule_crcs = place.granule_crcs,
          .segment = place.segment,
          .offset = place.offset};
}

/// An engine whose mark can be held back.
class HeldMark final : public kv::Engine {
 public:
  explicit HeldMark(kv::Engine& inner) : inner_(inner) {}
  std::optional<kv::Sequence> held;

  kv::Capabilities capabilities() const override { return inner_.capabilities(); }
  std::unique_ptr<kv::Snapshot> snapshot() override { return inner_.snapshot(); }
  std::unique_ptr<kv::Transaction> begin() override { return inner_.begin(); }
  Task<std::vector<kv::LogEntry>> read_log(kv::Sequence after, std::uint32_t limit) override {
    return inner_.read_log(after, limit);
  }
  kv::Sequence durable_through() const override { return held ? *held : inner_.durable_through(); }
  kv::Sequence committed() const override { return inner_.committed(); }

 private:
  kv::Engine& inner_;
};

class DataRig : public ::testing::Test {
 protected:
  static constexpr TenantId kTenant{7};
  static constexpr GenId kGen{42};

  DataRig() { start({.segment_bytes = 1024 * 1024, .keep_free_bytes = 0}); }
  ~DataRig() override { stop(); }

  void start(SegmentStoreConfig config) {
    config_ = config;
    store_ = std::make_unique<SegmentStore>(engine_, disk_, random_, clock_, config);
    const auto opened = run(store_->open());
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
  }
  void stop() {
    if (store_) {
      EXPECT_TRUE(run(store_->close()).ok());
    }
    store_.reset();
  }
  void restart() {
    stop();
    start(config_);
  }
  /// Power loss. The engine keeps what was committed; requires that no sealed run is held.
  void crash() {
    memory_.crash();
    restart();
  }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop_, std::move(task));
  }
  /// Lets background work go on until nothing is ready.
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  Task<SealedRun> write_run(BytesView bytes, std::uint64_t length_max, std::size_t step, GenId gen) {
    const BeginRun begin{.tenant = kTenant, .gen = gen, .length_max = length_max};
    CO_TRY_ASSIGN(auto writer, store_->begin_run(begin));
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      CO_TRY(writer->append(Block(to_bytes(bytes.subspan(at, std::min(step, bytes.size() - at))))));
    }
    co_return co_await writer->seal();
  }
  Result<SealedRun> write(BytesView bytes, std::uint64_t length_max = 0, std::size_t step = 100'000) {
    return run(write_run(bytes, length_max == 0 ? bytes.size() : length_max, step, kGen));
  }
  Result<SealedRun> write_and_sync(BytesView bytes) {
    auto sealed = write(bytes);
    if (!sealed.ok()) return sealed;
    TRY(run(store_->sync({sealed->place.segment})));
    return sealed;
  }

  /// The cache knows granules by gen, and all runs here are written as kGen: each place is read as a gen of its own.
  Result<Bytes> read(const RunPlace& place, RunRange range) {
    const GenId gen{place.segment.value << 32 | place.offset};
    return run(read_range(to_read(place, kTenant, gen), range));
  }
  Result<Bytes> read(const RunPlace& place) { return read(place, {.offset = 0, .length = place.length}); }
  Task<Bytes> read_range(RunToRead what, RunRange range) {
    CO_CHECK_ASSIGN(auto reader, RunReader::open(*store_, *cache_, std::move(what), range));
    co_return co_await read_all(*reader, range.length);
  }

  /// Makes the run's place live (or dead) in the segment's counter, as the writer of an m row does.
  kv::Sequence commit_place(const RunPlace& place, int by) {
    auto body = [&place, by](kv::Transaction& txn) { return change_live(txn, place, by); };
    return *run(kv::run(engine_, random_, std::move(body)));
  }
  static Task<void> change_live(kv::Transaction& txn, const RunPlace& place, int by) {
    if (by > 0) segment_live_placed(txn, place.segment, place.offset, place.length);
    if (by < 0) segment_live_freed(txn, place.segment, place.offset, place.length);
    co_return Result<void>{};
  }

  std::unique_ptr<disk::File> file(SegmentId segment) {
    return *run(disk_.open(segment_path(segment), disk::Open::kReadWrite));
  }
  void flip_bit(SegmentId segment, std::uint64_t offset, unsigned bit) {
    auto target = file(segment);
    Bytes one(1);
    ASSERT_TRUE(run(target->read(offset, one)).ok());
    one[0] ^= static_cast<std::byte>(1u << bit);
    ASSERT_TRUE(run(target->write(offset, one)).ok());
  }
  std::size_t files() { return run(disk_.list(std::string(kSegmentsDirectory)))->size(); }
  std::vector<SegmentInfo> rows() {
    const auto snapshot = engine_.snapshot();
    return *run(read_segments(*snapshot));
  }

  boost::asio::io_context loop_{1};
  disk::MemoryDisk memory_;
  testing::FaultyDisk disk_{memory_};
  ManualClock clock_;
  SeededRandom random_{1};
  kv::MemoryEngine memory_engine_{clock_};
  HeldMark engine_{memory_engine_};
  SegmentStoreConfig config_;
  std::unique_ptr<BlockCache> cache_ = std::make_unique<BlockCache>();
  std::unique_ptr<SegmentStore> store_;
};

}  // namespace tombolo::data
