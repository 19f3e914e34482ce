#include "kv/contract_test.h"

#include <gmock/gmock.h>

#include <map>

#include "base/endian.h"

namespace tombolo::kv {
namespace {

using testing::ElementsAre;

std::string counter(std::int64_t value) {
  std::string row(8, '\0');
  store_le(row.data(), value);
  return row;
}

TEST_P(EngineContract, SnapshotSeesOneState) {
  put("a", "1");
  auto before = engine().snapshot();
  put("a", "2");
  put("b", "3");
  EXPECT_EQ(get(*before, "a"), "1");
  EXPECT_EQ(get(*before, "b"), std::nullopt);
  EXPECT_THAT(keys(*before, {.begin = "a", .end = "z"}), ElementsAre("a"));
  EXPECT_EQ(get("a"), "2");
  auto several = wait(engine().snapshot()->multi_get({"b", "none", "a"}));
  ASSERT_TRUE(several.ok());
  EXPECT_THAT(*several, ElementsAre(Value("3"), Value(), Value("2")));
}

TEST_P(EngineContract, WhatIsAtHandIsOfTheSnapshotsState) {
  const auto allowed = [](const SharedValue& at_hand, const Value& right) { return !at_hand || *at_hand == right; };
  int at_hand = 0;
  for (int n = 0; n < 16; ++n) {
    const std::string key = "k" + std::to_string(n);
    EXPECT_EQ(engine().snapshot()->at_hand(key), nullptr);
    put(key, "1");
    auto first = engine().snapshot();
    get(*first, key);  // a hint: it is wanted often
    put(key, "2");
    auto second = engine().snapshot();
    get(*second, key);
    EXPECT_TRUE(allowed(first->at_hand(key), "1"));
    EXPECT_TRUE(allowed(second->at_hand(key), "2"));
    auto eraser = engine().begin();
    eraser->erase(key);
    ASSERT_TRUE(commit(*eraser).ok());
    EXPECT_EQ(engine().snapshot()->at_hand(key), nullptr);
    EXPECT_TRUE(allowed(second->at_hand(key), "2"));
    put(key, "3");
    auto last = engine().snapshot();
    get(*last, key);
    EXPECT_TRUE(allowed(last->at_hand(key), "3"));
    at_hand += last->at_hand(key) ? 1 : 0;
    // Nothing is at hand in a transaction: it would be read without conflict.
    EXPECT_EQ(engine().begin()->at_hand(key), nullptr);
  }
  EXPECT_GT(at_hand, 0);
}

TEST_P(EngineContract, TransactionSeesItsOwnPutsAndErases) {
  put("a", "1");
  auto transaction = engine().begin();
  transaction->put("b", "new");
  transaction->erase("a");
  transaction->add("n", 5);
  EXPECT_EQ(get(*transaction, "a"), std::nullopt);
  EXPECT_EQ(get(*transaction, "b"), "new");
  EXPECT_EQ(get(*transaction, "n"), std::nullopt);
  EXPECT_EQ(*wait(transaction->peek("b")), "new");
  auto several = wait(transaction->multi_get({"a", "b", "c"}));
  ASSERT_TRUE(several.ok());
  EXPECT_THAT(*several, ElementsAre(Value(), Value("new"), Value()));
  EXPECT_THAT(keys(*transaction, {.begin = "a", .end = "z"}), ElementsAre("a"));  // a range shows what was committed
  ASSERT_TRUE(commit(*transaction).ok());
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(get("b"), "new");
}

TEST_P(EngineContract, UncommittedWritesVanish) {
  {
    auto transaction = engine().begin();
    transaction->put("a", "1");
  }
  EXPECT_EQ(get("a"), std::nullopt);
}

TEST_P(EngineContract, SequencesCountUpWithoutGaps) {
  const Sequence first = put("a", "1");
  EXPECT_EQ(put("b", "1").value, first.value + 1);
  auto nothing = engine().begin();
  get(*nothing, "a");
  EXPECT_EQ(commit(*nothing)->value, first.value + 1);
  EXPECT_EQ(put("c", "1").value, first.value + 2);
  EXPECT_EQ(engine().committed().value, first.value + 2);
  EXPECT_LE(engine().durable_through(), engine().committed());
}

TEST_P(EngineContract, ReadOfAChangedRowConflicts) {
  put("a", "1");
  auto late = engine().begin();
  get(*late, "a");
  late->put("x", "late");
  put("a", "2");
  EXPECT_EQ(commit_code(*late), Code::kConflict);
  EXPECT_EQ(get("x"), std::nullopt);
}

TEST_P(EngineContract, ReadOfAnAbsentRowConflictsWithItsCreation) {
  auto late = engine().begin();
  EXPECT_EQ(get(*late, "a"), std::nullopt);
  late->put("a", "late");
  put("a", "first");
  EXPECT_EQ(commit_code(*late), Code::kConflict);
  auto several = engine().begin();
  ASSERT_TRUE(wait(several->multi_get({"b", "c"})).ok());
  several->put("x", "1");
  put("c", "1");
  EXPECT_EQ(commit_code(*several), Code::kConflict);
  EXPECT_EQ(get("a"), "first");
}

TEST_P(EngineContract, ReadOfAnErasedRowConflicts) {
  put("a", "1");
  auto late = engine().begin();
  get(*late, "a");
  late->put("x", "1");
  auto eraser = engine().begin();
  eraser->erase("a");
  ASSERT_TRUE(commit(*eraser).ok());
  EXPECT_EQ(commit_code(*late), Code::kConflict);
}

TEST_P(EngineContract, PeekRangeAndBlindWritesDoNotConflict) {
  put("a", "1");
  auto late = engine().begin();
  ASSERT_TRUE(wait(late->peek("a")).ok());
  keys(*late, {.begin = "a", .end = "z"});
  late->put("a", "late");
  put("a", "2");
  EXPECT_TRUE(commit(*late).ok());
  EXPECT_EQ(get("a"), "late");
}

TEST_P(EngineContract, WriteSkewIsPreventedByReads) {
  put("a", "1");
  put("b", "1");
  auto one = engine().begin(), two = engine().begin();
  get(*one, "a"), get(*one, "b");
  get(*two, "a"), get(*two, "b");
  one->put("a", "0");
  two->put("b", "0");
  EXPECT_TRUE(commit(*one).ok());
  EXPECT_EQ(commit_code(*two), Code::kConflict);
}

TEST_P(EngineContract, GuardsMakeAnEmptyRangeStay) {
  auto deleter = engine().begin();
  ASSERT_TRUE(wait(deleter->guard_exclusive("g")).ok());
  EXPECT_TRUE(keys(*deleter, {.begin = "dir/", .end = "dir0"}).empty());
  deleter->put("deleted", "1");
  auto creator = engine().begin();
  ASSERT_TRUE(wait(creator->guard_shared("g")).ok());
  creator->put("dir/file", "1");
  EXPECT_TRUE(commit(*creator).ok());
  EXPECT_EQ(commit_code(*deleter), Code::kConflict);
}

TEST_P(EngineContract, ExclusiveGuardStopsLaterSharedAndExclusive) {
  auto shared = engine().begin(), exclusive = engine().begin(), unrelated = engine().begin();
  ASSERT_TRUE(wait(shared->guard_shared("g")).ok());
  ASSERT_TRUE(wait(exclusive->guard_exclusive("g")).ok());
  ASSERT_TRUE(wait(unrelated->guard_shared("h")).ok());
  shared->put("s", "1");
  exclusive->put("e", "1");
  unrelated->put("u", "1");
  auto first = engine().begin();
  ASSERT_TRUE(wait(first->guard_exclusive("g")).ok());
  first->put("f", "1");
  EXPECT_TRUE(commit(*first).ok());
  EXPECT_EQ(commit_code(*shared), Code::kConflict);
  EXPECT_EQ(commit_code(*exclusive), Code::kConflict);
  EXPECT_TRUE(commit(*unrelated).ok());
}

TEST_P(EngineContract, SharedGuardsDoNotConflict) {
  auto one = engine().begin(), two = engine().begin();
  ASSERT_TRUE(wait(one->guard_shared("g")).ok());
  ASSERT_TRUE(wait(two->guard_shared("g")).ok());
  one->put("a", "1");
  two->put("b", "1");
  EXPECT_TRUE(commit(*one).ok());
  EXPECT_TRUE(commit(*two).ok());
}

TEST_P(EngineContract, AddsSumUpBlindly) {
  auto one = engine().begin(), two = engine().begin();
  one->add("n", 5);
  one->add("n", -2);
  two->add("n", 10);
  EXPECT_TRUE(commit(*one).ok());
  EXPECT_TRUE(commit(*two).ok());
  EXPECT_EQ(get("n"), counter(13));
  auto zero = engine().begin();
  zero->add("n", -13);
  EXPECT_TRUE(commit(*zero).ok());
  EXPECT_EQ(get("n"), std::nullopt);
}

TEST_P(EngineContract, AddFollowsWhatTheTransactionPutOrErased) {
  put("n", counter(100));
  auto transaction = engine().begin();
  transaction->erase("n");
  transaction->add("n", 7);
  transaction->put("m", counter(1));
  transaction->add("m", 1);
  transaction->add("k", 3);
  transaction->put("k", counter(9));
  EXPECT_TRUE(commit(*transaction).ok());
  EXPECT_EQ(get("n"), counter(7));
  EXPECT_EQ(get("m"), counter(2));
  EXPECT_EQ(get("k"), counter(9));
}

TEST_P(EngineContract, AddConflictsWithAReader) {
  auto reader = engine().begin();
  get(*reader, "n");
  reader->put("x", "1");
  auto adder = engine().begin();
  adder->add("n", 1);
  EXPECT_TRUE(commit(*adder).ok());
  EXPECT_EQ(commit_code(*reader), Code::kConflict);
}

TEST_P(EngineContract, BadCountersAreRefusedAndHarmNothing) {
  put("text", "not a counter");
  put("n", counter(std::numeric_limits<std::int64_t>::max()));
  auto on_text = engine().begin();
  on_text->add("text", 1);
  on_text->put("x", "1");
  EXPECT_EQ(commit_code(*on_text), Code::kCorrupt);
  auto over = engine().begin();
  over->add("n", 1);
  over->put("x", "1");
  EXPECT_EQ(commit_code(*over), Code::kInvalid);
  EXPECT_EQ(get("x"), std::nullopt);
  put("y", "still works");
  EXPECT_EQ(get("y"), "still works");
}

TEST_P(EngineContract, LimitsAreTheSameEverywhere) {
  const auto code_of = [&](auto write) {
    auto transaction = engine().begin();
    write(*transaction);
    auto result = commit(*transaction);
    return result.ok() ? std::optional<Code>() : result.error().code;
  };
  const std::string key_max(kKeyBytesMax, 'k'), value_max(kValueBytesMax, 'v');
  EXPECT_EQ(code_of([&](Transaction& t) { t.put(key_max, value_max); }), std::nullopt);
  EXPECT_EQ(get(key_max), value_max);
  EXPECT_EQ(code_of([&](Transaction& t) { t.put(key_max + "k", ""); }), Code::kTooLarge);
  EXPECT_EQ(code_of([&](Transaction& t) { t.erase(key_max + "k"); }), Code::kTooLarge);
  EXPECT_EQ(code_of([&](Transaction& t) { t.put("k", value_max + "v"); }), Code::kTooLarge);
  EXPECT_EQ(code_of([&](Transaction& t) { t.put("", "v"); }), Code::kInvalid);
  EXPECT_EQ(code_of([&](Transaction& t) { t.add(std::string("\0a", 2), 1); }), Code::kInvalid);
  const auto many = [](int count, std::size_t bytes) {
    return [count, bytes](Transaction& t) {
      for (int i = 0; i < count; ++i) t.put("k" + std::to_string(i), std::string(bytes, 'v'));
    };
  };
  EXPECT_EQ(code_of(many(10'000, 10)), std::nullopt);
  EXPECT_EQ(code_of(many(10'001, 10)), Code::kTooLarge);
  EXPECT_EQ(code_of(many(15, 65'536)), std::nullopt);
  EXPECT_EQ(code_of(many(16, 65'536)), Code::kTooLarge);
  auto reader = engine().begin();
  EXPECT_EQ(wait(reader->get(key_max + "k")).error().code, Code::kTooLarge);
  EXPECT_EQ(wait(reader->range({.begin = "a", .end = "b", .limit = 0})).error().code, Code::kInvalid);
}

TEST_P(EngineContract, TransactionOlderThanFourSecondsConflicts) {
  auto slow = engine().begin();
  get(*slow, "a");
  slow->put("a", "1");
  harness_->clock.advance(std::chrono::microseconds(kTransactionMicrosMax + 1));
  EXPECT_EQ(commit_code(*slow), Code::kConflict);
}

TEST_P(EngineContract, RangesGoBothWays) {
  for (const char* key : {"a", "b", "c", "d", "e"}) put(key, std::string(100, *key));
  auto rows = engine().snapshot();
  EXPECT_THAT(keys(*rows, {.begin = "b", .end = "e"}), ElementsAre("b", "c", "d"));
  EXPECT_THAT(keys(*rows, {.begin = "b", .end = "e", .direction = Direction::kReverse}), ElementsAre("d", "c", "b"));
  EXPECT_THAT(keys(*rows, {.begin = "", .end = "c"}), ElementsAre("a", "b"));
  EXPECT_TRUE(keys(*rows, {.begin = "c", .end = "c"}).empty());
  EXPECT_TRUE(keys(*rows, {.begin = "d", .end = "b"}).empty());
  for (const auto direction : {Direction::kForward, Direction::kReverse}) {
    auto page = wait(rows->range({.begin = "a", .end = "z", .limit = 2, .direction = direction}));
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->rows.size(), 2u);
    EXPECT_TRUE(page->more);
    page = wait(rows->range({.begin = "a", .end = "z", .limit = 5, .direction = direction}));
    EXPECT_EQ(page->rows.size(), 5u);
    EXPECT_FALSE(page->more);
    page = wait(rows->range({.begin = "a", .end = "z", .byte_limit = 150, .direction = direction}));
    EXPECT_EQ(page->rows.size(), 2u);
    EXPECT_TRUE(page->more);
  }
}

TEST_P(EngineContract, OrderOfKeysIsByteOrder) {
  SeededRandom random(7);
  std::map<std::string, std::string> model;
  auto transaction = engine().begin();
  for (int i = 0; i < 300; ++i) {
    std::string key(1, static_cast<char>(1 + random.below(255)));
    for (auto more = random.below(4); more > 0; --more) key.push_back(static_cast<char>(random.below(3) * 127));
    model[key] = std::to_string(i);
    transaction->put(key, model[key]);
  }
  ASSERT_TRUE(commit(*transaction).ok());
  auto page = wait(engine().snapshot()->range({.begin = "", .end = std::string(10, '\xff')}));
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->rows.size(), model.size());
  auto expected = model.begin();
  for (const auto& row : page->rows) {
    EXPECT_EQ(row.key, expected->first);
    EXPECT_EQ(row.value, (expected++)->second);
  }
}

TEST_P(EngineContract, LogTellsEveryTransactionInOrder) {
  const Sequence before = engine().committed();
  put("a", "1");
  auto transaction = engine().begin();
  transaction->erase("a");
  transaction->add("n", 4);
  ASSERT_TRUE(commit(*transaction).ok());
  auto log = wait(engine().read_log(before, 10));
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->size(), 2u);
  EXPECT_EQ((*log)[0].sequence.value, before.value + 1);
  EXPECT_THAT((*log)[0].writes, ElementsAre(std::pair("a", Value("1"))));
  EXPECT_THAT((*log)[1].writes, ElementsAre(std::pair("a", Value()), std::pair("n", Value(counter(4)))));
  EXPECT_EQ(wait(engine().read_log(before, 1))->size(), 1u);
  EXPECT_TRUE(wait(engine().read_log(engine().committed(), 10))->empty());
}

TEST_P(EngineContract, ReopenKeepsEverything) {
  put("a", "1");
  put("b", "2");
  Sequence last;
  {
    auto eraser = engine().begin();
    eraser->erase("b");
    eraser->add("n", 3);
    last = *commit(*eraser);
  }
  for (int i = 0; i < 3; ++i) {
    if (!harness_->reopen()) return;
    EXPECT_EQ(engine().committed(), last);
    EXPECT_EQ(engine().durable_through(), last);
    EXPECT_EQ(get("a"), "1");
    EXPECT_EQ(get("b"), std::nullopt);
    EXPECT_EQ(get("n"), counter(3));
  }
  EXPECT_EQ(put("c", "1").value, last.value + 1);
}

}  // namespace
}  // namespace tombolo::kv
