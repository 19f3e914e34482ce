#include "kv/commit/conflict_window.h"

#include <gtest/gtest.h>

namespace tombolo::kv {
namespace {

CommitRequest writer(std::string key) {
  CommitRequest request;
  request.writes[std::move(key)] = {};
  return request;
}

CommitRequest reader(std::string key, std::uint64_t at) {
  CommitRequest request;
  request.read = Sequence{at};
  request.reads = {fingerprint(key)};
  return request;
}

TEST(ConflictWindow, RemembersTheLastWrite) {
  ConflictWindow window;
  window.record(writer("a"), Sequence{5}, {});
  EXPECT_FALSE(window.check(reader("a", 4), {}).ok());
  EXPECT_TRUE(window.check(reader("a", 5), {}).ok());
  EXPECT_TRUE(window.check(reader("b", 4), {}).ok());
}

TEST(ConflictWindow, ForgetsWhatNobodyReads) {
  ConflictWindow window;
  window.record(writer("a"), Sequence{5}, {});
  window.record(writer("a"), Sequence{6}, {});
  window.trim(Sequence{5}, {});
  EXPECT_EQ(window.size(), 1u);
  EXPECT_FALSE(window.check(reader("a", 5), {}).ok());
  EXPECT_TRUE(window.check(reader("b", 4), {}).ok());  // nothing was forgotten that it could have missed
}

TEST(ConflictWindow, RefusesReadsOlderThanItsMemory) {
  ConflictWindow window(2);
  for (std::uint64_t i = 1; i <= 4; ++i) window.record(writer(std::to_string(i)), Sequence{i}, {});
  window.trim(Sequence{0}, {});
  EXPECT_EQ(window.size(), 2u);
  EXPECT_FALSE(window.check(reader("unrelated", 1), {}).ok());
  EXPECT_TRUE(window.check(reader("unrelated", 2), {}).ok());
  window.trim(Sequence{0}, SteadyTime{ConflictWindow::kAgeMax.count()});
  EXPECT_EQ(window.size(), 0u);
  EXPECT_FALSE(window.check(reader("unrelated", 3), {}).ok());
}

CommitRequest guarded(std::uint64_t at, bool exclusive) {
  CommitRequest request;
  request.read = Sequence{at};
  (exclusive ? request.guards_exclusive : request.guards_shared).push_back(fingerprint("guard"));
  return request;
}

TEST(ConflictWindow, SharedGuardsStandBackForAnExclusiveOneThatTheyKeptOut) {
  constexpr Duration kStandBack = ConflictWindow::kStandBack;
  const SteadyTime start{1'000'000};
  ConflictWindow window;
  window.record(guarded(0, false), Sequence{1}, start);
  EXPECT_TRUE(window.check(guarded(1, false), start).ok());
  EXPECT_FALSE(window.check(guarded(0, true), start).ok());
  EXPECT_FALSE(window.check(guarded(1, false), start).ok());
  ASSERT_TRUE(window.check(guarded(1, true), start).ok());
  window.record(guarded(1, true), Sequence{2}, start);
  EXPECT_FALSE(window.check(guarded(1, false), start).ok());
  EXPECT_TRUE(window.check(guarded(2, false), start).ok());
  // One that never comes again is not waited for.
  window.record(guarded(2, false), Sequence{3}, start);
  EXPECT_FALSE(window.check(guarded(2, true), start).ok());
  EXPECT_FALSE(window.check(guarded(3, false), start + (kStandBack - Duration(1))).ok());
  EXPECT_TRUE(window.check(guarded(3, false), start + kStandBack).ok());
  window.trim(Sequence{0}, start + kStandBack);
  EXPECT_TRUE(window.check(guarded(3, false), start).ok());
}

}  // namespace
}  // namespace tombolo::kv
