// What every Remote must do: one suite, instantiated for each implementation.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "async/run.h"
#include "base/crc64.h"
#include "base/digest.h"
#include "base/random.h"
#include "remote/probe.h"
#include "remote/remote.h"

namespace tombolo::remote {

/// Derive and INSTANTIATE with a function that makes one; nullptr skips: what it needs is not on this machine.
struct RemoteFixture {
  virtual ~RemoteFixture() = default;
  virtual Remote& remote() = 0;
  virtual boost::asio::io_context& loop() = 0;
};
using MakeFixture = std::unique_ptr<RemoteFixture> (*)();

class RemoteContract : public ::testing::TestWithParam<MakeFixture> {
 protected:
  void SetUp() override {
    fixture_ = GetParam()();
    if (fixture_ == nullptr) GTEST_SKIP() << "what it needs is not on this machine";
  }
  Remote& remote() { return fixture_->remote(); }
  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(fixture_->loop(), std::move(task));
  }

  static Bytes random_bytes(std::size_t size) {
    SeededRandom random(size + 1);
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
  }
  Result<RemoteObject> put(std::string key, const Bytes& bytes, Condition condition = {}, RemoteHeaders headers = {}) {
    PutRequest request{.key = std::move(key),
                       .size = bytes.size(),
                       .crc64 = crc64(bytes),
                       .headers = std::move(headers),
                       .condition = std::move(condition)};
    return run(remote().put(std::move(request), body_of(Block(bytes))));
  }
  Task<Bytes> read(GetRequest request) {
    const std::uint64_t length = request.length;
    CO_TRY_ASSIGN(auto source, remote().get(std::move(request)));
    co_return co_await read_all(*source, length);
  }

  std::unique_ptr<RemoteFixture> fixture_;
};

TEST_P(RemoteContract, GivesBackWhatWasPut) {
  for (const std::size_t size : {0ul, 1ul, 262'144ul, 1'000'001ul}) {
    const Bytes bytes = random_bytes(size);
    const std::string key = "dir/size " + std::to_string(size);
    const auto stored = put(key, bytes);
    ASSERT_TRUE(stored.ok()) << to_string(stored.error());
    EXPECT_EQ(stored->size, size);
    const auto head = run(remote().head(key));
    ASSERT_TRUE(head.ok()) << to_string(head.error());
    EXPECT_EQ(head->object.etag, stored->etag);
    EXPECT_EQ(head->object.size, size);
    if (size == 0) continue;
    EXPECT_EQ(*run(read({.key = key, .if_etag = stored->etag, .offset = 0, .length = size})), bytes);
    EXPECT_EQ(*run(read({.key = key, .if_etag = stored->etag, .offset = size - 1, .length = 1})),
              Bytes(bytes.end() - 1, bytes.end()));
  }
}

TEST_P(RemoteContract, KeepsHeadersAndMetadata) {
  RemoteHeaders headers{.content_type = "text/plain; charset=utf-8",
                        .content_encoding = "gzip",
                        .content_language = "de",
                        .content_disposition = "attachment",
                        .cache_control = "no-cache",
                        .content_md5 = {},
                        .metadata = {{"color", "blue"}, {"tombolo_nonce", "00ff"}}};
  ASSERT_TRUE(put("h", random_bytes(10), {}, headers).ok());
  const auto head = run(remote().head("h"));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->headers.content_type, headers.content_type);
  EXPECT_EQ(head->headers.content_encoding, headers.content_encoding);
  EXPECT_EQ(head->headers.content_language, headers.content_language);
  EXPECT_EQ(head->headers.content_disposition, headers.content_disposition);
  EXPECT_EQ(head->headers.cache_control, headers.cache_control);
  EXPECT_EQ(head->headers.metadata, headers.metadata);
}

TEST_P(RemoteContract, KeepsTheMd5ThatIsGivenAlsoOneThatIsNotOfTheBytes) {
  for (const std::size_t size : {0ul, 10ul, 200'000ul}) {
    const Bytes bytes = random_bytes(size);
    for (const Md5Digest digest : {md5(bytes), md5(random_bytes(11))}) {
      RemoteHeaders headers;
      headers.content_md5 = std::string(as_text(digest));
      headers.metadata["tombolo_nonce"] = "00ff";
      const std::string key = std::to_string(size) + (digest == md5(bytes) ? " right" : " wrong");
      const auto stored = put(key, bytes, {.if_absent = true}, headers);
      ASSERT_TRUE(stored.ok()) << key << ": " << to_string(stored.error());
      const auto head = run(remote().head(key));
      ASSERT_TRUE(head.ok()) << to_string(head.error());
      EXPECT_EQ(head->headers.content_md5, headers.content_md5) << key;
      EXPECT_EQ(head->object.size, size);
      EXPECT_EQ(put(key, bytes, {.if_absent = true}, headers).error().code, Code::kConditionFailed) << key;
      if (size == 0) continue;
      EXPECT_EQ(*run(read({.key = key, .if_etag = stored->etag, .offset = 0, .length = size})), bytes) << key;
    }
  }
}

TEST_P(RemoteContract, PutHonoursConditions) {
  const Bytes one = random_bytes(10), two = random_bytes(20);
  const auto first = put("c", one, {.if_absent = true});
  ASSERT_TRUE(first.ok()) << to_string(first.error());
  EXPECT_EQ(put("c", two, {.if_absent = true}).error().code, Code::kConditionFailed);
  EXPECT_EQ(put("c", two, {.if_etag = "nonsense"}).error().code, Code::kConditionFailed);
  EXPECT_EQ(*run(read({.key = "c", .if_etag = first->etag, .offset = 0, .length = 10})), one);
  const auto second = put("c", two, {.if_etag = first->etag});
  ASSERT_TRUE(second.ok());
  EXPECT_NE(second->etag, first->etag);
}

TEST_P(RemoteContract, NeverReadsAnotherObjectsBytes) {
  const auto first = put("r", random_bytes(10));
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(put("r", random_bytes(11)).ok());
  EXPECT_EQ(run(read({.key = "r", .if_etag = first->etag, .offset = 0, .length = 5})).error().code,
            Code::kChangedOutside);
  EXPECT_EQ(run(read({.key = "none", .if_etag = first->etag, .offset = 0, .length = 5})).error().code, Code::kNotFound);
  EXPECT_EQ(run(remote().head("none")).error().code, Code::kNotFound);
}

TEST_P(RemoteContract, AByteOfAnEmptyObjectTellsWhetherTheETagIsRight) {
  const auto first = put("empty", {});
  const auto second = put("empty", {});
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_NE(first->etag, second->etag);
  const auto right = run(read({.key = "empty", .if_etag = second->etag, .length = 1}));
  EXPECT_TRUE(right.ok() ? right->empty() : right.error().code == Code::kOutOfRange)
      << (right.ok() ? "bytes" : to_string(right.error()));
  const auto wrong = run(read({.key = "empty", .if_etag = first->etag, .length = 1}));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::kChangedOutside) << to_string(wrong.error());
}

TEST_P(RemoteContract, RemovesConditionallyAndIdempotently) {
  const auto stored = put("d", random_bytes(3));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(run(remote().remove("d", {.if_etag = "nonsense"})).error().code, Code::kConditionFailed);
  EXPECT_TRUE(run(remote().remove("d", {.if_etag = stored->etag})).ok());
  EXPECT_EQ(run(remote().head("d")).error().code, Code::kNotFound);
  EXPECT_TRUE(run(remote().remove("d", {})).ok());
  EXPECT_TRUE(run(remote().remove("d", {.if_etag = stored->etag})).ok());
}

TEST_P(RemoteContract, ListsInByteOrderPageByPage) {
  const std::vector<std::string> keys = {"l/%41", "l/a b", "l/a+b", "l/a", "l/a/b", "l/\xC3\xA4", "m"};
  for (const auto& key : keys) ASSERT_TRUE(put(key, random_bytes(4)).ok()) << key;
  std::vector<std::string> expected(keys.begin(), keys.end() - 1);
  std::sort(expected.begin(), expected.end());
  std::vector<std::string> seen;
  ListRequest request{.prefix = "l/", .marker = {}, .limit = 2};
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = run(remote().list(request));
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    EXPECT_LE(page->objects.size(), 2u);
    for (const auto& object : page->objects) {
      seen.push_back(object.key);
      EXPECT_EQ(object.size, 4u);
    }
    if (page->next_marker.empty()) break;
    request.marker = page->next_marker;
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(RemoteContract, PassesItsOwnProbe) {
  SystemClock clock;
  SystemRandom random;
  const auto steps = run(probe(remote(), {.prefix = "p/"}, clock, random));
  ASSERT_TRUE(steps.ok());
  for (const ProbeStep& step : *steps) EXPECT_TRUE(step.ok) << step.what << ": " << step.problem;
}

}  // namespace tombolo::remote
