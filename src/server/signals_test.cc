#include "server/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace tombolo::server {
namespace {

std::optional<Error> nothing_failed() {
  return std::nullopt;
}

TEST(Signals, KeepsWhatComesBeforeTheWaitAndGoesOnAfterAHangup) {
  Signals signals;
  int hangups = 0;
  const auto hangup = [&hangups] {
    ++hangups;
    std::raise(SIGTERM);
  };
  std::raise(SIGHUP);
  EXPECT_TRUE(signals.wait(hangup, nothing_failed).ok());
  EXPECT_EQ(hangups, 1);
}

TEST(Signals, AFailureEndsTheWait) {
  Signals signals;
  int looks = 0;
  const auto failed = [&looks]() -> std::optional<Error> {
    if (++looks < 2) return std::nullopt;
    return Error{Code::kUnavailable, "the disk is gone"};
  };
  const auto ended = signals.wait([] {}, failed);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().message, "the disk is gone");
  EXPECT_EQ(looks, 2);
}

}  // namespace
}  // namespace tombolo::server
