// Structured bodies (XSM/1.0) through the protocol, both ways.
#include "protocol/azure_blob/structured_body.h"
#include "base/crc64.h"
#include "base/endian.h"
#include "base/units.h"
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

constexpr const char* kKind = "XSM/1.0; properties=crc64";

template <class T>
void append(std::string& to, T value) {
  char raw[sizeof(T)];
  store_le(raw, value);
  to.append(raw, sizeof(T));
}

// The message as the page above says it, written a second time: segments of `step` bytes.
std::string message_of(const std::string& content, std::size_t step) {
  const std::size_t count = content.empty() ? 1 : (content.size() + step - 1) / step;
  std::string out;
  append(out, std::uint8_t{1});
  append(out, static_cast<std::uint64_t>(13 + count * 18 + content.size() + 8));
  append(out, std::uint16_t{1});
  append(out, static_cast<std::uint16_t>(count));
  for (std::size_t number = 0; number < count; ++number) {
    const std::string part = content.substr(number * step, step);
    append(out, static_cast<std::uint16_t>(number + 1));
    append(out, static_cast<std::uint64_t>(part.size()));
    out += part;
    append(out, crc64(as_bytes(part)));
  }
  append(out, crc64(as_bytes(content)));
  return out;
}

std::string text_of(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += std::to_string(i) + ",";
  out.resize(size);
  return out;
}

class StructuredBodies : public ::testing::Test, public BlobRig {
 protected:
  Answered put(const std::string& target, std::string message, std::size_t content, const Fields& more = {}) {
    Fields headers = {{"x-ms-structured-body", kKind}, {"x-ms-structured-content-length", std::to_string(content)}};
    if (target.find("comp=") == std::string::npos) headers = plus(headers, kBlock);
    return ask({"PUT", target, plus(headers, more), std::move(message)});
  }
};

TEST_F(StructuredBodies, TheirContentIsStored) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5'000}, std::size_t{700'000}}) {
    const std::string content = text_of(size);
    for (const std::size_t step : {std::size_t{999}, std::size_t{64 * 1024}, std::size_t{1 << 20}}) {
      const Answered answer = put("/box/b", message_of(content, step), size);
      ASSERT_EQ(answer.status, 201) << answer.body;
      EXPECT_EQ(answer.header("x-ms-structured-body"), kKind);
      EXPECT_EQ(ask({"GET", "/box/b"}).body, content);
    }
  }
}

TEST_F(StructuredBodies, MayHaveAnEmptyChecksumBesideThem) {
  EXPECT_EQ(put("/box/b", message_of("content", 99), 7, {{"x-ms-content-crc64", ""}}).status, 201);
}

TEST_F(StructuredBodies, NoContentMayBeNoSegment) {
  std::string message;
  append(message, std::uint8_t{1});
  append(message, std::uint64_t{21});
  append(message, std::uint16_t{1});
  append(message, std::uint16_t{0});
  append(message, std::uint64_t{0});
  EXPECT_EQ(put("/box/b", message, 1).code(), "InvalidInput");
  ASSERT_EQ(put("/box/b", message, 0).status, 201);
  EXPECT_EQ(ask({"HEAD", "/box/b"}).content_length, 0);
}

TEST_F(StructuredBodies, BlocksToo) {
  const std::string content = text_of(70'000);
  const Answered staged = put("/box/b?comp=block&blockid=MDE=", message_of(content, 10'000), content.size());
  ASSERT_EQ(staged.status, 201) << staged.body;
  EXPECT_EQ(staged.header("x-ms-structured-body"), kKind);
  const std::string list = "<BlockList><Latest>MDE=</Latest></BlockList>";
  ASSERT_EQ(ask({"PUT", "/box/b?comp=blocklist", {}, list}).status, 201);
  EXPECT_EQ(ask({"GET", "/box/b"}).body, content);
}

TEST_F(StructuredBodies, EveryDamagedByteIsFoundAndNothingIsStored) {
  const std::string content = text_of(100), good = message_of(content, 40);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const Answered answer = put("/box/bad", bad, content.size());
    EXPECT_EQ(answer.status, 400) << at;
    EXPECT_TRUE(answer.code() == "Crc64Mismatch" || answer.code() == "InvalidInput") << at << " " << answer.code();
  }
  for (std::size_t length = 1; length < good.size(); ++length) {
    EXPECT_EQ(put("/box/bad", good.substr(0, length), content.size()).code(), "InvalidInput") << length;
  }
  EXPECT_EQ(put("/box/bad", good + "x", content.size()).code(), "InvalidInput");
  EXPECT_EQ(put("/box/bad", good, content.size() - 1).code(), "InvalidInput");
  EXPECT_EQ(put("/box/bad", good, content.size() + 1).code(), "InvalidInput");
  EXPECT_EQ(ask({"HEAD", "/box/bad"}).status, 404);
}

TEST_F(StructuredBodies, WhatTheyCannotBe) {
  const std::string good = message_of("abc", 10);
  EXPECT_EQ(put("/box/b", good, 3, {{"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="}}).code(), "InvalidHeaderValue");
  EXPECT_EQ(put("/box/b", good, 3, {{"x-ms-content-crc64", "AAAAAAAAAAA="}}).code(), "InvalidHeaderValue");
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {{"x-ms-structured-body", kKind}}), good}).code(),
            "MissingRequiredHeader");
  const Fields other = {{"x-ms-structured-body", "XSM/2.0"}, {"x-ms-structured-content-length", "3"}};
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, other), good}).code(), "InvalidHeaderValue");
  EXPECT_EQ(put("/box/b", good, 6'000ull * kMiB).code(), "RequestBodyTooLarge");
  EXPECT_EQ(put("/box/b?comp=blocklist", good, 3).code(), "UnsupportedHeader");
  EXPECT_EQ(put("/box/b?comp=metadata", good, 3).code(), "UnsupportedHeader");
}

TEST_F(StructuredBodies, AreReadWhole) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{5'000}, std::size_t{9 * kMiB + 1}}) {
    const std::string content = text_of(size);
    ASSERT_EQ(ask({"PUT", "/box/b", kBlock, content}).status, 201);
    const Answered got = ask({"GET", "/box/b", {{"x-ms-structured-body", kKind}}});
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.header("x-ms-structured-body"), kKind);
    EXPECT_EQ(got.header("x-ms-structured-content-length"), std::to_string(size));
    EXPECT_TRUE(got.body == message_of(content, 4 * kMiB)) << size;
  }
}

TEST_F(StructuredBodies, AreReadInRanges) {
  const std::string content = text_of(50'000);
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, content}).status, 201);
  const Fields wanted = {{"x-ms-structured-body", kKind}, {"x-ms-range", "bytes=100-30000"}};
  const Answered got = ask({"GET", "/box/b", wanted});
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.header("Content-Range"), "bytes 100-30000/50000");
  EXPECT_EQ(got.header("x-ms-structured-content-length"), "29901");
  EXPECT_EQ(got.body, message_of(content.substr(100, 29'901), 4 * kMiB));
  EXPECT_EQ(ask({"GET", "/box/b", plus(wanted, {{"x-ms-range-get-content-md5", "true"}})}).code(),
            "InvalidHeaderValue");
  EXPECT_EQ(ask({"HEAD", "/box/b", {{"x-ms-structured-body", kKind}}}).code(), "UnsupportedHeader");
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
