#include <gmock/gmock.h>

#include <functional>

#include "kv/contract_test.h"
#include "kv/memory/memory_engine.h"
#include "kv/run.h"
#include "kv/tables.h"

namespace tombolo::kv {
namespace {

class MemoryHarness final : public Harness {
 public:
  Engine& engine() override { return engine_; }
  bool reopen() override { return false; }

 private:
  MemoryEngine engine_{clock};
};

INSTANTIATE_TEST_SUITE_P(Memory, EngineContract,
                         testing::Values(HarnessKind{"memory", [] { return std::make_unique<MemoryHarness>(); }}),
                         harness_name);

using testing::HasSubstr;

std::optional<std::string> guard_of_rows(std::string_view key) {
  if (!key.starts_with("row")) return std::nullopt;
  return "guard";
}

class GuardDiscipline : public testing::Test {
 protected:
  Result<Sequence> commit(Transaction& transaction) { return run_to_end(transaction.commit()); }

  ManualClock clock_;
  MemoryEngine engine_{clock_, {.guard_of = guard_of_rows}};
};

TEST_F(GuardDiscipline, WriteWithoutTheGuardFails) {
  auto transaction = engine_.begin();
  transaction->put("row1", "x");
  auto result = commit(*transaction);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::kInternal);
  EXPECT_THAT(result.error().message, HasSubstr("'row1'"));
  EXPECT_THAT(result.error().message, HasSubstr("'guard'"));
}

TEST_F(GuardDiscipline, EitherKindOfGuardSuffices) {
  auto shared = engine_.begin();
  EXPECT_TRUE(run_to_end(shared->guard_shared("guard")).ok());
  shared->put("row1", "x");
  shared->add("row2", 1);
  EXPECT_TRUE(commit(*shared).ok());
  auto exclusive = engine_.begin();
  EXPECT_TRUE(run_to_end(exclusive->guard_exclusive("guard")).ok());
  exclusive->erase("row1");
  EXPECT_TRUE(commit(*exclusive).ok());
  auto unguarded = engine_.begin();
  unguarded->put("other", "x");
  EXPECT_TRUE(commit(*unguarded).ok());
}

TEST_F(GuardDiscipline, GuardTakenAfterTheReadItProtectsFails) {
  auto transaction = engine_.begin();
  EXPECT_TRUE(run_to_end(transaction->get("row1")).ok());
  EXPECT_TRUE(run_to_end(transaction->guard_shared("guard")).ok());
  transaction->put("row1", "x");
  EXPECT_THAT(commit(*transaction).error().message, HasSubstr("after a read"));
}

Task<void> append_x(Transaction& transaction) {
  CO_TRY_ASSIGN(const auto found, transaction.get("a"));
  transaction.put("a", found.value_or("") + "x");
  transaction.add("n", 1);
  co_return Result<void>{};
}

TEST(UnknownOutcomes, RunAppliesEachBodyOnce) {
  for (const auto fault : {CommitFault::kFailUnknown, CommitFault::kSucceedUnknown}) {
    ManualClock clock;
    SeededRandom random(1);
    MemoryEngine engine(
        clock, {.fault = [fault](std::uint64_t number) { return number % 2 == 1 ? fault : CommitFault::kNone; }});
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(run_to_end(run(engine, random, append_x)).ok());
    EXPECT_EQ(*run_to_end(engine.snapshot()->get("a")), std::string(10, 'x'));
  }
}

TEST(UnknownOutcomes, RandomFaultsNeverDoubleOrLose) {
  ManualClock clock;
  SeededRandom random(1), dice(2);
  MemoryEngine engine(clock, {.fault = [&dice](std::uint64_t) { return static_cast<CommitFault>(dice.below(3)); }});
  for (int i = 1; i <= 60; ++i) {
    ASSERT_TRUE(run_to_end(run(engine, random, append_x)).ok());
    ASSERT_EQ(run_to_end(engine.snapshot()->get("a"))->value_or("").size(), static_cast<std::size_t>(i));
  }
}

Task<void> create_a(Transaction& transaction) {
  CO_TRY_ASSIGN(const auto found, transaction.get("a"));
  if (found) co_return Error{Code::kAlreadyExists, "a exists"};
  transaction.put("a", "mine");
  co_return Result<void>{};
}

Task<void> create_a_after_somebody_else(Engine& engine, Transaction& transaction) {
  const auto other = engine.begin();
  other->put("a", "theirs");
  CO_TRY(other->commit());
  co_return co_await create_a(transaction);
}

CommitFault hide_first(CommitFault fault, std::uint64_t number) {
  return number == 1 ? fault : CommitFault::kNone;
}

TEST(UnknownOutcomes, BodysErrorAfterAnUnseenFailureIsTrue) {
  ManualClock clock;
  SeededRandom random(1);
  MemoryEngine engine(clock, {.fault = std::bind_front(hide_first, CommitFault::kFailUnknown)});
  int tries = 0;
  // The first try fails unseen, the second conflicts with somebody else's row, the third sees it.
  const auto body = [&](Transaction& transaction) {
    return ++tries == 2 ? create_a_after_somebody_else(engine, transaction) : create_a(transaction);
  };
  auto result = run_to_end(run(engine, random, body));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::kAlreadyExists);
  EXPECT_EQ(tries, 3);
}

TEST(UnknownOutcomes, RerunDoesNotTripOverItsOwnUnseenSuccess) {
  ManualClock clock;
  SeededRandom random(1);
  MemoryEngine engine(clock, {.fault = std::bind_front(hide_first, CommitFault::kSucceedUnknown)});
  EXPECT_TRUE(run_to_end(run(engine, random, create_a)).ok());
}

TEST(MemoryIndex, ForgetsVersionsThatNoSnapshotSees) {
  ManualClock clock;
  MemoryIndex index;
  const auto apply = [&](std::uint64_t n, std::optional<std::string> value) {
    index.apply_now({LogEntry{Sequence{n}, {{"a", std::move(value)}}}}, {.log_id = 1, .sequence = Sequence{n}});
  };
  apply(1, "1");
  {
    auto view = index.snapshot();
    apply(2, "2");
    apply(3, std::nullopt);
    EXPECT_EQ(*run_to_end(view->get("a")), "1");
    EXPECT_EQ(index.versions(), 3u);
  }
  EXPECT_EQ(index.versions(), 0u);
}

TEST(MemoryIndex, CrashGoesBackToTheFlushedImage) {
  MemoryIndex index;
  index.apply_now({LogEntry{Sequence{1}, {{"a", "1"}}}}, {.log_id = 1, .sequence = Sequence{1}, .chain = 5});
  ASSERT_TRUE(run_to_end(index.flush()).ok());
  index.apply_now({LogEntry{Sequence{2}, {{"a", "2"}}}}, {.log_id = 1, .sequence = Sequence{2}, .chain = 6});
  index.crash();
  EXPECT_EQ(index.latest("a"), "1");
  EXPECT_EQ(index.applied(), (Position{.log_id = 1, .sequence = Sequence{1}, .chain = 5}));
}

TEST(Tables, PrefixesSortAndEnd) {
  EXPECT_EQ(table_prefix(Table::kOperations), "CI");
  EXPECT_EQ(prefix_end("CI"), "CJ");
  EXPECT_EQ(prefix_end("C\xff"), "D");
}

}  // namespace
}  // namespace tombolo::kv
