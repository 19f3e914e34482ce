#include "disk/space_reserve.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "base/units.h"
#include "disk/memory/memory_disk.h"

namespace tombolo::disk {
namespace {

class SpaceReserveTest : public ::testing::Test {
 protected:
  void fill(std::uint64_t bytes) {
    filler_ = *run_to_end(disk_.open("filler", Open::kCreateNew));
    ASSERT_TRUE(run_to_end(filler_->reserve(bytes)).ok());
  }
  void free_all() {
    filler_.reset();
    ASSERT_TRUE(run_to_end(disk_.remove("filler")).ok());
  }
  std::uint64_t free_bytes() { return run_to_end(disk_.space())->free_bytes; }
  void balance() { ASSERT_TRUE(run_to_end(reserve_.balance()).ok()); }

  MemoryDisk disk_;
  std::unique_ptr<File> filler_;
  SpaceReserve reserve_{disk_, "reserve", 1 * kMiB};
};

TEST_F(SpaceReserveTest, HoldsItsSpaceWhenThereIsEnough) {
  disk_.set_limit(4 * kMiB);
  balance();
  EXPECT_TRUE(reserve_.held());
  EXPECT_EQ(free_bytes(), 3 * kMiB);
}

TEST_F(SpaceReserveTest, TakesNothingFromADiskThatIsNearlyFull) {
  disk_.set_limit(4 * kMiB - 1);
  balance();
  EXPECT_FALSE(reserve_.held());
  EXPECT_EQ(free_bytes(), 4 * kMiB - 1);
}

TEST_F(SpaceReserveTest, GivesItsSpaceBackWhenTheDiskIsFullAndTakesItAgain) {
  disk_.set_limit(4 * kMiB);
  balance();
  fill(3 * kMiB);
  EXPECT_EQ(free_bytes(), 0U);
  balance();
  EXPECT_FALSE(reserve_.held());
  EXPECT_EQ(free_bytes(), 1 * kMiB);
  balance();  // as much free as it would hold: left alone
  EXPECT_FALSE(reserve_.held());
  free_all();
  balance();
  EXPECT_TRUE(reserve_.held());
}

TEST_F(SpaceReserveTest, GivesBackWhatAnEarlierProcessHeld) {
  disk_.set_limit(4 * kMiB);
  balance();
  fill(3 * kMiB);
  SpaceReserve next(disk_, "reserve", 1 * kMiB);
  ASSERT_TRUE(run_to_end(next.balance()).ok());
  EXPECT_EQ(free_bytes(), 1 * kMiB);
}

}  // namespace
}  // namespace tombolo::disk
