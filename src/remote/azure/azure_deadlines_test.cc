// Bodies of answers that stop coming, from a service that may otherwise take its time: they end with their deadline.
#include "remote/azure/fake_fixture_test.h"

namespace tombolo::remote {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RemoteContract);
}

namespace tombolo::remote::azure {
namespace {

using namespace std::chrono_literals;
using testing::FakeFixture;
using testing::Fault;
using testing::Trouble;

class AzureDeadlines : public ::testing::Test {
 protected:
  AzureDeadlines() {
    AzureConfig config;
    config.name = "cold";
    config.endpoint = fmt::format("http://127.0.0.1:{}/acct", f_.server_.port());
    config.container = "box";
    config.reach = Reach::kPrivate;
    config.retry.tries_max = 1;
    config.try_base = 300ms;
    config.bytes_per_second_min = kGiB;
    auto made = AzureRemote::make(std::move(config), {}, patient_, f_.clock_, f_.random_);
    EXPECT_TRUE(made.ok()) << to_string(made.error());
    remote_ = *std::move(made);
  }

  FakeFixture f_;
  http::Client patient_{{.first_byte_max = 60s, .stall_max = 60s}};
  std::unique_ptr<AzureRemote> remote_;
};

TEST_F(AzureDeadlines, AListingThatStops) {
  f_.azure_.faults.push_back({.method = "LIST", .trouble = Trouble::kStallBody, .bytes = 10});
  const SteadyTime start = f_.clock_.steady();
  EXPECT_EQ(run_to_end(f_.loop_, remote_->list({})).error().code, Code::kUnavailable);
  EXPECT_LT(f_.clock_.steady() - start, 10s);
}

TEST_F(AzureDeadlines, AnErrorWhoseBodyStops) {
  f_.azure_.faults.push_back({.method = "GET", .trouble = Trouble::kStallError, .bytes = 10});
  GetRequest get;
  get.key = "k";
  get.if_etag = "e";
  get.length = 1;
  const SteadyTime start = f_.clock_.steady();
  const auto got = run_to_end(f_.loop_, remote_->get(std::move(get)));
  EXPECT_EQ(got.error().code, Code::kUnavailable);
  EXPECT_NE(got.error().message.find("it answered 500"), std::string::npos) << got.error().message;
  EXPECT_LT(f_.clock_.steady() - start, 10s);
}

}  // namespace
}  // namespace tombolo::remote::azure
