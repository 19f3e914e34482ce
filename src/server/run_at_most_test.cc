#include "server/run_at_most.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace tombolo::server {
namespace {

TEST(RunAtMost, WhatEndsInTimeHasBeenDone) {
  bool done = false;
  EXPECT_TRUE(run_at_most(std::chrono::minutes(1), [&done] { done = true; }));
  EXPECT_TRUE(done);
}

TEST(RunAtMost, WhatHangsIsLeftBehind) {
  const auto never = std::make_shared<std::promise<void>>();
  const auto hung = std::make_shared<std::promise<void>>();
  auto left = hung->get_future();
  EXPECT_FALSE(run_at_most(std::chrono::milliseconds(10), [hang = never->get_future().share(), hung] {
    hang.wait();
    hung->set_value();
  }));
  never->set_value();
  left.wait();  // it went on
}

}  // namespace
}  // namespace tombolo::server
