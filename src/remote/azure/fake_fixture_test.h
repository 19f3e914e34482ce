// An AzureRemote before a FakeAzure, on one event loop.
#pragma once

#include "http/server.h"
#include "remote/azure/azure_remote.h"
#include "remote/azure/fake_azure_test.h"
#include "remote/contract_test.h"

namespace tombolo::remote::azure::testing {

struct FakeFixture final : RemoteFixture {
  FakeFixture() {
    const auto started = server_.start();
    EXPECT_TRUE(started.ok());
    use({});
  }
  ~FakeFixture() override {
    const auto stopped = run_to_end(loop_, server_.stop());
    EXPECT_TRUE(stopped.ok());
  }
  Remote& remote() override { return *remote_; }
  boost::asio::io_context& loop() override { return loop_; }

  void use(AzureConfig config, Signer signer = {}) {
    config.name = "cold";
    config.endpoint = fmt::format("http://127.0.0.1:{}/acct", server_.port());
    config.container = "box";
    config.reach = Reach::kPrivate;
    config.retry.delay_first = std::chrono::milliseconds(1);
    config.retry.delay_max = std::chrono::milliseconds(5);
    auto made = AzureRemote::make(std::move(config), std::move(signer), client_, clock_, random_);
    ASSERT_TRUE(made.ok()) << to_string(made.error());
    remote_ = *std::move(made);
  }

  boost::asio::io_context loop_{1};
  SystemClock clock_;
  SeededRandom random_{7};
  FakeAzure azure_;
  http::Server server_{{.stop_grace = std::chrono::milliseconds(1)}, {loop_.get_executor()}, azure_, clock_};
  http::Client client_{{.first_byte_max = std::chrono::milliseconds(300), .stall_max = std::chrono::milliseconds(300)}};
  std::unique_ptr<AzureRemote> remote_;
};

}  // namespace tombolo::remote::azure::testing
