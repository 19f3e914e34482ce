#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "async/deadline.h"
#include "http/server_test_support.h"

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;

// Echoes what it gets and says on which connection.
class Echo final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    CO_TRY_ASSIGN(Bytes body, read_all(exchange.body(), 64 * kMiB));
    ResponseHead head;
    head.headers.add("x-peer-port", std::to_string(exchange.connection().peer_port));
    head.headers.add("x-method", exchange.head().method);
    head.headers.add("x-host", exchange.head().host);
    for (const auto field : exchange.head().headers) {
      if (field.name.starts_with("x-ms-meta-")) head.headers.add(field.name, field.value);
    }
    co_return co_await exchange.respond(std::move(head), Block(std::move(body)));
  }
};

// A peer that accepts one connection after the other and does with it what it is told.
class Liar {
 public:
  using Script = std::function<void(RawSocket&, int connection)>;
  explicit Liar(int connections, Script script) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this, connections, script] {
      for (int i = 0; i < connections; ++i) {
        RawSocket peer(::accept(fd_, nullptr, nullptr));
        ++accepted;
        script(peer, i);
      }
    });
  }
  ~Liar() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  std::uint16_t port = 0;
  std::atomic<int> accepted{0};

 private:
  int fd_;
  std::thread thread_;
};

struct Answer {
  int status = 0;
  Headers headers;
  std::string body;
};

Task<Answer> ask(Client& client, Request request) {
  CO_TRY_ASSIGN(Response response, client.send(std::move(request)));
  CO_TRY_ASSIGN(const Bytes body, read_all(*response.body, 64 * kMiB));
  Answer answer;
  answer.status = response.head.status;
  answer.headers = response.head.headers;
  answer.body = as_text(body);
  co_return answer;
}

Request to(std::uint16_t port, std::string method = "GET") {
  Request request;
  request.host = "127.0.0.1";
  request.port = port;
  request.method = std::move(method);
  return request;
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() { EXPECT_TRUE(server_.start().ok()); }
  ~ClientTest() override { EXPECT_TRUE(run_to_end(server_.stop()).ok()); }

  Result<Answer> ask_here(Client& client, Request request) {
    return run_to_end(loop_, ask(client, std::move(request)));
  }
  /// What becomes of an answer of these bytes, with the connection then closed or reset.
  Result<Answer> ask_liar(std::string bytes, bool reset = false) {
    Liar liar(1, [&](RawSocket& peer, int) {
      std::string request;
      peer.read_until(request, "\r\n\r\n");
      peer.send(bytes);
      if (reset) peer.reset_on_close();
    });
    Client client;
    return ask_here(client, to(liar.port));
  }

  SystemClock clock_;
  Echo echo_;
  Loops loops_{1};
  Server server_{{}, loops_.executors(), echo_, clock_};
  boost::asio::io_context loop_{1};  // outlives the clients of the tests
};

TEST_F(ClientTest, SendsBodiesAndHeadersAndKeepsTheConnection) {
  Client client;
  std::string peer;
  for (const std::size_t size : {0, 1, 300'000, 3'000'000}) {
    BlockSource body{Block(Bytes(size, std::byte{'b'}))};
    Request request = to(server_.port(), "PUT");
    request.headers.add("x-ms-meta-CamelCase", "v");
    request.body = &body;
    request.body_size = size;
    const auto answer = ask_here(client, std::move(request));
    ASSERT_TRUE(answer.ok()) << to_string(answer.error());
    EXPECT_EQ(answer->body, std::string(size, 'b'));
    EXPECT_EQ(answer->headers.get("x-host"), "127.0.0.1:" + std::to_string(server_.port()));
    EXPECT_EQ(answer->headers.get("x-ms-meta-camelcase"), "v");
    const std::string port(*answer->headers.get("x-peer-port"));
    EXPECT_TRUE(peer.empty() || peer == port);
    peer = port;
  }
  for (const std::string method : {"GET", "HEAD", "DELETE", "POST", "PUT"}) {
    const auto answer = ask_here(client, to(server_.port(), method));
    ASSERT_TRUE(answer.ok()) << to_string(answer.error());
    EXPECT_EQ(answer->headers.get("x-method"), method);
    EXPECT_EQ(answer->headers.get("x-peer-port"), peer);
  }
}

TEST_F(ClientTest, FindsNamesAndReadsChunkedAnswers) {
  Liar liar(1, [&](RawSocket& peer, int) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    EXPECT_THAT(request, testing::HasSubstr("\r\nHost: localhost:"));
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
    peer.send("HTTP/1.1 404 None\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlike\r\n5;x\r\n this\r\n0\r\n\r\n");
  });
  Client client;
  Request request = to(liar.port);
  request.host = "localhost";
  const auto answer = ask_here(client, std::move(request));
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "like this");
}

TEST_F(ClientTest, RefusesAnswersThatLie) {
  struct Case {
    std::string bytes;
    std::string_view detail;
  };
  const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "body_incomplete"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", "body_incomplete"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n12345\r\n", "bad_chunk"},
      {"HTTP/1.1 200 OK\r\n\r\n12345", "no_framing"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345", "bad_content_length"},
      {"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n12345", "bare_line_end"},
      {"HTTP/1.1 200 OK\r\nContent-Len", "connection_lost"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'a'), "head_too_large"},
      {"<html>", "connection_lost"},
  };
  for (const auto& [bytes, detail] : cases) {
    const auto answer = ask_liar(bytes);
    ASSERT_FALSE(answer.ok()) << bytes;
    EXPECT_EQ(answer.error().code, Code::kUnavailable) << bytes;
    EXPECT_EQ(answer.error().detail, detail) << bytes;
  }
  const auto reset = ask_liar("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", true);
  EXPECT_EQ(reset.error().code, Code::kUnavailable);
  EXPECT_FALSE(ask_liar("", true).ok());
}

TEST_F(ClientTest, NeverUsesAConnectionAgainThatHoldsMoreThanTheAnswer) {
  Liar liar(2, [&](RawSocket& peer, int connection) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    // The second answer was never asked for.
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection) +
              "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    peer.read_until(request, "never");
  });
  Client client;
  EXPECT_EQ(ask_here(client, to(liar.port))->body, "0");
  EXPECT_EQ(ask_here(client, to(liar.port))->body, "1");
}

TEST_F(ClientTest, GivesUpOnPeersThatStall) {
  Liar liar(2, [&](RawSocket& peer, int connection) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    if (connection == 1) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    peer.read_until(request, "never");
  });
  Client client({.first_byte_max = 50ms, .stall_max = 50ms});
  EXPECT_EQ(ask_here(client, to(liar.port)).error().code, Code::kDeadline);
  const auto body = ask_here(client, to(liar.port));
  EXPECT_EQ(body.error().code, Code::kDeadline);
  EXPECT_EQ(body.error().detail, "body_stalled");
}

TEST_F(ClientTest, GivesUpOnPeersThatDrip) {
  Liar liar(1, [&](RawSocket& peer, int) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int n = 0; n < 100; ++n) {
      peer.send("x");
      std::this_thread::sleep_for(20ms);
    }
  });
  Client client({.stall_max = 200ms, .rate_min = 4'096});
  const auto body = ask_here(client, to(liar.port));
  EXPECT_EQ(body.error().detail, "body_stalled");
}

TEST_F(ClientTest, CanBeCancelled) {
  Liar liar(1, [&](RawSocket& peer, int) {
    std::string request;
    peer.read_until(request, "never");
  });
  Client client;
  EXPECT_EQ(run_to_end(loop_, with_deadline(ask(client, to(liar.port)), 30ms)).error().code, Code::kDeadline);
}

TEST_F(ClientTest, SaysWhereItCannotConnect) {
  std::uint16_t port = 0;
  {
    const Liar gone(0, [](RawSocket&, int) {});
    port = gone.port;
  }
  Client client;
  const auto refused = ask_here(client, to(port));
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(refused.error().detail, kNotConnected);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("127.0.0.1:" + std::to_string(port)));
}

// Answers the first request of the first connection, then closes when the second has come.
void answer_once_then_close(RawSocket& peer, int connection) {
  std::string request;
  peer.read_until(request, "\r\n\r\n");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection));
  request.clear();
  if (connection == 0) peer.read_until(request, "\r\n\r\n");
}

TEST_F(ClientTest, TriesAgainWhenAPooledConnectionIsDead) {
  Liar liar(2, answer_once_then_close);
  Client client;
  EXPECT_EQ(ask_here(client, to(liar.port))->body, "0");
  EXPECT_EQ(ask_here(client, to(liar.port, "DELETE"))->body, "1");
}

TEST_F(ClientTest, DoesNotTryAgainWhatMayHaveHappened) {
  for (const bool with_body : {false, true}) {
    Liar liar(1, answer_once_then_close);
    Client client;
    EXPECT_EQ(ask_here(client, to(liar.port))->body, "0");
    BlockSource body{Block(to_bytes("b"))};
    Request request = to(liar.port, with_body ? "PUT" : "POST");
    request.body = with_body ? &body : nullptr;
    request.body_size = with_body ? 1 : 0;
    EXPECT_EQ(ask_here(client, std::move(request)).error().code, Code::kUnavailable);
    EXPECT_EQ(liar.accepted, 1);
  }
}

TEST_F(ClientTest, NoticesThatAnIdleConnectionWasClosed) {
  Liar liar(2, [&](RawSocket& peer, int connection) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection));
  });
  Client client;
  EXPECT_EQ(ask_here(client, to(liar.port))->body, "0");
  while (liar.accepted < 1) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);
  BlockSource body{Block(to_bytes("b"))};
  Request request = to(liar.port, "POST");  // could not be tried again
  request.body = &body;
  request.body_size = 1;
  EXPECT_EQ(ask_here(client, std::move(request))->body, "1");
}

TEST_F(ClientTest, FailsRequestsWhoseBodyHasAnotherLength) {
  for (const std::uint64_t size : {0, 2, 4}) {
    Client client;
    BlockSource body{Block(to_bytes("123"))};
    Request request = to(server_.port(), "PUT");
    request.body = &body;
    request.body_size = size;
    EXPECT_EQ(ask_here(client, std::move(request)).error().code, Code::kInternal) << size;
  }
}

TEST_F(ClientTest, ReturnsAnAnswerThatComesBeforeTheBodyWasTaken) {
  Liar liar(1, [&](RawSocket& peer, int) {
    std::string request;
    peer.read_until(request, "x");
    peer.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
    peer.end_sending();
    std::this_thread::sleep_for(300ms);
  });
  Client client({.stall_max = 100ms});
  BlockSource body{Block(Bytes(50'000'000, std::byte{'x'}))};
  Request request = to(liar.port, "PUT");
  request.body = &body;
  request.body_size = 50'000'000;
  const auto answer = ask_here(client, std::move(request));
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_EQ(answer->status, 403);
}

Task<void> hold_two(Client& client, std::uint16_t port) {
  CO_TRY_ASSIGN(Response first, client.send(to(port)));
  const auto second = co_await client.send(to(port));
  EXPECT_EQ(second.error().code, Code::kBusy);
  first.body.reset();
  const auto third = co_await client.send(to(port));
  EXPECT_TRUE(third.ok());
  co_return Result<void>{};
}

TEST_F(ClientTest, BoundsItsConnections) {
  Liar liar(2, [&](RawSocket& peer, int) {
    std::string request;
    peer.read_until(request, "\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1");
    peer.read_until(request, "never");
  });
  Client client({.connections_max = 1});
  EXPECT_TRUE(run_to_end(loop_, hold_two(client, liar.port)).ok());
}

TEST_F(ClientTest, ServesSeveralLoopsAtOnce) {
  std::list<boost::asio::io_context> loops;  // outlive the client
  Client client;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 3; ++t) {
    auto& loop = loops.emplace_back(1);
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        BlockSource body{Block(to_bytes("b"))};
        Request request = to(server_.port(), "PUT");
        request.body = &body;
        request.body_size = 1;
        const auto answer = run_to_end(loop, ask(client, std::move(request)));
        if (answer.ok() && answer->body == "b") ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 300);
  EXPECT_LE(server_.stats().connections, 3u);
}

}  // namespace
}  // namespace tombolo::http
