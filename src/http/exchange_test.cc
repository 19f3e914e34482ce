// The contract of Exchange, over the server's and its twin in memory.
#include "http/exchange.h"

#include <gtest/gtest.h>

#include <functional>

#include "http/client.h"
#include "http/memory_exchange.h"
#include "http/server_test_support.h"

namespace tombolo::http {
namespace {

using HandlerBody = std::function<Task<void>(Exchange&)>;

struct Seen {
  int status = 0;
  std::uint64_t content_length = 0;
  std::string body;
  bool aborted = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};
void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.status << " length " << seen.content_length << " body " << seen.body.size()
       << (seen.aborted ? " aborted" : "");
}

class Calls final : public Handler {
 public:
  HandlerBody body;
  Task<void> handle(Exchange& exchange) override { return body(exchange); }
};

Task<Seen> through_client(Client& client, std::uint16_t port, std::string method, std::string sent) {
  BlockSource body{Block(to_bytes(sent))};
  Request request;
  request.host = "127.0.0.1";
  request.port = port;
  request.method = std::move(method);
  request.body = &body;
  request.body_size = sent.size();
  Seen seen;
  CO_TRY_ASSIGN(Response response, client.send(std::move(request)));
  seen.status = response.head.status;
  seen.content_length = response.content_length.value_or(0);
  while (true) {
    const auto block = co_await response.body->next();
    seen.aborted = !block.ok();
    if (!block.ok() || block->empty()) co_return seen;
    seen.body += as_text(block->view());
  }
}

enum class Twin { kServer, kMemory };

class ExchangeContract : public testing::TestWithParam<Twin> {
 protected:
  Seen answer_to(const std::string& method, const HandlerBody& handler, const std::string& sent = "sent") {
    if (GetParam() == Twin::kMemory) {
      MemoryExchange exchange({.method = method, .target = "/"}, sent);
      (void)run_to_end(handler(exchange));
      if (!exchange.responded()) return {};
      const auto& answer = exchange.answer();
      // A client that sees a reset may have got less than was sent.
      return {answer.head.status, answer.content_length, answer.aborted ? "" : answer.body, answer.aborted};
    }
    Calls calls;
    calls.body = handler;
    SystemClock clock;
    Loops loops(1);
    Server server({}, loops.executors(), calls, clock);
    EXPECT_TRUE(server.start().ok());
    boost::asio::io_context loop(1);
    Seen seen;
    {
      Client client;
      auto result = run_to_end(loop, through_client(client, server.port(), method, sent));
      if (result.ok()) {
        seen = *std::move(result);
      } else {
        seen.aborted = true;  // the reset overtook the head
      }
      if (seen.aborted) seen.body.clear();
    }
    EXPECT_TRUE(run_to_end(server.stop()).ok());
    return seen;
  }
};

// `blocks`, one after the other, then the end or an error.
class ListSource final : public ByteSource {
 public:
  explicit ListSource(std::vector<std::string> blocks, bool fails = false)
      : blocks_(std::move(blocks)), fails_(fails) {}
  Task<Block> next() override {
    if (at_ < blocks_.size()) co_return Block(to_bytes(blocks_[at_++]));
    if (fails_) co_return Error{Code::kCorrupt, "torn"};
    co_return Block();
  }

 private:
  std::vector<std::string> blocks_;
  std::size_t at_ = 0;
  const bool fails_;
};

Task<void> say(Exchange& exchange, int status, std::string text) {
  ResponseHead head{.status = status};
  CO_TRY(exchange.respond(std::move(head), Block(to_bytes(text))));
  EXPECT_TRUE(exchange.responded());
  co_return Result<void>{};
}

Task<void> echo(Exchange& exchange) {
  CO_TRY_ASSIGN(const Bytes body, read_all(exchange.body(), 100));
  co_return co_await say(exchange, 201, std::string(as_text(body)));
}

Task<void> stream(Exchange& exchange, ListSource& source, std::uint64_t length) {
  ResponseHead head;
  const auto streamed = co_await exchange.respond(std::move(head), source, length);
  // Nothing was sent: another answer may be given.
  if (!streamed.ok() && !exchange.responded()) co_return co_await say(exchange, 503, "cold");
  co_return streamed;
}

TEST_P(ExchangeContract, AnswersWithABlock) {
  EXPECT_EQ(answer_to("PUT", echo), (Seen{201, 4, "sent"}));
  EXPECT_EQ(answer_to("PUT", [](Exchange& exchange) { return say(exchange, 403, "unread"); }),
            (Seen{403, 6, "unread"}));
  EXPECT_EQ(answer_to("HEAD", [](Exchange& exchange) { return say(exchange, 200, "unseen"); }), (Seen{200, 6, ""}));
}

TEST_P(ExchangeContract, StreamsExactlyWhatWasAnnounced) {
  const auto with = [&](std::string method, ListSource source, std::uint64_t length) {
    return answer_to(method, [&](Exchange& exchange) { return stream(exchange, source, length); });
  };
  EXPECT_EQ(with("GET", ListSource({"one", "two"}), 6), (Seen{200, 6, "onetwo"}));
  EXPECT_EQ(with("GET", ListSource({}), 0), (Seen{200, 0, ""}));
  EXPECT_EQ(with("HEAD", ListSource({}, true), 6), (Seen{200, 6, ""}));
  // Wrong before anything was sent: the handler answers otherwise.
  EXPECT_EQ(with("GET", ListSource({}, true), 6), (Seen{503, 4, "cold"}));
  EXPECT_EQ(with("GET", ListSource({}), 6), (Seen{503, 4, "cold"}));
  EXPECT_EQ(with("GET", ListSource({"sevenxx"}), 6), (Seen{503, 4, "cold"}));
  EXPECT_EQ(with("GET", ListSource({"x"}), 0), (Seen{503, 4, "cold"}));
  EXPECT_EQ(with("GET", ListSource({"sixsix", "x"}), 6), (Seen{503, 4, "cold"}));
  EXPECT_EQ(with("GET", ListSource({"sixsix"}, true), 6), (Seen{503, 4, "cold"}));
  // Wrong later: the connection is cut.
  EXPECT_TRUE(with("GET", ListSource({"one", "tw"}), 6).aborted);
  EXPECT_TRUE(with("GET", ListSource({"one", "two", "x"}), 6).aborted);
  EXPECT_TRUE(with("GET", ListSource({"one", "two"}, true), 6).aborted);
  EXPECT_TRUE(with("GET", ListSource({"one"}, true), 6).aborted);
}

Task<void> tell_size(Exchange& exchange) {
  ResponseHead head;
  co_return co_await exchange.respond_head_only(std::move(head), 1'000'000);
}

TEST_P(ExchangeContract, TellsTheSizeToHead) {
  EXPECT_EQ(answer_to("HEAD", tell_size), (Seen{200, 1'000'000, ""}));
}

INSTANTIATE_TEST_SUITE_P(All, ExchangeContract, testing::Values(Twin::kServer, Twin::kMemory),
                         [](const auto& one) { return one.param == Twin::kServer ? "Server" : "Memory"; });

}  // namespace
}  // namespace tombolo::http
