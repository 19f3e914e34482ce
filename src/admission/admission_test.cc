#include "admission/admission.h"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <thread>
#include <vector>

namespace tombolo::admission {
namespace {

using namespace std::chrono_literals;

class AdmissionTest : public testing::Test {
 protected:
  // "" when let in for a moment, else the bound and the seconds to wait.
  static std::string ask(Admission& admission, std::string_view account, std::uint64_t bytes = 0) {
    return told(admission.admit(account, bytes));
  }
  static std::string told(const std::expected<Admission::Ticket, Refusal>& asked) {
    if (asked) return "";
    return std::string(bound_name(asked.error().bound)) + " " + std::to_string(asked.error().retry_after.count());
  }

  ManualClock clock_;
};

TEST_F(AdmissionTest, BoundsTheRequestsOfAnAccountAndOfAll) {
  Admission admission({.requests_max = 3, .account_requests_max = 2}, clock_);
  std::list<std::expected<Admission::Ticket, Refusal>> held;
  held.push_back(admission.admit("a", 0));
  held.push_back(admission.admit("a", 0));
  EXPECT_EQ(ask(admission, "a"), "account_requests 1");
  held.push_back(admission.admit("b", 0));
  EXPECT_EQ(told(held.back()), "");
  EXPECT_EQ(ask(admission, "b"), "server_requests 1");
  EXPECT_EQ(ask(admission, "c"), "server_requests 1");
  EXPECT_EQ(admission.requests(), 3u);
  held.erase(held.begin());
  EXPECT_EQ(ask(admission, "a"), "");  // and ended at once
  EXPECT_EQ(ask(admission, "c"), "");
  held.clear();
  EXPECT_EQ(admission.requests(), 0u);
}

TEST_F(AdmissionTest, ZeroIsNoBound) {
  Admission admission({.requests_max = 0, .account_requests_max = 0}, clock_);
  std::list<std::expected<Admission::Ticket, Refusal>> held;
  for (int i = 0; i < 5'000; ++i) {
    held.push_back(admission.admit("a", UINT64_MAX));
    ASSERT_TRUE(held.back());
  }
}

TEST_F(AdmissionTest, BoundsRequestsASecondWithABurst) {
  Admission admission({.account_requests_per_second = 10}, clock_);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(ask(admission, "a"), "") << i;
  EXPECT_EQ(ask(admission, "a"), "account_rate 1");
  EXPECT_EQ(ask(admission, "b"), "");  // has a rate of its own
  clock_.advance(99ms);
  EXPECT_EQ(ask(admission, "a"), "account_rate 1");  // and being refused costs nothing
  clock_.advance(1ms);
  EXPECT_EQ(ask(admission, "a"), "");
  EXPECT_EQ(ask(admission, "a"), "account_rate 1");
  clock_.advance(1h);  // saves up no more than a second's worth
  int taken = 0;
  while (ask(admission, "a").empty()) ++taken;
  EXPECT_EQ(taken, 10);
}

TEST_F(AdmissionTest, SendsThoseThatItRefusesToDifferentTimes) {
  Admission admission({.account_requests_per_second = 10}, clock_);
  while (ask(admission, "a").empty()) {
  }
  std::map<std::string, int> told;
  for (int i = 0; i < 999; ++i) ++told[ask(admission, "a")];
  for (int second = 1; second <= 9; ++second) {
    EXPECT_NEAR(told["account_rate " + std::to_string(second)], 10, 2) << second;
  }
  EXPECT_EQ(told.size(), 11u);  // nobody is sent away for longer, but for rounding up
  clock_.advance(1s);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(admission, "a"), "") << i;  // what was told is no promise
}

TEST_F(AdmissionTest, HoldsARateOverTime) {
  for (const std::uint64_t rate : {1, 3, 7, 1'000, 40'000}) {
    Admission admission({.account_requests_per_second = rate}, clock_);
    std::uint64_t taken = 0;
    for (int i = 0; i < 100; ++i) {  // ten seconds
      while (taken < 12 * rate && ask(admission, "a").empty()) ++taken;
      clock_.advance(100ms);
    }
    EXPECT_GE(taken, 10 * rate) << rate;
    EXPECT_LE(taken, 11 * rate) << rate;
  }
}

TEST_F(AdmissionTest, BoundsAnnouncedUploads) {
  Admission admission({.account_upload_bytes_max = 100}, clock_);
  EXPECT_EQ(ask(admission, "a", 1'000), "");  // alone
  {
    const auto held = admission.admit("a", 60);
    EXPECT_EQ(ask(admission, "a", 40), "");
    EXPECT_EQ(ask(admission, "a", 41), "account_uploads 1");
    EXPECT_EQ(ask(admission, "a", UINT64_MAX), "account_uploads 1");
    EXPECT_EQ(ask(admission, "a", 0), "");
    EXPECT_EQ(ask(admission, "b", 41), "");
  }
  const auto huge = admission.admit("a", 1'000);
  EXPECT_EQ(ask(admission, "a", 1), "account_uploads 1");
  EXPECT_EQ(ask(admission, "a", 0), "");  // reads go on
}

TEST_F(AdmissionTest, CountsRightFromManyThreads) {
  Admission admission({.requests_max = 6, .account_requests_max = 4}, clock_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&admission, t] {
      for (int i = 0; i < 5'000; ++i) {
        const auto one = admission.admit(t % 2 == 0 ? "a" : "b", 1);
        const auto two = admission.admit("c", 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admission.requests(), 0u);
}

}  // namespace
}  // namespace tombolo::admission
