#include "http/chunked.h"

#include <gtest/gtest.h>

namespace tombolo::http {
namespace {

struct Outcome {
  std::string data;
  std::string rest;
  bool done = false;
  std::optional<Failure> failure;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// `step`: how many bytes arrive at a time.
Outcome decode(std::string_view bytes, std::size_t step) {
  ChunkedDecoder decoder;
  Outcome out;
  std::size_t at = 0;
  while (at < bytes.size() && !decoder.done()) {
    const auto piece = decoder.advance(as_bytes(bytes.substr(at, step)));
    if (!piece) {
      out.failure = piece.error();
      return out;
    }
    out.data += as_text(piece->data);
    at += piece->consumed;
  }
  out.rest = bytes.substr(at);
  out.done = decoder.done();
  return out;
}

void expect_all_splits(std::string_view bytes, const Outcome& expected) {
  for (std::size_t step = 1; step <= std::min<std::size_t>(bytes.size(), 100); ++step) {
    EXPECT_EQ(decode(bytes, step), expected) << bytes << " by " << step;
  }
  EXPECT_EQ(decode(bytes, bytes.size()), expected) << bytes;
}

TEST(ChunkedDecoder, GivesTheDataAndStopsAtTheEnd) {
  expect_all_splits("5\r\nhello\r\n006;a=b;c=\"d\"\r\n world\r\n0\r\n\r\nGET /", {"hello world", "GET /", true, {}});
  expect_all_splits("0\r\n\r\n", {"", "", true, {}});
  expect_all_splits("a\r\n0123456789\r\n000\r\nx-checksum: 1\r\ny:\r\n\r\nrest", {"0123456789", "rest", true, {}});
}

TEST(ChunkedDecoder, RefusesWhatIsNotWellFormed) {
  const std::vector<std::pair<std::string, Failure>> cases = {
      {"10000000000000000\r\n", Failure::kBadChunk},  // case 6: 2^64
      {"8000000000000000\r\n", Failure::kBadChunk},
      {"-5\r\nhello\r\n", Failure::kBadChunk},
      {"0x5\r\nhello\r\n", Failure::kBadChunk},
      {"+5\r\nhello\r\n", Failure::kBadChunk},
      {" 5\r\nhello\r\n", Failure::kBadChunk},
      {"5 \r\nhello\r\n", Failure::kBadChunk},
      {"\r\nhello\r\n", Failure::kBadChunk},
      {";a=b\r\n", Failure::kBadChunk},
      {"g\r\n", Failure::kBadChunk},
      {"5\nhello\r\n", Failure::kBadChunk},  // case 7
      {"5\rhello\r\n", Failure::kBadChunk},
      {"5\r\nhello\n0\r\n\r\n", Failure::kBadChunk},
      {"5\r\nhelloX\r\n", Failure::kBadChunk},
      {"5\r\nhello\rX", Failure::kBadChunk},
      {"5;a\nb\r\nhello", Failure::kBadChunk},
      {std::string(300, '0') + "5\r\n", Failure::kBadChunk},
      {"5;" + std::string(65'536, 'x') + "\r\nhello\r\n", Failure::kChunkExtension},  // case 8
      {"0\r\nAuthorization: x\r\n\r\n", Failure::kBadTrailer},                        // case 14
      {"0\r\nhost: x\r\n\r\n", Failure::kBadTrailer},
      {"0\r\nCONTENT-LENGTH: 5\r\n\r\n", Failure::kBadTrailer},
      {"0\r\nTransfer-Encoding: chunked\r\n\r\n", Failure::kBadTrailer},
      {"0\r\nX : y\r\n\r\n", Failure::kBadTrailer},
      {"0\r\n X: y\r\n\r\n", Failure::kBadTrailer},
      {"0\r\nX: y\n\r\n", Failure::kBadTrailer},
      {"0\r\nX: " + std::string(kTrailerMax, 'y') + "\r\n\r\n", Failure::kBadTrailer},
  };
  for (const auto& [bytes, failure] : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{3}, bytes.size()}) {
      EXPECT_EQ(decode(bytes, step).failure, failure) << bytes.substr(0, 60) << " by " << step;
    }
  }
}

TEST(ChunkedDecoder, BoundsTheExtensionsOfAWholeBody) {
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += "1;" + std::string(200, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(bytes, bytes.size()).failure, Failure::kChunkExtension);
}

TEST(ChunkedDecoder, LetsDataBeTakenPastIt) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.data_ahead(), 0u);
  ASSERT_TRUE(decoder.advance(as_bytes("7fffffffffffffff\r\n")).has_value());
  EXPECT_EQ(decoder.data_ahead(), 0x7FFF'FFFF'FFFF'FFFFu);
  decoder.took(decoder.data_ahead());
  EXPECT_TRUE(decoder.advance(as_bytes("\r\n0\r\n\r\n")).has_value());
  EXPECT_TRUE(decoder.done());
}

}  // namespace
}  // namespace tombolo::http
