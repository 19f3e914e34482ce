// Random work through random faults, against a model: what is said to have happened has, what is said not to has not,
// and no wrong byte is ever given.
#include <map>
#include <set>

#include "base/digest.h"
#include "remote/azure/fake_fixture_test.h"

namespace tombolo::remote {
// The fixture comes with the contract, which runs in azure_remote_test.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RemoteContract);
}  // namespace tombolo::remote

namespace tombolo::remote::azure {
namespace {

using testing::FakeFixture;
using testing::Fault;
using testing::Trouble;

struct Known {
  std::set<std::string> possible = {""};  // contents that the key may have; "" stands for none
  RemoteObject object;                    // the last that a put answered
};

class Story {
 public:
  Story(std::uint64_t seed, AzureConfig config) : random_(seed) {
    config.retry_budget = {.share = 1, .per_second = 0, .kept_max = 1'000};
    f_.use(std::move(config));
  }

  void step() {
    maybe_fail();
    const std::string key = "k" + std::to_string(random_.below(3));
    const std::uint64_t choice = random_.below(10);
    if (choice < 5) {
      put(key);
    } else if (choice < 9) {
      get(key);
    } else {
      remove(key);
    }
    f_.azure_.faults.clear();
    check_stored(key);
  }
  int done() const { return done_; }
  int refused() const { return refused_; }
  int unknown() const { return unknown_; }

 private:
  void maybe_fail() {
    static constexpr Trouble kPuts[] = {Trouble::kStatus, Trouble::kStatusAfterDoing, Trouble::kNoEtagAfterDoing};
    static constexpr Trouble kGets[] = {Trouble::kStatus,    Trouble::kBreakBody,   Trouble::kOtherRange,
                                        Trouble::kShortBody, Trouble::kWholeObject, Trouble::kNoEtagAfterDoing};
    static constexpr int kStatuses[] = {408, 429, 500, 502, 503, 504};
    for (const char* method : {"PUT", "GET", "HEAD", "DELETE"}) {
      for (std::uint64_t n = random_.below(3); n > 0; --n) {
        if (random_.below(10) >= 3) continue;
        Fault fault{.method = method, .times = static_cast<int>(1 + random_.below(6))};
        fault.status = kStatuses[random_.below(6)];
        if (*method == 'P') fault.trouble = kPuts[random_.below(3)];
        if (*method == 'G') fault.trouble = kGets[random_.below(6)];
        if (*method == 'D' && random_.below(2) == 0) fault.trouble = Trouble::kStatusAfterDoing;
        fault.bytes = 1 + random_.below(1'000);
        f_.azure_.faults.push_back(std::move(fault));
      }
    }
  }

  void count(const Error& error) {
    EXPECT_TRUE(error.code == Code::kUnavailable || error.code == Code::kUnknownOutcome ||
                error.code == Code::kConditionFailed || error.code == Code::kChangedOutside ||
                error.code == Code::kNotFound || error.code == Code::kOutOfRange)
        << to_string(error);
    (error.code == Code::kUnknownOutcome ? unknown_ : refused_)++;
  }

  void put(const std::string& key) {
    Known& known = model_[key];
    std::string text(1 + random_.below(3'000), ' ');
    random_.fill({reinterpret_cast<std::byte*>(text.data()), text.size()});
    PutRequest request;
    request.key = key;
    request.size = text.size();
    request.crc64 = crc64(as_bytes(text));
    if (random_.below(2) != 0) request.headers.content_md5 = std::string(as_text(md5(as_bytes(text))));
    if (random_.below(4) != 0) request.headers.metadata["tombolo_nonce"] = random_.hex(8);
    const std::uint64_t condition = random_.below(3);
    if (condition == 0) request.condition.if_absent = true;
    if (condition == 1 && !known.object.etag.empty()) request.condition.if_etag = known.object.etag;
    const bool may_fail_whatever_happened = !request.condition.if_etag.empty() || request.condition.if_absent;
    const auto stored = run_to_end(f_.loop_, f_.remote_->put(std::move(request), body_of(Block(to_bytes(text)))));
    if (stored.ok()) {
      ++done_;
      last_ = "done";
      known = {{text}, *stored};
      return;
    }
    count(stored.error());
    last_ = to_string(stored.error());
    if (stored.error().code == Code::kUnknownOutcome) known.possible.insert(text);
    EXPECT_TRUE(stored.error().code != Code::kConditionFailed || may_fail_whatever_happened);
  }

  static Task<std::string> read(Remote& remote, GetRequest request) {
    const std::uint64_t length = request.length;
    CO_TRY_ASSIGN(auto source, remote.get(std::move(request)));
    CO_TRY_ASSIGN(const Bytes bytes, read_all(*source, length));
    co_return std::string(as_text(bytes));
  }

  void get(const std::string& key) {
    const Known& known = model_[key];
    if (known.object.etag.empty()) return;
    GetRequest request;
    request.key = key;
    request.if_etag = known.object.etag;
    request.offset = random_.below(known.object.size);
    request.length = 1 + random_.below(known.object.size - request.offset);
    const std::uint64_t offset = request.offset, length = request.length;
    const auto text = run_to_end(f_.loop_, read(*f_.remote_, std::move(request)));
    if (!text.ok()) return count(text.error());
    ++done_;
    bool right = false;
    for (const std::string& each : known.possible) {
      right = right || (each.size() >= offset + length && each.substr(offset, length) == *text);
    }
    EXPECT_TRUE(right) << "wrong bytes of " << key;
  }

  void remove(const std::string& key) {
    Known& known = model_[key];
    const auto removed = run_to_end(f_.loop_, f_.remote_->remove(key, {}));
    if (removed.ok()) {
      ++done_;
      last_ = "done";
      known = {{""}, {}};
      return;
    }
    count(removed.error());
    last_ = to_string(removed.error());
    known.possible.insert("");
  }

  void check_stored(const std::string& key) {
    Known& known = model_[key];
    const auto it = f_.azure_.blobs.find("/acct/box/" + key);
    const std::string now = it == f_.azure_.blobs.end() ? "" : it->second.bytes;
    EXPECT_TRUE(known.possible.contains(now)) << key << " holds what nobody was told of: " << last_;
    known.possible = {now};
  }

  FakeFixture f_;
  SeededRandom random_;
  std::map<std::string, Known> model_;
  std::string last_;  // what the last change was answered with
  int done_ = 0, refused_ = 0, unknown_ = 0;
};

void tell(std::uint64_t seed, AzureConfig config) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Story story(seed, std::move(config));
  for (int n = 0; n < 150; ++n) story.step();
  // The story is worth telling: most of it works, and some of it does not.
  EXPECT_GT(story.done(), 60);
  EXPECT_GT(story.refused() + story.unknown(), 3);
}

TEST(AzureFaults, WhatIsSaidIsTrueForPutsInOnePiece) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) tell(seed, {});
}

TEST(AzureFaults, WhatIsSaidIsTrueForPutsInBlocks) {
  for (std::uint64_t seed = 6; seed <= 10; ++seed) tell(seed, {.single_put_bytes_max = 1, .block_bytes = 700});
}

}  // namespace
}  // namespace tombolo::remote::azure
