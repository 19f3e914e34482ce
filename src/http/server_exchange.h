// ServerExchange: the Exchange of a connection.
#pragma once

#include <string>
#include <vector>

#include "http/connection.h"

namespace tombolo::http {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(Connection& connection, RequestHead head);

  const RequestHead& head() const override { return head_; }
  const ConnectionInfo& connection() const override { return connection_.peer_; }
  ByteSource& body() override { return body_; }
  void abandon_body() override { drain_max_ = std::min(drain_max_, kAbandonedMax); }
  Task<void> respond(ResponseHead head, Block body) override;
  Task<void> respond(ResponseHead head, ByteSource& body, std::uint64_t length) override;
  Task<void> respond_head_only(ResponseHead head, std::uint64_t length) override;
  bool responded() const override { return responded_; }

  /// After the handler: the answer went out whole.
  bool complete() const { return complete_; }
  /// The connection may carry another request.
  bool reusable() const { return complete_ && !closing_ && body_.reader.finished(); }
  /// Makes this answer the connection's last.
  void close_after() { closing_ = true; }

 private:
  // Asks for the body where the client waits to be asked, then reads it.
  struct Body final : ByteSource {
    Body(ServerExchange& owner, BodyReader source) : exchange(owner), reader(std::move(source)) {}
    Task<Block> next() override;
    ServerExchange& exchange;
    BodyReader reader;
    bool awaited = false;  // "Expect: 100-continue" is not answered yet
  };

  // Before an answer: drops the rest of the request's body, or decides to close.
  Task<void> drain();
  Result<std::string> render_head(const ResponseHead& head, std::uint64_t length);
  Task<void> send(std::string head, Block body);
  Task<void> write_all(const std::string& head, const std::vector<Block>& blocks, Duration stall_max);
  Task<void> stream(std::string head, Block first, ByteSource& body, std::uint64_t length);
  bool is_head() const { return head_.method == "HEAD"; }

  Connection& connection_;
  const RequestHead head_;
  Body body_;
  std::uint64_t drain_max_;
  bool responded_ = false;
  bool complete_ = false;
  bool closing_;
};

}  // namespace tombolo::http
