#include "data/idle_files.h"

#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

std::shared_ptr<disk::File> made(disk::MemoryDisk& disk, const std::string& name) {
  return *disk.open_now(name, disk::Open::kCreateNew);
}

TEST(IdleFiles, GiveUpTheOneThatLayThereLongest) {
  disk::MemoryDisk disk;
  IdleFiles idle(2);
  const auto a = made(disk, "a"), b = made(disk, "b"), c = made(disk, "c");
  EXPECT_EQ(idle.put({1}, a), nullptr);
  EXPECT_EQ(idle.put({2}, b), nullptr);
  EXPECT_EQ(idle.take({1}), a);
  EXPECT_EQ(idle.put({1}, a), nullptr);
  EXPECT_EQ(idle.put({3}, c), b);
  EXPECT_EQ(idle.take({2}), nullptr);
  EXPECT_EQ(idle.take({1}), a);
  EXPECT_EQ(idle.take({1}), nullptr);
  EXPECT_EQ(idle.put({2}, b), nullptr) << "a place is free again";
  EXPECT_EQ(a.use_count(), 1) << "nothing keeps what was taken";
}

TEST(IdleFiles, MayBeNone) {
  disk::MemoryDisk disk;
  IdleFiles idle(0);
  const auto a = made(disk, "a");
  EXPECT_EQ(idle.put({1}, a), a);
  EXPECT_EQ(idle.take({1}), nullptr);
}

// --- of a segment store

class OpenFilesTest : public DataRig {
 protected:
  /// Sealed segments of one run each, in a store that holds none of their files.
  std::vector<RunPlace> write_segments(std::size_t count, std::uint32_t idle_files_max) {
    std::vector<RunPlace> places;
    for (std::size_t n = 0; n < count; ++n) {
      places.push_back(write_and_sync(pattern(1'000, n))->place);
      commit_place(places.back(), 1);
      EXPECT_TRUE(run(store_->rotate()).ok());
      settle();
    }
    stop();
    start({.segment_bytes = 1024 * 1024, .keep_free_bytes = 0, .idle_files_max = idle_files_max});
    return places;
  }
  /// How many files a read of the run opens.
  std::uint64_t opened_to_read(const RunPlace& place, const SegmentPin& pin) {
    const auto before = disk_.count(testing::DiskCall::kOpen);
    Bytes out(100);
    EXPECT_TRUE(run(store_->read(pin, data_offset(place.offset), out)).ok());
    return disk_.count(testing::DiskCall::kOpen) - before;
  }
  std::uint64_t opened_to_read(const RunPlace& place) { return opened_to_read(place, *store_->pin(place.segment)); }
};

TEST_F(OpenFilesTest, AreThoseReadLast) {
  const auto places = write_segments(3, 2);
  for (const RunPlace& place : places) EXPECT_EQ(opened_to_read(place), 1u);
  EXPECT_EQ(opened_to_read(places[1]), 0u);
  EXPECT_EQ(opened_to_read(places[0]), 1u);  // in the place of 2
  EXPECT_EQ(opened_to_read(places[1]), 0u);
  EXPECT_EQ(opened_to_read(places[2]), 1u);  // in the place of 0
  EXPECT_EQ(opened_to_read(places[1]), 0u);
  EXPECT_EQ(opened_to_read(places[0]), 1u);
}

TEST_F(OpenFilesTest, IncludeEachThatIsPinned) {
  const auto places = write_segments(3, 1);
  auto pin = store_->pin(places[0].segment);
  EXPECT_EQ(opened_to_read(places[0], *pin), 1u);
  for (const std::size_t n : {1u, 2u, 1u}) EXPECT_EQ(opened_to_read(places[n]), 1u);
  EXPECT_EQ(opened_to_read(places[1]), 0u);
  EXPECT_EQ(opened_to_read(places[0], *pin), 0u);
  EXPECT_EQ(opened_to_read(places[0]), 0u);
  pin = Error{};
  EXPECT_EQ(opened_to_read(places[0]), 0u);
  EXPECT_EQ(opened_to_read(places[1]), 1u);
}

TEST_F(OpenFilesTest, MayBeNoneButForReadersAndWriters) {
  const auto places = write_segments(2, 0);
  for (int round = 0; round < 2; ++round) {
    for (const RunPlace& place : places) EXPECT_EQ(opened_to_read(place), 1u);
  }
  const auto written = write_and_sync(pattern(1'000, 9));
  EXPECT_EQ(opened_to_read(written->place), 0u);
}

TEST_F(OpenFilesTest, IncludeOneThatIsBeingSealed) {
  write_segments(0, 0);
  const Bytes bytes = pattern(10'001, 1);
  auto writer = *run(store_->begin_run({.tenant = kTenant, .gen = kGen, .length_max = bytes.size()}));
  ASSERT_TRUE(run(writer->append(Block(to_bytes(bytes)))).ok());
  auto written = run(writer->seal());
  const SegmentId segment = written->place.segment;
  ASSERT_TRUE(run(store_->rotate()).ok());
  writer.reset();     // the segment is to be sealed in the background
  written = Error{};  // which begins only when its last pin has gone
  settle();
  ASSERT_EQ(rows()[0].row.state, SegmentState::kSealed);
  EXPECT_EQ(*run(file(segment)->size()), rows()[0].row.file_bytes) << "what was reserved has been given back";
}

}  // namespace
}  // namespace tombolo::data
