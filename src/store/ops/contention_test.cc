// Several threads on few names: every answer is whole, every refusal is one that the contract names.
#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::Rig;
using testing::SteppedSource;

constexpr int kRounds = 40;

std::string name_of(std::uint64_t n) {
  return "n" + std::to_string(n % 3);
}

Task<void> write_all(Rig& rig, std::uint64_t seed) {
  SeededRandom random(seed);
  for (int n = 0; n < kRounds; ++n) {
    Bytes bytes(random.below(2) == 0 ? random.below(4'000) : random.below(600'000));
    random.fill(bytes);
    SteppedSource body(bytes, 50'000 + random.below(50'000));
    PutObject request;
    request.length = bytes.size();
    request.body = &body;
    CO_TRY(rig.store.put_object(Rig::object(name_of(random.next64())), request));
  }
  co_return Result<void>{};
}

Task<void> commit_all(Rig& rig, std::uint64_t seed) {
  SeededRandom random(seed);
  for (int n = 0; n < kRounds; ++n) {
    const std::string name = name_of(random.next64());
    Bytes bytes(1 + random.below(100'000));
    random.fill(bytes);
    SteppedSource body(bytes, 30'000);
    StageBlock stage;
    stage.block_id = "b" + std::to_string(random.below(3));
    stage.length = bytes.size();
    stage.body = &body;
    CO_TRY(rig.store.stage_block(Rig::object(name), stage));
    CommitBlockList commit;
    commit.blocks = {{BlockSource::kLatest, stage.block_id}, {BlockSource::kLatest, stage.block_id}};
    const Result<meta::Object> object = co_await rig.store.commit_block_list(Rig::object(name), commit);
    // Somebody's put may have dropped the block before the list came.
    if (!object.ok() && object.error().detail != "InvalidBlockList") co_return object.error();
  }
  co_return Result<void>{};
}

Task<void> delete_some(Rig& rig, std::uint64_t seed) {
  SeededRandom random(seed);
  for (int n = 0; n < kRounds; ++n) {
    const Result<void> gone = co_await rig.store.delete_object(Rig::object(name_of(random.next64())), {});
    if (!gone.ok() && gone.error().detail != "BlobNotFound") co_return gone;
  }
  co_return Result<void>{};
}

Task<void> read_all_the_time(Rig& rig, std::uint64_t seed) {
  SeededRandom random(seed);
  for (int n = 0; n < 4 * kRounds; ++n) {
    Result<ObjectReader> reader = co_await rig.store.get_object(Rig::object(name_of(random.next64())), {}, {});
    if (!reader.ok() && reader.error().detail == "BlobNotFound") continue;
    if (!reader.ok()) co_return reader.error();
    CO_TRY_ASSIGN(const Bytes bytes, read_all(*reader->body, 4 * kMiB));
    if (bytes.size() != reader->object.length || crc64(bytes) != reader->object.crc64) {
      co_return Error{Code::kCorrupt, "the bytes are not those of the record"};
    }
  }
  co_return Result<void>{};
}

TEST(Contention, EveryReadIsOfOneWholeVersion) {
  Rig rig({.limits = {}, .segment_bytes = 2 * kMiB});
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<std::string> failures;
  const auto start = [&](Task<void> (*body)(Rig&, std::uint64_t), std::uint64_t seed) {
    threads.emplace_back([&, body, seed] {
      const Result<void> done = run_to_end(body(rig, seed));
      const std::lock_guard lock(mutex);
      if (!done.ok()) failures.push_back(fmt::format("seed {}: {}", seed, to_string(done.error())));
    });
  };
  start(write_all, 1);
  start(write_all, 2);
  start(commit_all, 3);
  start(commit_all, 4);
  start(delete_some, 5);
  start(read_all_the_time, 6);
  start(read_all_the_time, 7);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<std::string>{});
}

}  // namespace
}  // namespace tombolo::store
