// MemoryExchange: an Exchange without a socket, for tests of handlers.
#pragma once

#include <optional>
#include <string>

#include "http/exchange.h"

namespace tombolo::http {

/// The same contract as the server's, draining and HEAD included. Not thread-safe.
class MemoryExchange final : public Exchange {
 public:
  /// `head.content_length` is set to the body's size unless the head is chunked.
  explicit MemoryExchange(RequestHead head, std::string body = {},
                          ConnectionInfo connection = {"127.0.0.1", 50'000, 80});

  const RequestHead& head() const override { return head_; }
  const ConnectionInfo& connection() const override { return connection_; }
  ByteSource& body() override { return body_; }
  void abandon_body() override { abandoned_ = true; }
  Task<void> respond(ResponseHead head, Block body) override;
  Task<void> respond(ResponseHead head, ByteSource& body, std::uint64_t length) override;
  Task<void> respond_head_only(ResponseHead head, std::uint64_t length) override;
  bool responded() const override { return answer_.has_value(); }

  struct Answer {
    ResponseHead head = {};
    std::uint64_t content_length = 0;
    std::string body = {};  // empty to HEAD
    bool aborted = false;   // a streamed body failed on the way: a client would see a reset connection
  };
  /// Requires responded().
  const Answer& answer() const { return *answer_; }
  bool abandoned() const { return abandoned_; }

 private:
  bool is_head() const { return head_.method == "HEAD"; }

  RequestHead head_;
  ConnectionInfo connection_;
  BlockSource body_;
  std::optional<Answer> answer_;
  bool abandoned_ = false;
};

}  // namespace tombolo::http
