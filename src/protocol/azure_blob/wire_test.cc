// The handler behind the real server, over loopback: what a client's socket sees.
#include "http/server.h"
#include "http/server_test_support.h"
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

class Wire : public ::testing::Test, public BlobRig {
 protected:
  Wire() : loops(2), server({}, loops.executors(), handler, rig.clock) {
    EXPECT_TRUE(server.start().ok());
    host = "127.0.0.1:" + std::to_string(server.port());
  }
  ~Wire() override { EXPECT_TRUE(rig.run(server.stop()).ok()); }

  /// A request's bytes, signed.
  std::string wire(Asked asked) {
    asked.host = host;
    asked = signed_with(std::move(asked), keys);
    std::string out = asked.method + " " + asked.target + " HTTP/1.1\r\nHost: " + host + "\r\n";
    for (const auto& [name, value] : asked.headers) out += name + ": " + value + "\r\n";
    if (!asked.body.empty() || asked.method == "PUT") {
      out += "Content-Length: " + std::to_string(asked.body.size()) + "\r\n";
    }
    return out + "\r\n" + asked.body;
  }

  http::Loops loops;
  http::Server server;
  std::string host;
};

TEST_F(Wire, OneConnectionPutsReadsAndDeletes) {
  auto socket = http::RawSocket::connect(server.port());
  std::string bytes(3 * kMiB, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>('a' + i % 26);
  ASSERT_TRUE(socket.send(wire({"PUT", "/acc/box/a%20b", kBlock, bytes})));
  EXPECT_TRUE(socket.read_answer().starts_with("HTTP/1.1 201 "));
  ASSERT_TRUE(socket.send(wire({"HEAD", "/acc/box/a%20b"})));
  const std::string head = socket.read_answer(true);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 "));
  EXPECT_NE(head.find("Content-Length: " + std::to_string(bytes.size()) + "\r\n"), std::string::npos);
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box/a%20b"})));
  EXPECT_TRUE(socket.read_answer().ends_with("\r\n\r\n" + bytes));
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box/a%20b", {{"x-ms-range", "bytes=1000000-1000009"}}})));
  const std::string part = socket.read_answer();
  EXPECT_TRUE(part.starts_with("HTTP/1.1 206 "));
  EXPECT_TRUE(part.ends_with("\r\n\r\n" + bytes.substr(1'000'000, 10)));
  ASSERT_TRUE(socket.send(wire({"DELETE", "/acc/box/a%20b"})));
  EXPECT_TRUE(socket.read_answer().starts_with("HTTP/1.1 202 "));
}

TEST_F(Wire, AnEarlyRefusalDrainsTheBodyAndKeepsTheConnection) {
  auto socket = http::RawSocket::connect(server.port());
  auth::AccountKeys wrong = keys;
  wrong.key1 = to_bytes("another key");
  std::swap(keys, wrong);
  ASSERT_TRUE(socket.send(wire({"PUT", "/acc/box/b", kBlock, std::string(4 * kMiB, 'x')})));
  const std::string refused = socket.read_answer();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 ")) << refused;
  EXPECT_NE(refused.find("x-ms-error-code: AuthenticationFailed\r\n"), std::string::npos);
  std::swap(keys, wrong);
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box/b"})));
  EXPECT_NE(socket.read_answer().find("x-ms-error-code: BlobNotFound\r\n"), std::string::npos);
}

TEST_F(Wire, FramingIsRefusedInTheProtocolsWords) {
  auto socket = http::RawSocket::connect(server.port());
  ASSERT_TRUE(socket.send("PUT /acc/box/b HTTP/1.1\r\nHost: h\r\n\r\n"));
  const std::string answer = socket.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 411 ")) << answer;
  EXPECT_NE(answer.find("x-ms-error-code: MissingContentLengthHeader\r\n"), std::string::npos);
  EXPECT_NE(answer.find("<Code>MissingContentLengthHeader</Code>"), std::string::npos);
}

TEST_F(Wire, ABodyCutShortStoresNothing) {
  {
    auto socket = http::RawSocket::connect(server.port());
    const std::string whole = wire({"PUT", "/acc/box/b", kBlock, std::string(100'000, 'x')});
    ASSERT_TRUE(socket.send(whole.substr(0, whole.size() - 1)));
    socket.end_sending();
    std::string answer;
    EXPECT_EQ(socket.read_to_end(answer), http::RawSocket::End::kOrderly);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_NE(answer.find("x-ms-error-code: InvalidInput\r\n"), std::string::npos);
  }
  auto socket = http::RawSocket::connect(server.port());
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box?restype=container&comp=list&include=uncommittedblobs"})));
  EXPECT_NE(socket.read_answer().find("<Blobs></Blobs>"), std::string::npos);
}

TEST_F(Wire, AFullDiskRefusesWritesAndHealsByItself) {
  auto socket = http::RawSocket::connect(server.port());
  const std::string bytes(1 * kMiB, 'x');
  ASSERT_TRUE(socket.send(wire({"PUT", "/acc/box/before", kBlock, bytes})));
  ASSERT_TRUE(socket.read_answer().starts_with("HTTP/1.1 201 "));
  rig.disk.set_limit(0);
  // The open segment has its space already: fill it.
  std::string refused;
  for (int n = 0; n < 100 && !refused.starts_with("HTTP/1.1 503 "); ++n) {
    const std::string filler = "/acc/box/full";
    ASSERT_TRUE(socket.send(wire({"DELETE", filler})));
    socket.read_answer();
    ASSERT_TRUE(socket.send(wire({"PUT", filler, kBlock, bytes})));
    refused = socket.read_answer();
  }
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("x-ms-error-code: ServerBusy\r\n"), std::string::npos);
  EXPECT_NE(refused.find("out of space"), std::string::npos);
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box/full"})));
  EXPECT_TRUE(socket.read_answer().starts_with("HTTP/1.1 404 "));
  ASSERT_TRUE(socket.send(wire({"GET", "/acc/box/before"})));
  EXPECT_TRUE(socket.read_answer().ends_with(bytes));
  ASSERT_TRUE(socket.send(wire({"DELETE", "/acc/box/before"})));
  EXPECT_TRUE(socket.read_answer().starts_with("HTTP/1.1 202 "));
  rig.disk.set_limit(std::nullopt);
  ASSERT_TRUE(socket.send(wire({"PUT", "/acc/box/full", kBlock, bytes})));
  EXPECT_TRUE(socket.read_answer().starts_with("HTTP/1.1 201 "));
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
