// The disk fills up at every change that a few writes make: reads, deletes and offload go on, writes are refused, and
// all heals within seconds of space coming back, without a restart.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "async/byte_stream.h"
#include "async/sleep.h"
#include "base/log.h"
#include "base/units.h"
#include "testing/model/model.h"
#include "testing/model/world.h"
#include "tiering/offload.h"

namespace tombolo::testing::model {
namespace {

constexpr Duration kHeals = std::chrono::seconds(10);
constexpr std::uint64_t kReserve = 60 * kKiB;  // less than the world's free_bytes_min

class FullDisk {
 public:
  explicit FullDisk(EngineKind engine) : world_({.engine = engine, .seed = 1}) {
    EXPECT_TRUE(world_.open().ok());
    EXPECT_TRUE(world_.run(world_.life->store->create_container(box(), {})).ok());
    for (const char* name : {"kept", "small", "doomed"}) EXPECT_TRUE(put(name).ok());
  }

  /// False when the disk was not full yet after all writes.
  bool full_at(std::uint64_t change) {
    bool full = false;
    world_.machine.call_at(change, [this, &full] {
      world_.disk.set_limit(world_.disk.used_bytes());
      full = true;
    });
    constexpr int kWrites = 24;
    for (int n = 0; n < kWrites && !full; ++n) expect_done_or_refused(put_next());
    if (!full) return false;
    bool refused = false;  // sooner or later: some space is reserved already
    for (int n = 0; n < 100 && !refused; ++n) refused = !expect_done_or_refused(put_next());
    EXPECT_TRUE(refused) << "a full disk takes everything";
    expect_all_there();
    const auto deleted = world_.run(world_.life->store->delete_object({box(), "doomed"}, {}));
    EXPECT_TRUE(deleted.ok()) << to_string(deleted.error());
    if (deleted.ok()) stored_.erase("doomed");
    if (world_.engine == EngineKind::kMemory) {  // RocksDB's own files take more than so small a reserve
      leave_the_reserve();
      expect_offloaded("kept");
      expect_all_there();
    }
    world_.disk.set_limit(std::nullopt);
    expect_healing();
    expect_all_there();
    return true;
  }

 private:
  /// Small ones lie in the log alone.
  static std::uint64_t size_of(const std::string& name) { return name.size() % 2 == 0 ? 20'000 : 3'000; }

  Result<meta::Object> put(const std::string& name) {
    auto bytes = content(++seed_, size_of(name));
    BlockSource body{Block(Bytes(*bytes))};
    store::PutObject request;
    request.length = bytes->size();
    request.body = &body;
    auto result = world_.run(world_.life->store->put_object({box(), name}, request));
    if (result.ok()) stored_[name] = std::move(bytes);
    return result;
  }
  Result<meta::Object> put_next() {
    const unsigned n = next_++;
    return put(fmt::format("{}{}", n % 2 == 0 ? "n" : "nn", 1'000 + n));
  }

  /// True: done. What nobody knows of is looked at later by nobody, since its name is not used again.
  static bool expect_done_or_refused(const Result<meta::Object>& result) {
    if (result.ok()) return true;
    const Code code = result.error().code;
    EXPECT_TRUE(code == Code::kNoSpace || code == Code::kUnknownOutcome) << to_string(result.error());
    return false;
  }

  void expect_all_there() {
    for (const auto& [name, bytes] : stored_) {
      auto reader = world_.run(world_.life->store->get_object({box(), name}, std::nullopt, {}));
      ASSERT_TRUE(reader.ok()) << name << ": " << to_string(reader.error());
      const auto read = world_.run(read_all(*reader->body, kMiB));
      ASSERT_TRUE(read.ok()) << name << ": " << to_string(read.error());
      EXPECT_TRUE(*read == *bytes) << name;
    }
    const auto page = world_.run(world_.life->store->list_objects(box(), {}));
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    EXPECT_GE(page->entries.size(), stored_.size());
  }

  void leave_the_reserve() {
    ASSERT_TRUE(
        world_.run(sleep_for(std::chrono::seconds(2))).ok());  // longer than what was seen of the disk is believed
    world_.disk.set_limit(world_.disk.used_bytes() + kReserve);
    EXPECT_FALSE(expect_done_or_refused(put_next())) << "writes take from the reserve";
  }

  void expect_offloaded(const std::string& name) {
    tiering::OffloadSpec spec{.container = box(), .prefix = name, .remote = kRemoteName, .evict = tiering::Evict::kYes};
    const auto id = world_.run(tiering::submit_offload(*world_.life->jobs, *world_.life->services, std::move(spec)));
    ASSERT_TRUE(id.ok()) << to_string(id.error());
    jobs::Job job;
    for (int tries = 0; tries < 1'000 && !jobs::ended(job.state); ++tries) {
      const auto seen = world_.run(world_.life->jobs->get(*id));
      ASSERT_TRUE(seen.ok()) << to_string(seen.error());
      job = *seen;
      ASSERT_TRUE(world_.run(sleep_for(std::chrono::milliseconds(1))).ok());
    }
    EXPECT_EQ(job.state, jobs::JobState::kDone) << job.error;
    EXPECT_EQ(job.progress.objects_done, 1u) << job.error;
    EXPECT_EQ(world_.bucket->contents("box/" + name), *stored_.at(name));
  }

  void expect_healing() {
    const SteadyTime back = world_.clock.steady();
    while (world_.clock.steady() - back < kHeals) {
      if (put("small").ok() && put("kept").ok()) return;
      ASSERT_TRUE(world_.run(sleep_for(std::chrono::milliseconds(100))).ok());
    }
    ADD_FAILURE() << "writes are refused still " << (world_.stopped() ? "(it stopped)" : "");
  }

  World world_;
  std::map<std::string, BytesPtr> stored_;
  std::uint64_t seed_ = 0;
  unsigned next_ = 0;
};

void fill_at_every_change(EngineKind engine, std::uint64_t step) {
  set_log_level(LogLevel::kNone);
  std::uint64_t change = 1;
  while (FullDisk(engine).full_at(change) && !::testing::Test::HasFailure()) {
    change += step;
  }
  set_log_level(LogLevel::kInfo);
  EXPECT_FALSE(::testing::Test::HasFailure()) << "full at change " << change;
  EXPECT_GT(change, 60u);
}

TEST(FullDiskTest, AtEveryChangeReadsAndDeletesGoOnAndWritesHeal) {
  fill_at_every_change(EngineKind::kMemory, 1);
}

TEST(FullDiskTest, WithRocksDbToo) {
  fill_at_every_change(EngineKind::kRocks, 5);
}

}  // namespace
}  // namespace tombolo::testing::model
