// The contract of kv::Engine and kv::run when many transactions compete.
#include <atomic>
#include <thread>

#include "async/scope.h"
#include "base/endian.h"
#include "kv/contract_test.h"
#include "kv/run.h"

namespace tombolo::kv {
namespace {

std::string counter(std::int64_t value) {
  std::string row(8, '\0');
  store_le(row.data(), value);
  return row;
}

Task<void> read_then_write(Transaction& transaction, std::string key) {
  CO_TRY_ASSIGN(const auto found, transaction.get(key));
  const std::int64_t value = found ? load_le<std::int64_t>(found->data()) : 0;
  transaction.put(key, counter(value + 1));
  transaction.add("blind", 1);
  co_return Result<void>{};
}

Task<void> increment(Engine& engine, Random& random, std::string key, int times) {
  const std::function<Task<void>(Transaction&)> body = [key](Transaction& transaction) {
    return read_then_write(transaction, key);
  };
  RunOptions options{.tries_max = 1'000};
  for (int i = 0; i < times; ++i) {
    CO_TRY(run(engine, random, body, options));
  }
  co_return Result<void>{};
}

Task<void> increment_from_many(Engine& engine, Random& random, int coroutines, int times) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Scope scope("increment");
  for (int i = 0; i < coroutines; ++i) {
    scope.spawn(executor, increment(engine, random, "row" + std::to_string(i % 3), times));
  }
  co_return co_await scope.join();
}

TEST_P(EngineContract, NoUpdateIsLostBetweenTwoThreads) {
  constexpr int kCoroutines = 8, kTimes = 15;
  Result<void> other = Error{};
  std::atomic<bool> done = false;
  // The engine's own work runs here for both threads: the loop may not stop when one of them has nothing to do.
  const auto running = boost::asio::make_work_guard(harness_->loop);
  std::thread thread([&] {
    other = run_to_end(increment_from_many(engine(), harness_->random, kCoroutines, kTimes));
    done = true;
    boost::asio::post(harness_->loop, [] {});
  });
  const auto mine = wait(increment_from_many(engine(), harness_->random, kCoroutines, kTimes));
  while (!done) harness_->loop.run_one_for(std::chrono::milliseconds(10));
  thread.join();
  ASSERT_TRUE(mine.ok()) << to_string(mine.error());
  ASSERT_TRUE(other.ok()) << to_string(other.error());
  std::int64_t sum = 0;
  for (const char* key : {"row0", "row1", "row2"}) sum += load_le<std::int64_t>(get(key)->data());
  EXPECT_EQ(sum, 2 * kCoroutines * kTimes);
  EXPECT_EQ(get("blind"), counter(2 * kCoroutines * kTimes));
}

// Both rows always have the same value; readers come by as long as there are writers.
Task<void> move_both(Engine& engine, Random& random, int times, std::atomic<int>& writers) {
  for (int i = 1; i <= times; ++i) {
    const std::function<Task<void>(Transaction&)> body = [i](Transaction& transaction) -> Task<void> {
      transaction.put("left", std::to_string(i));
      transaction.put("right", std::to_string(i));
      co_return Result<void>{};
    };
    CO_TRY(run(engine, random, body));
  }
  --writers;
  co_return Result<void>{};
}

Task<int> count_torn_reads(Engine& engine, std::atomic<int>& writers) {
  int torn = 0, last = 0;
  while (writers > 0) {
    const auto rows = engine.snapshot();
    CO_TRY_ASSIGN(const auto left, rows->get("left"));
    CO_TRY_ASSIGN(const auto right, rows->get("right"));
    const int now = left ? std::stoi(*left) : 0;
    torn += left != right || now < last ? 1 : 0;
    last = now;
  }
  co_return torn;
}

TEST_P(EngineContract, ReadersNeverSeeHalfOfATransactionOrAnOlderStateThanBefore) {
  std::atomic<int> writers = 1;
  Result<int> torn = 0;
  std::thread reader([&] { torn = run_to_end(count_torn_reads(engine(), writers)); });
  const auto written = wait(move_both(engine(), harness_->random, 300, writers));
  writers = 0;
  reader.join();
  ASSERT_TRUE(written.ok()) << to_string(written.error());
  ASSERT_TRUE(torn.ok()) << to_string(torn.error());
  EXPECT_EQ(*torn, 0);
}

TEST_P(EngineContract, RunPassesTheBodysErrorOn) {
  const auto body = [](Transaction& transaction) -> Task<void> {
    transaction.put("a", "1");
    co_return Error{Code::kNotFound, "no such thing"};
  };
  EXPECT_EQ(wait(run(engine(), harness_->random, body)).error().code, Code::kNotFound);
  EXPECT_EQ(get("a"), std::nullopt);
}

}  // namespace
}  // namespace tombolo::kv
