// Ranges over erased rows: they are read where they hold nobody up.
#include <fmt/format.h>

#include <future>

#include "async/scope.h"
#include "kv/rocks/rocks_rig_test.h"

namespace tombolo::kv {
namespace {

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

}  // namespace
}  // namespace tombolo::kv
