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
  EXPECT_FALSE(window.check(reader("a", 4)).ok());
  EXPECT_TRUE(window.check(reader("a", 5)).ok());
  EXPECT_TRUE(window.check(reader("b", 4)).ok());
}

TEST(ConflictWindow, ForgetsWhatNobodyReads) {
  ConflictWindow window;
  window.record(writer("a"), Sequence{5}, {});
  window.record(writer("a"), Sequence{6}, {});
  window.trim(Sequence{5}, {});
  EXPECT_EQ(window.size(), 1u);
  EXPECT_FALSE(window.check(reader("a", 5)).ok());
  EXPECT_TRUE(window.check(reader("b", 4)).ok());  // nothing was forgotten that it could have missed
}

TEST(ConflictWindow, RefusesReadsOlderThanItsMemory) {
  ConflictWindow window(2);
  for (std::uint64_t i = 1; i <= 4; ++i) window.record(writer(std::to_string(i)), Sequence{i}, {});
  window.trim(Sequence{0}, {});
  EXPECT_EQ(window.size(), 2u);
  EXPECT_FALSE(window.check(reader("unrelated", 1)).ok());
  EXPECT_TRUE(window.check(reader("unrelated", 2)).ok());
  window.trim(Sequence{0}, SteadyTime{ConflictWindow::kAgeMax.count()});
  EXPECT_EQ(window.size(), 0u);
  EXPECT_FALSE(window.check(reader("unrelated", 3)).ok());
}

}  // namespace
}  // namespace tombolo::kv
