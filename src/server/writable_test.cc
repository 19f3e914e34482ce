#include "server/writable.h"

#include <gtest/gtest.h>

namespace tombolo::server {
namespace {

TEST(Writable, SaysWhatToDoOnceTheCellHasStopped) {
  kv::LogEngineStatus engine;
  EXPECT_FALSE(stopped_for_good(engine));
  EXPECT_EQ(why_no_writes(engine), "");
  engine.stalled = Error{Code::kNoSpace, "no room for the log"};
  EXPECT_FALSE(stopped_for_good(engine)) << "that heals";
  EXPECT_EQ(why_no_writes(engine), "no room for the log");
  engine.stopped = Error{Code::kUnavailable, "a sync failed"};
  ASSERT_TRUE(stopped_for_good(engine));
  for (const char* word : {"a sync failed", "systemctl restart tombolo", "do not reboot"}) {
    EXPECT_NE(why_no_writes(engine).find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace tombolo::server
