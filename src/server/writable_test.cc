#include "server/writable.h"

#include <gtest/gtest.h>

namespace tombolo::server {
namespace {

TEST(Writable, SaysWhatToDoOnceTheCellHasStopped) {
  kv::LogEngineStatus engine;
  EXPECT_FALSE(stopped_for_good(engine));
  EXPECT_EQ(why_no_writes(engine, std::nullopt), "");
  engine.stalled = Error{Code::kNoSpace, "no room for the log"};
  EXPECT_FALSE(stopped_for_good(engine)) << "that heals";
  EXPECT_EQ(why_no_writes(engine, std::nullopt), "no room for the log");
  engine.stopped = Error{Code::kUnavailable, "a sync failed"};
  ASSERT_TRUE(stopped_for_good(engine));
  for (const char* word : {"a sync failed", "systemctl restart tombolo", "do not reboot"}) {
    EXPECT_NE(why_no_writes(engine, std::nullopt).find(word), std::string::npos) << word;
  }
}

TEST(Writable, AFullDiskIsToldWithWhatIsNeeded) {
  kv::LogEngineStatus engine;
  Room room{.free_bytes = 300, .reserve_bytes = 100, .log_file_bytes = 50, .segment_needs = 300};
  EXPECT_EQ(why_no_writes(engine, room), "");
  room.free_bytes = 299;
  EXPECT_NE(why_no_writes(engine, room).find("the next segment needs 300"), std::string::npos);
  room.segment_needs = 0;
  EXPECT_EQ(why_no_writes(engine, room), "") << "a segment is open";
  room.free_bytes = 99;
  EXPECT_NE(why_no_writes(engine, room).find("100 are kept"), std::string::npos);
  engine.space_is_low = true;
  room.free_bytes = 149;
  EXPECT_NE(why_no_writes(engine, room), "") << "no room for the next file of the log";
  room.free_bytes = 150;
  EXPECT_EQ(why_no_writes(engine, room), "") << "space is back, and no commit has looked yet";
}

}  // namespace
}  // namespace tombolo::server
