#include "testing/linearize/checker.h"

#include <gtest/gtest.h>

#include "base/crc64.h"

namespace tombolo::testing::linearize {
namespace {

using model::BytesPtr;
using model::KeyState;
using model::Precondition;

struct When {
  Tick call, answer;
};

BytesPtr bytes_of(const std::string& tag) {
  return model::content(std::stoull(tag), 10);
}

meta::Object object_of(const std::string& tag, std::uint64_t etag) {
  meta::Object object;
  const BytesPtr bytes = bytes_of(tag);
  object.length = bytes->size();
  object.crc64 = crc64(*bytes);
  object.etag_stamp = {etag};
  object.metadata = metadata_of(tag);
  return object;
}

Step change(When when, model::Change change, std::string tag) {
  Step step;
  step.call = when.call;
  step.answer = when.answer;
  step.tag = std::move(tag);
  step.change = std::move(change);
  return step;
}

model::Change putting(const std::string& tag, Precondition condition = Precondition::kNone, std::uint64_t etag = 0) {
  return model::put_change(bytes_of(tag), metadata_of(tag), condition, Stamp{etag});
}

Step acknowledged(When when, const std::string& tag, std::uint64_t etag, Precondition condition = Precondition::kNone,
                  std::uint64_t asked = 0) {
  Step step = change(when, putting(tag, condition, asked), tag);
  step.outcome = Outcome::kAcknowledged;
  step.sight = sight_of(object_of(tag, etag));
  return step;
}

Step unanswered(When when, const std::string& tag) {
  return change(when, putting(tag), tag);
}

Step refused(When when, const std::string& tag, std::string detail, Precondition condition, std::uint64_t asked = 0) {
  Step step = change(when, putting(tag, condition, asked), tag);
  step.outcome = Outcome::kRefused;
  step.detail = std::move(detail);
  return step;
}

Step deleted(When when) {
  Step step = change(when, model::delete_change(Precondition::kNone, {}), "");
  step.outcome = Outcome::kAcknowledged;
  return step;
}

Step saw_nothing(When when) {
  Step step = change(when, {}, "");
  step.outcome = Outcome::kSaw;
  step.fits = [](const KeyState& state) { return !state.object; };
  return step;
}

Step saw(When when, const std::string& tag, std::uint64_t etag) {
  Step step = saw_nothing(when);
  step.sight = sight_of(object_of(tag, etag));
  step.fits = [sight = step.sight](const KeyState& state) { return matches(state.object, sight); };
  return step;
}

bool good(const Steps& steps) {
  return !check_history({steps}).has_value();
}

// ---- what may be

TEST(Checker, OneAfterTheOther) {
  EXPECT_TRUE(good({saw_nothing({1, 2}), acknowledged({3, 4}, "1", 10), saw({5, 6}, "1", 10), deleted({7, 8}),
                    saw_nothing({9, 10})}));
}

TEST(Checker, WhatIsUnderWayMayBeSeenOrNot) {
  const Step put = acknowledged({1, 10}, "1", 10);
  EXPECT_TRUE(good({put, saw({2, 3}, "1", 10)}));
  EXPECT_TRUE(good({put, saw_nothing({2, 3})}));
  EXPECT_TRUE(good({put, saw_nothing({2, 3}), saw({4, 5}, "1", 10)}));
}

TEST(Checker, OverlappingChangesMayHaveEitherOrder) {
  const Steps changes = {acknowledged({1, 10}, "1", 20), acknowledged({2, 11}, "2", 10)};
  Steps steps = changes;
  steps.push_back(saw({12, 13}, "1", 20));
  EXPECT_TRUE(good(steps));
  steps = changes;
  steps.push_back(saw({3, 4}, "2", 10));
  steps.push_back(saw({5, 6}, "1", 20));
  EXPECT_TRUE(good(steps));
}

TEST(Checker, OneOfTwoCreatorsWins) {
  EXPECT_TRUE(good({acknowledged({1, 4}, "1", 10, Precondition::kAbsent),
                    refused({2, 3}, "2", "BlobAlreadyExists", Precondition::kAbsent), saw({5, 6}, "1", 10)}));
}

TEST(Checker, WhatWasNotAnsweredHappensOrDoesNot) {
  const Steps before = {acknowledged({1, 2}, "1", 10), unanswered({3, 8}, "2")};
  Steps steps = before;
  steps.push_back(saw({9, 10}, "1", 10));
  EXPECT_TRUE(good(steps));
  steps = before;
  steps.push_back(saw({4, 5}, "1", 10));
  steps.push_back(saw({9, 10}, "2", 11));
  EXPECT_TRUE(good(steps));
}

TEST(Checker, SeveralUnansweredOnesHappenInAnyOrder) {
  for (const char* last : {"1", "2", "3"}) {
    const Steps steps = {unanswered({1, 10}, "1"), unanswered({2, 11}, "2"), unanswered({3, 12}, "3"),
                         saw({13, 14}, last, 10)};
    EXPECT_TRUE(good(steps)) << last;
  }
}

// ---- what may not be

TEST(Checker, AStaleReadIsRefused) {
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), acknowledged({3, 4}, "2", 11), saw({5, 6}, "1", 10)}));
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), saw_nothing({3, 4})}));
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), deleted({3, 4}), saw({5, 6}, "1", 10)}));
}

TEST(Checker, AReadThatGoesBackIsRefused) {
  EXPECT_FALSE(good({acknowledged({1, 20}, "1", 10), saw({2, 3}, "1", 10), saw_nothing({4, 5})}));
}

TEST(Checker, ALostUpdateIsRefused) {
  // Both changed what they had seen, and both were told that nobody had been faster.
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), acknowledged({3, 6}, "2", 11, Precondition::kCurrent, 10),
                     acknowledged({4, 5}, "3", 12, Precondition::kCurrent, 10)}));
}

TEST(Checker, TwoCreatorsThatBothWinAreRefused) {
  EXPECT_FALSE(good(
      {acknowledged({1, 4}, "1", 10, Precondition::kAbsent), acknowledged({2, 3}, "2", 11, Precondition::kAbsent)}));
  EXPECT_TRUE(good({acknowledged({1, 4}, "1", 10, Precondition::kAbsent), deleted({2, 5}),
                    acknowledged({3, 6}, "2", 11, Precondition::kAbsent)}));
}

TEST(Checker, ACreatorRefusedForNothingIsRefused) {
  EXPECT_FALSE(good({refused({1, 2}, "1", "BlobAlreadyExists", Precondition::kAbsent), saw_nothing({3, 4})}));
}

TEST(Checker, WhatIsReadBeforeItIsWrittenIsRefused) {
  EXPECT_FALSE(good({saw({1, 2}, "1", 10), acknowledged({3, 4}, "1", 10)}));
}

TEST(Checker, WhatWasLostInACrashIsRefused) {
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), unanswered({3, 4}, "2"), saw_nothing({5, 6})}));
}

TEST(Checker, WhatWasSeenBeforeACrashAndNotAfterIsRefused) {
  const Steps before = {acknowledged({1, 2}, "1", 10), unanswered({3, 8}, "2"), saw({4, 5}, "2", 11)};
  Steps steps = before;
  steps.push_back(saw({9, 10}, "2", 11));
  EXPECT_TRUE(good(steps));
  steps = before;
  steps.push_back(saw({9, 10}, "1", 10));
  EXPECT_FALSE(good(steps)) << "it was seen, and then undone";
}

TEST(Checker, FlippingAfterACrashIsRefused) {
  EXPECT_FALSE(
      good({acknowledged({1, 2}, "1", 10), unanswered({3, 4}, "2"), saw({5, 6}, "1", 10), saw({7, 8}, "2", 11)}))
      << "whoever did it is dead";
}

TEST(Checker, OtherBytesAreRefused) {
  Step read = saw({3, 4}, "1", 10);
  const Steps steps = {acknowledged({1, 2}, "1", 10), read};
  EXPECT_TRUE(good(steps));
  read.sight->crc64 ^= 1;
  read.fits = [sight = read.sight](const KeyState& state) { return matches(state.object, sight); };
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), read}));
}

// ---- ETags

TEST(Checker, AnEtagIsGivenOnceOnly) {
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), deleted({3, 4}), acknowledged({5, 6}, "2", 10)}));
  EXPECT_TRUE(check_history({{acknowledged({1, 2}, "1", 10)}, {acknowledged({3, 4}, "2", 10)}})) << "another name";
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), saw({3, 4}, "1", 11)})) << "it moved without a change";
}

TEST(Checker, EtagsOfANameGrow) {
  EXPECT_FALSE(good({acknowledged({1, 2}, "1", 10), acknowledged({3, 4}, "2", 9)}));
}

// ---- blocks

Step staged(When when, const char* block, const BytesPtr& bytes) {
  Step step = change(when, model::stage_change(block, bytes), "");
  step.outcome = Outcome::kAcknowledged;
  return step;
}

Step committed(When when, std::vector<std::string> blocks, const Bytes& all) {
  std::vector<store::BlockChoice> choices;
  for (std::string& block : blocks) choices.push_back({store::BlockSource::kUncommitted, std::move(block)});
  Step step = change(when, model::commit_change(std::move(choices), Precondition::kNone, {}, metadata_of("9")), "9");
  step.outcome = Outcome::kAcknowledged;
  meta::Object object = object_of("9", 90);
  object.length = all.size();
  object.crc64 = crc64(all);
  step.sight = sight_of(object);
  return step;
}

TEST(Checker, ACommitIsOfTheBlocksThatWereThere) {
  const BytesPtr one = model::content(1, 10), two = model::content(2, 20);
  EXPECT_TRUE(good({staged({1, 2}, "a", one), staged({3, 6}, "a", two), committed({4, 5}, {"a"}, *one)}));
  EXPECT_TRUE(good({staged({1, 2}, "a", one), staged({3, 6}, "a", two), committed({4, 5}, {"a"}, *two)}));
  EXPECT_FALSE(good({staged({1, 2}, "a", one), staged({3, 4}, "a", two), committed({5, 6}, {"a"}, *one)}));
  EXPECT_FALSE(good({committed({1, 2}, {"a"}, *one), staged({3, 4}, "a", one)}));
  EXPECT_FALSE(good({staged({1, 2}, "a", one), deleted({3, 4}), committed({5, 6}, {"a"}, *one)})) << "purged";
}

TEST(Checker, TheSameCommitTriedInManyOrdersStaysOneState) {
  // Without recognising what is the same, the search would not end.
  Steps steps;
  for (Tick n = 0; n < 7; ++n) steps.push_back(unanswered({1 + n, 100 + n}, std::to_string(1 + n % 2)));
  steps.push_back(saw({200, 201}, "1", 10));
  EXPECT_TRUE(good(steps));
}

// ---- what is told

TEST(Checker, OnlyWhatIsNeededIsTold) {
  Steps steps = {acknowledged({1, 2}, "1", 10), saw({3, 4}, "1", 10),  acknowledged({5, 8}, "2", 11),
                 saw({6, 7}, "1", 10),          saw({9, 20}, "2", 11), saw({10, 11}, "1", 10),
                 saw({12, 13}, "2", 11)};
  const auto finding = check_history({steps});
  ASSERT_TRUE(finding);
  ASSERT_EQ(finding->steps.size(), 1u) << describe(*finding);
  EXPECT_EQ(finding->steps[finding->at].call, 10u);
  ASSERT_EQ(finding->before.size(), 1u);
  EXPECT_NE(finding->before[0].find("tag 2"), std::string::npos) << finding->before[0];
}

}  // namespace
}  // namespace tombolo::testing::linearize
