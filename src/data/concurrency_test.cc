// The store and the cache under two event loops on two threads, as a server with two cores runs them.
#include <boost/asio/executor_work_guard.hpp>
#include <filesystem>
#include <thread>

#include "async/sleep.h"
#include "base/log.h"
#include "data/data_rig_test.h"
#include "disk/posix/posix_disk.h"
#include "testing/test_folder.h"

namespace tombolo::data {
namespace {

class Loop {
 public:
  Loop() : guard_(boost::asio::make_work_guard(context_)), thread_([this] { context_.run(); }) {}
  ~Loop() {
    guard_.reset();
    thread_.join();
  }
  Executor executor() { return context_.get_executor(); }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

struct Shared {
  kv::Engine& engine;
  Random& random;
  SegmentStore& store;
  BlockCache& cache;
  std::atomic<std::uint64_t> verified{0};
};

Task<void> count_live(kv::Transaction& txn, RunPlace place, int by) {
  if (by > 0) segment_live_placed(txn, place.segment, place.offset, place.length);
  if (by < 0) segment_live_freed(txn, place.segment, place.offset, place.length);
  co_return Result<void>{};
}

Task<void> write_read_forget(Shared& shared, std::uint64_t writer) {
  constexpr TenantId kTenant{1};
  for (std::uint64_t n = 0; n < 15; ++n) {
    const GenId gen{writer * 1'000 + n};
    const Bytes bytes = pattern(3'000 + 9'000 * n, gen.value);
    RunPlace place;
    {
      const BeginRun begin{.tenant = kTenant, .gen = gen, .length_max = bytes.size()};
      CO_TRY_ASSIGN(auto run, shared.store.begin_run(begin));
      CO_TRY(run->append(Block(to_bytes(bytes))));
      CO_TRY_ASSIGN(auto sealed, run->seal());
      run.reset();
      std::vector<SegmentId> segments{sealed.place.segment};
      CO_TRY(shared.store.sync(std::move(segments)));
      place = sealed.place;
      auto live = [&place](kv::Transaction& txn) { return count_live(txn, place, 1); };
      CO_TRY(kv::run(shared.engine, shared.random, std::move(live)));
    }
    for (int reads = 0; reads < 2; ++reads) {
      const RunRange range{.offset = n * 100, .length = bytes.size() - n * 100};
      CO_CHECK_ASSIGN(auto reader, RunReader::open(shared.store, shared.cache, to_read(place, kTenant, gen), range));
      CO_TRY_ASSIGN(const Bytes got, read_all(*reader, range.length));
      if (got != to_bytes(BytesView(bytes).subspan(n * 100))) co_return Error{Code::kCorrupt, "wrong bytes"};
      ++shared.verified;
    }
    if (n % 3 == 0) continue;
    auto dead = [&place](kv::Transaction& txn) { return count_live(txn, place, -1); };
    CO_TRY(kv::run(shared.engine, shared.random, std::move(dead)));
  }
  co_return Result<void>{};
}

Task<void> release_what_is_dead(Shared& shared) {
  for (int round = 0; round < 30; ++round) {
    CO_TRY(sleep_for(std::chrono::milliseconds(2)));
    if (round % 5 == 0) {
      CO_TRY(shared.store.rotate());
    }
    std::vector<SegmentInfo> segments;
    {
      const auto snapshot = shared.engine.snapshot();
      CO_TRY_ASSIGN(segments, read_segments(*snapshot));
    }
    for (const SegmentInfo& info : segments) {
      if (info.live_bytes != 0 || !shared.store.compactable(info.segment)) continue;
      const auto released = co_await shared.store.release(info.segment);
      const bool expected = released.ok() || released.error().code == Code::kNotFound ||
                            released.error().code == Code::kConditionFailed || released.error().code == Code::kBusy;
      if (!expected) co_return released;
    }
    CO_TRY(shared.store.reap());
  }
  co_return Result<void>{};
}

Task<void> note_failure(Task<void> task, std::atomic<int>& failures) {
  const auto result = co_await std::move(task);
  if (!result.ok()) {
    ++failures;
    log(LogLevel::kError, "test", "{}", to_string(result.error()));
  }
  co_return Result<void>{};
}

class ConcurrencyTest : public DataRig {
 protected:
  /// On a store that is open, whose background sealing runs on this thread's loop.
  void write_read_and_free(SegmentStore& store) {
    BlockCache cache({.bytes_max = 512 * 1024, .shards = 2});
    Shared shared{engine_, random_, store, cache};
    std::atomic<int> failures{0};
    Loop one, two;
    Scope scope("clients");
    for (std::uint64_t writer = 1; writer <= 12; ++writer) {
      Loop& loop = writer % 2 == 0 ? one : two;
      scope.spawn(loop.executor(), note_failure(write_read_forget(shared, writer), failures));
    }
    scope.spawn(one.executor(), note_failure(release_what_is_dead(shared), failures));
    ASSERT_TRUE(run(scope.join()).ok());
    ASSERT_TRUE(run(store.close()).ok());  // reads ahead still use the cache and the loops
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(shared.verified, 12u * 15 * 2);
  }
  const SegmentStoreConfig small_{.segment_bytes = 256 * 1024, .keep_free_bytes = 0, .idle_files_max = 2};
};

TEST_F(ConcurrencyTest, TwoLoopsWriteSyncReadAndFree) {
  stop();
  start(small_);
  write_read_and_free(*store_);
  store_.reset();
}

TEST_F(ConcurrencyTest, TheSameOnTheMachinesFiles) {
  stop();
  const TestFolder root;
  Workers workers({.threads = 4});
  const auto disk = *disk::PosixDisk::open_root(root.path(), workers);
  SegmentStore store(engine_, *disk, random_, clock_, small_);
  ASSERT_TRUE(run(store.open()).ok());
  write_read_and_free(store);
}

/// Descriptors of this process on files of the folder.
std::size_t descriptors_in(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // another thread's may be closed by now
    const std::string file = std::filesystem::read_symlink(entry.path(), gone).string();
    count += !gone && file.starts_with(folder + "/") ? 1 : 0;
  }
  return count;
}

Task<void> read_here_and_there(SegmentStore& store, const std::vector<RunPlace>& places, std::uint64_t seed) {
  SeededRandom random(seed);
  for (int n = 0; n < 200; ++n) {
    const std::size_t index = random.next64() % places.size();
    CO_CHECK_ASSIGN(const SegmentPin pin, store.pin(places[index].segment));
    Bytes out(places[index].length);
    CO_TRY(store.read(pin, data_offset(places[index].offset), out));
    if (out != pattern(out.size(), index)) co_return Error{Code::kCorrupt, "wrong bytes"};
  }
  co_return Result<void>{};
}

TEST_F(ConcurrencyTest, ReadersOfManySegmentsLeaveFewFilesOpen) {
  constexpr std::size_t kSegments = 40, kReaders = 12, kIdleMax = 5;
  const TestFolder root;
  Workers workers({.threads = 4});
  const auto disk = *disk::PosixDisk::open_root(root.path(), workers);
  const auto renew = [&] {
    stop();
    const SegmentStoreConfig config{.segment_bytes = 64 * 1024, .keep_free_bytes = 0, .idle_files_max = kIdleMax};
    store_ = std::make_unique<SegmentStore>(engine_, *disk, random_, clock_, config);
    ASSERT_TRUE(run(store_->open()).ok());
  };
  renew();
  std::vector<RunPlace> places;
  for (std::size_t n = 0; n < kSegments; ++n) {
    places.push_back(write_and_sync(pattern(1'000, n))->place);
    commit_place(places.back(), 1);
    ASSERT_TRUE(run(store_->rotate()).ok());
  }
  renew();
  const std::string folder = root.path() + "/" + std::string(kSegmentsDirectory);
  std::atomic<int> failures{0};
  std::size_t most = 0;
  {
    Loop one, two;
    Scope scope("readers");
    for (std::uint64_t reader = 0; reader < kReaders; ++reader) {
      Loop& loop = reader % 2 == 0 ? one : two;
      scope.spawn(loop.executor(), note_failure(read_here_and_there(*store_, places, reader), failures));
    }
    while (scope.size() > 0) most = std::max(most, descriptors_in(folder));
  }
  EXPECT_EQ(failures, 0);
  EXPECT_LE(most, kIdleMax + 2 * kReaders);  // what a reader just opens another one may have left to it meanwhile
  EXPECT_EQ(descriptors_in(folder), kIdleMax);
  for (const RunPlace& place : places) {
    commit_place(place, -1);
    ASSERT_TRUE(run(store_->release(place.segment)).ok());
  }
  EXPECT_EQ(run(store_->reap())->files, kSegments);
  EXPECT_EQ(descriptors_in(folder), 0u);
}

}  // namespace
}  // namespace tombolo::data
