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
  auto block = co_await body.next();
  if (!block.ok()) co_return std::move(block).error();
  answer_.emplace(Answer{std::move(head), length});
  while (block.ok() && !block->empty()) {
    answer_->body += as_text(block->view());
    block = co_await body.next();
  }
  answer_->aborted = !block.ok() || answer_->body.size() != length;
  if (!block.ok()) co_return std::move(block).error();
  if (answer_->aborted) co_return Error{Code::kInternal, "the body has another length than announced"};
  co_return Result<void>{};
}

Task<void> MemoryExchange::respond_head_only(ResponseHead head, std::uint64_t length) {
  ASSERT(!answer_ && is_head());
  CO_TRY(drop_rest(body_));
  answer_.emplace(Answer{std::move(head), length});
  co_return Result<void>{};
}

}  // namespace tombolo::http
