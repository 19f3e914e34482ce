#include "remote/memory/memory_remote.h"

#include "remote/contract_test.h"

namespace tombolo::remote {
namespace {

struct MemoryFixture final : RemoteFixture {
  Remote& remote() override { return remote_; }
  boost::asio::io_context& loop() override { return loop_; }
  boost::asio::io_context loop_{1};
  ManualClock clock_;
  MemoryRemote remote_{"memory", clock_};
};

INSTANTIATE_TEST_SUITE_P(Memory, RemoteContract, testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           return std::make_unique<MemoryFixture>();
                         }));

}  // namespace
}  // namespace tombolo::remote
