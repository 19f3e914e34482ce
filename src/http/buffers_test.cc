#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "async/byte_stream.h"
#include "http/buffer_pool.h"
#include "http/head_lines.h"
#include "http/input_buffer.h"

namespace tombolo::http {
namespace {

TEST(BufferPool, UsesLargeBuffersAgainWhoeverReleasesThem) {
  BufferPool pool(1);
  auto buffer = pool.take(kStreamStep);
  const std::byte* place = buffer.bytes.data();
  std::thread([moved = std::move(buffer)]() mutable { moved.owner.reset(); }).join();
  auto again = pool.take(kStreamStep - 1);
  EXPECT_EQ(again.bytes.data(), place);
  EXPECT_EQ(again.bytes.size(), kStreamStep - 1);
  EXPECT_NE(pool.take(kStreamStep).bytes.data(), place);  // in use
}

TEST(BufferPool, MayDieBeforeItsBuffers) {
  BufferPool::Buffer large, small;
  {
    BufferPool pool(1);
    large = pool.take(kStreamStep);
    small = pool.take(1);
  }
  std::memset(large.bytes.data(), 1, large.bytes.size());
  std::memset(small.bytes.data(), 1, small.bytes.size());
  EXPECT_EQ(small.bytes[0], std::byte{1});
}

TEST(InputBuffer, KeepsWhatIsNotTakenWhileItGrows) {
  InputBuffer input;
  std::string expected;
  for (std::size_t i = 0; expected.size() <= kHeadMax; ++i) {
    const auto room = input.room();
    ASSERT_FALSE(room.empty());
    const std::size_t n = std::min({room.size(), i % 700 + 1, kHeadMax + 1 - expected.size()});
    std::memset(room.data(), static_cast<int>('a' + i % 26), n);
    input.added(n);
    expected.append(n, static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(input.text(), expected);
  EXPECT_TRUE(input.room().empty());  // full
  input.take(10);
  ASSERT_EQ(input.room().size(), 10u);
  EXPECT_EQ(input.text(), expected.substr(10));
  input.release_if_empty();
  EXPECT_FALSE(input.empty());
  input.take(input.bytes().size());
  input.release_if_empty();
  EXPECT_TRUE(input.empty());
}

TEST(InputBuffer, IsSmallAgainBehindALargeHead) {
  for (const std::size_t behind : {std::size_t{0}, std::size_t{1}, kSmallHead - 1, kSmallHead}) {
    InputBuffer input;
    while (input.bytes().size() < kHeadMax) {
      const auto room = input.room();
      for (std::size_t n = 0; n < room.size(); ++n) room[n] = static_cast<std::byte>((input.bytes().size() + n) % 251);
      input.added(std::min(room.size(), kHeadMax - input.bytes().size()));
    }
    const Bytes rest = to_bytes(input.bytes().last(behind));
    input.take(kHeadMax - behind);
    EXPECT_EQ(to_bytes(input.bytes()), rest);
    EXPECT_EQ(input.capacity(), behind == 0 ? 0 : behind < kSmallHead ? kSmallHead : kHeadMax);
    ASSERT_FALSE(input.room().empty());
    EXPECT_EQ(to_bytes(input.bytes()), rest);
    input.take(behind);
    EXPECT_LE(input.capacity(), kSmallHead);
  }
}

}  // namespace
}  // namespace tombolo::http
