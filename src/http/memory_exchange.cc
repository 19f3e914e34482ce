#include "http/memory_exchange.h"

#include "base/assert.h"

namespace tombolo::http {
namespace {

Task<void> drop_rest(ByteSource& body) {
  while (true) {
    CO_TRY_ASSIGN(const Block block, body.next());
    if (block.empty()) co_return Result<void>{};
  }
}

}  // namespace

MemoryExchange::MemoryExchange(RequestHead head, std::string body, ConnectionInfo connection)
    : head_(std::move(head)), connection_(std::move(connection)), body_(Block(to_bytes(body))) {
  if (!head_.chunked) head_.content_length = body.size();
}

Task<void> MemoryExchange::respond(ResponseHead head, Block body) {
  ASSERT(!answer_);
  CO_TRY(drop_rest(body_));
  answer_.emplace(Answer{std::move(head), body.size(), is_head() ? std::string() : std::string(as_text(body.view()))});
  co_return Result<void>{};
}

Task<void> MemoryExchange::respond(ResponseHead head, ByteSource& body, std::uint64_t length) {
  ASSERT(!answer_);
  CO_TRY(drop_rest(body_));
  if (is_head()) {
    answer_.emplace(Answer{std::move(head), length});
    co_return Result<void>{};
  }
  // The same order of pulling and sending as the server's.
  CO_TRY_ASSIGN(Block block, body.next());
  if (length == 0 && block.empty()) {
    answer_.emplace(Answer{std::move(head), 0});
    co_return Result<void>{};
  }
  const auto fail = [this](Error error) {
    if (answer_) answer_->aborted = true;
    return error;
  };
  const Error wrong{Code::kInternal, "the body of an answer has another length than announced"};
  std::uint64_t left = length;
  while (left > 0) {
    if (block.empty() || block.size() > left) co_return fail(wrong);
    left -= block.size();
    auto behind = co_await body.next();
    if (left == 0 && !behind.ok()) co_return fail(std::move(behind).error());
    if (left == 0 && !behind->empty()) co_return fail(wrong);
    if (!answer_) answer_.emplace(Answer{std::move(head), length});
    answer_->body += as_text(block.view());
    if (!behind.ok()) co_return fail(std::move(behind).error());
    block = *std::move(behind);
  }
  if (length == 0) co_return fail(wrong);
  co_return Result<void>{};
}

Task<void> MemoryExchange::respond_head_only(ResponseHead head, std::uint64_t length) {
  ASSERT(!answer_ && is_head());
  CO_TRY(drop_rest(body_));
  answer_.emplace(Answer{std::move(head), length});
  co_return Result<void>{};
}

}  // namespace tombolo::http
