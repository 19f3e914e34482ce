// One stretch of a native object: verified, conditional, streamed, resumed where it broke.
#include "store/native_reader.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "base/crc64.h"
#include "base/random.h"
#include "base/units.h"
#include "store/remote_double_test.h"

namespace tombolo::store {
namespace {

constexpr std::size_t kSize = 2 * kMiB + 4'000;

struct Stage {
  std::shared_ptr<testing::RemoteDouble> remote = std::make_shared<testing::RemoteDouble>("cloud");
  Bytes bytes = Bytes(kSize);
  std::string etag;

  Stage() {
    SeededRandom random(1);
    random.fill(bytes);
    etag = remote->plant("box/name", bytes);
  }
  NativeStretch stretch(std::size_t first, std::size_t end) const {
    NativeStretch out;
    out.place = {.remote = "cloud", .key = "box/name", .etag = etag, .version_id = ""};
    out.offset = first;
    for (std::size_t at = first; at < end; at += meta::kGranuleBytes) {
      const auto view = BytesView(bytes).subspan(at, std::min<std::size_t>(meta::kGranuleBytes, end - at));
      out.granules.push_back({{5}, at, static_cast<std::uint32_t>(view.size()), crc64(view)});
    }
    return out;
  }
};

Task<Bytes> drain(NativeReader& reader) {
  co_return co_await read_all(reader, 64 * kMiB);
}

TEST(NativeReader, GivesExactlyTheStretchWithOneGet) {
  Stage stage;
  NativeReader whole(stage.remote, stage.stretch(0, kSize));
  const auto all = run_to_end(drain(whole));
  ASSERT_TRUE(all.ok()) << to_string(all.error());
  EXPECT_EQ(*all, stage.bytes);
  EXPECT_EQ(stage.remote->gets(), 1u);
  EXPECT_EQ(stage.remote->bytes_asked(), kSize);

  NativeReader part(stage.remote, stage.stretch(16 * kKiB, 48 * kKiB));
  const auto some = run_to_end(drain(part));
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(*some, to_bytes(BytesView(stage.bytes).subspan(16 * kKiB, 32 * kKiB)));
  EXPECT_EQ(stage.remote->bytes_asked(), kSize + 32 * kKiB);
}

TEST(NativeReader, DoesNotWaitForTheWhole) {
  Stage stage;
  NativeReader reader(stage.remote, stage.stretch(0, kSize));
  ASSERT_TRUE(run_to_end(reader.next()).ok());
  EXPECT_LT(stage.remote->bytes_given(), 2 * kStreamStep);
}

TEST(NativeReader, GoesOnWhereABodyBrokeOff) {
  Stage stage;
  stage.remote->break_bodies(2, 300'000);
  NativeReader reader(stage.remote, stage.stretch(0, kSize));
  const auto all = run_to_end(drain(reader));
  ASSERT_TRUE(all.ok()) << to_string(all.error());
  EXPECT_EQ(*all, stage.bytes);
  EXPECT_EQ(stage.remote->gets(), 3u);
}

TEST(NativeReader, GivesUpOnARemoteThatAlwaysBreaks) {
  Stage stage;
  stage.remote->break_bodies(1'000, 1'000);
  NativeReader reader(stage.remote, stage.stretch(0, kSize));
  const auto block = run_to_end(reader.next());
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().code, Code::kUnavailable);
  EXPECT_LE(stage.remote->gets(), 4u);
}

TEST(NativeReader, NamesWhatWasChangedOrDeletedOutside) {
  Stage stage;
  stage.remote->plant("box/name", Bytes(kSize));
  NativeReader changed(stage.remote, stage.stretch(0, kSize));
  const auto one = run_to_end(changed.next());
  ASSERT_FALSE(one.ok());
  EXPECT_EQ(one.error().code, Code::kChangedOutside);
  EXPECT_NE(one.error().message.find("\"cloud\", key \"box/name\""), std::string::npos) << one.error().message;

  stage.remote->drop("box/name");
  NativeReader gone(stage.remote, stage.stretch(0, kSize));
  const auto two = run_to_end(gone.next());
  ASSERT_FALSE(two.ok());
  EXPECT_EQ(two.error().code, Code::kChangedOutside);
}

TEST(NativeReader, NeverGivesARottenByte) {
  Stage stage;
  for (const std::size_t at : {std::size_t{0}, kStreamStep + 5, kSize - 1}) {
    stage.remote->flip("box/name", at);
    NativeReader reader(stage.remote, stage.stretch(0, kSize));
    std::size_t given = 0;
    while (true) {
      auto block = run_to_end(reader.next());
      if (!block.ok()) {
        EXPECT_EQ(block.error().code, Code::kCorrupt);
        EXPECT_NE(block.error().message.find("cloud"), std::string::npos);
        break;
      }
      ASSERT_FALSE(block->empty());
      given += block->size();
    }
    EXPECT_LE(given, at);
    stage.remote->flip("box/name", at);
  }
}

TEST(NativeReader, AsksOnceMoreForWhatDoesNotVerify) {
  Stage stage;
  for (const std::size_t at : {std::size_t{0}, kStreamStep + 5, kSize - 1}) {
    stage.remote->reset_counts();
    stage.remote->flip_bodies(1, at);
    std::size_t seen = 0;
    NativeReader reader(stage.remote, stage.stretch(0, kSize),
                        [&](const NativeGranule&, BytesView bytes) { seen += bytes.size(); });
    const auto all = run_to_end(drain(reader));
    ASSERT_TRUE(all.ok()) << to_string(all.error());
    EXPECT_EQ(*all, stage.bytes);
    EXPECT_EQ(seen, kSize);
    EXPECT_EQ(stage.remote->gets(), 2u);
    EXPECT_EQ(stage.remote->gets_again(), 1u);
    EXPECT_EQ(stage.remote->bytes_asked(), 2 * kSize - at / kStreamStep * kStreamStep);
  }
}

TEST(NativeReader, TakesWhatDoesNotVerifyForRottenAfterTheSecondTime) {
  Stage stage;
  stage.remote->flip("box/name", 5);
  NativeReader reader(stage.remote, stage.stretch(0, kSize));
  const auto block = run_to_end(reader.next());
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().code, Code::kCorrupt);
  EXPECT_NE(block.error().message.find("\"cloud\", key \"box/name\""), std::string::npos) << block.error().message;
  EXPECT_EQ(stage.remote->gets(), 2u);

  stage.remote->reset_counts();
  stage.remote->refuse_again();
  NativeReader poor(stage.remote, stage.stretch(0, kSize));
  const auto refused = run_to_end(poor.next());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_NE(refused.error().message.find("\"cloud\", key \"box/name\""), std::string::npos) << refused.error().message;
}

TEST(NativeReader, ShowsEachVerifiedGranule) {
  Stage stage;
  std::size_t seen = 0;
  GranuleHook hook = [&](const NativeGranule& granule, BytesView bytes) {
    EXPECT_EQ(granule.length, bytes.size());
    EXPECT_EQ(to_bytes(bytes), to_bytes(BytesView(stage.bytes).subspan(granule.gen_offset, bytes.size())));
    seen += bytes.size();
  };
  NativeReader reader(stage.remote, stage.stretch(0, kSize), hook);
  ASSERT_TRUE(run_to_end(drain(reader)).ok());
  EXPECT_EQ(seen, kSize);
}

}  // namespace
}  // namespace tombolo::store
