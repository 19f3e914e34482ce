#include "http/server_exchange.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "http/serialize.h"

namespace tombolo::http {
namespace {

// What is at hand leaves in writes of this size: the kernel pushes at the end of each, so that many small ones cost.
constexpr std::size_t kWriteBytes = 2 * kStreamStep;

}  // namespace

ServerExchange::ServerExchange(Connection& connection, RequestHead head)
    : connection_(connection),
      head_(std::move(head)),
      body_(*this, BodyReader(*connection.stream_, connection.input_, connection.shared_.buffers,
                              {.chunked = head_.chunked,
                               .size = head_.content_length.value_or(0),
                               .pace = {.stall_max = connection.shared_.config.body_stall_max,
                                        .rate_min = connection.shared_.config.rate_min}})),
      drain_max_(connection.shared_.config.drain_bytes_max),
      // HTTP/1.0 has no keep-alive that is worth the trouble.
      closing_(!head_.keep_alive || head_.version == Version::kHttp10) {
  body_.awaited = head_.expect_continue && !body_.reader.finished() && connection.input_.empty();
}

Task<Block> ServerExchange::Body::next() {
  if (awaited) {
    awaited = false;
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto& connection = exchange.connection_;
    const BytesView pieces[] = {as_bytes(kContinue)};
    CO_TRY(connection.stream_->write(pieces, connection.shared_.config.write_stall_max));
  }
  co_return co_await reader.next();
}

Task<void> ServerExchange::drain() {
  BodyReader& reader = body_.reader;
  // A client that still waits to be asked may send or not: only closing settles it.
  bool whole = reader.finished();
  if (!whole && !reader.failed() && !body_.awaited && reader.size_left() <= drain_max_) {
    // The answer is decided, and strangers get one too: none of them may hold a place that somebody else needs.
    const WaitingList::Stay stay(connection_.loop_.waiting, connection_);
    std::optional<LargeHead> large;
    connection_.enter_if_large(large);
    BodyReader::Discard limits{.bytes_max = drain_max_,
                               .until = deadline_after(connection_.shared_.config.drain_time_max)};
    CO_TRY_ASSIGN(whole, reader.discard(std::move(limits)));
  }
  closing_ = closing_ || !whole;
  co_return Result<void>{};
}

Result<std::string> ServerExchange::render_head(const ResponseHead& head, std::uint64_t length) {
  const bool bodiless = head.status == 204 || head.status == 304;
  ASSERT(head.status >= 200 && (!bodiless || length == 0));
  closing_ = closing_ || connection_.shared_.stopping.load(std::memory_order_relaxed);
  ResponseExtras extras{.date = connection_.loop_.date.now(), .content_length = length, .close = closing_};
  if (bodiless) extras.content_length.reset();
  return render(head, extras);
}

Task<void> ServerExchange::send(std::string head, Block body) {
  responded_ = true;
  // Strangers get such answers too, and need not take them.
  std::optional<LargeHead> large;
  connection_.enter_if_large(large);
  const BytesView pieces[] = {as_bytes(head), body.view()};
  CO_TRY(connection_.stream_->write(pieces, connection_.shared_.config.write_stall_max));
  complete_ = true;
  co_return Result<void>{};
}

Task<void> ServerExchange::respond(ResponseHead head, Block body) {
  ASSERT(!responded_);
  if (!body_.reader.finished()) {
    CO_TRY(drain());
  }
  CO_CHECK_ASSIGN(std::string text, render_head(head, body.size()));
  if (is_head()) body = Block();
  co_return co_await send(std::move(text), std::move(body));
}

Task<void> ServerExchange::respond_head_only(ResponseHead head, std::uint64_t length) {
  ASSERT(!responded_ && is_head());
  if (!body_.reader.finished()) {
    CO_TRY(drain());
  }
  CO_CHECK_ASSIGN(std::string text, render_head(head, length));
  co_return co_await send(std::move(text), Block());
}

Task<void> ServerExchange::respond(ResponseHead head, ByteSource& body, std::uint64_t length) {
  ASSERT(!responded_);
  if (!body_.reader.finished()) {
    CO_TRY(drain());
  }
  CO_CHECK_ASSIGN(std::string text, render_head(head, length));
  if (is_head()) co_return co_await send(std::move(text), Block());
  std::optional<Block> first = body.next_at_hand();
  if (!first) {
    CO_TRY_ASSIGN(first, body.next());
  }
  const bool whole = length == 0 ? first->empty() : first->size() == length && body.ended();
  if (whole) co_return co_await send(std::move(text), *std::move(first));
  auto streamed = co_await stream(std::move(text), *std::move(first), body, length);
  if (!streamed.ok() && responded_) connection_.stream_->abort();
  co_return streamed;
}

Task<void> ServerExchange::write_all(const std::string& head, const std::vector<Block>& blocks, Duration stall_max) {
  std::array<BytesView, Stream::kPiecesMax> pieces;
  pieces[0] = as_bytes(head);
  std::transform(blocks.begin(), blocks.end(), pieces.begin() + 1, [](const Block& block) { return block.view(); });
  const std::span<const BytesView> all(pieces.data(), blocks.size() + 1);
  co_return co_await connection_.stream_->write(all, stall_max);
}

Task<void> ServerExchange::stream(std::string head, Block block, ByteSource& body, std::uint64_t length) {
  const Error wrong{Code::kInternal, "the body of an answer has another length than announced"};
  const ServerConfig& config = connection_.shared_.config;
  std::uint64_t left = length;
  std::vector<Block> blocks;  // of one write
  while (left > 0) {
    std::size_t bytes = 0;
    while (true) {
      if (block.empty() || block.size() > left) co_return wrong;
      left -= block.size();
      bytes += block.size();
      blocks.push_back(std::move(block));
      block = Block();
      if (left == 0 || bytes >= kWriteBytes || blocks.size() + 1 == Stream::kPiecesMax) break;
      std::optional<Block> more = body.next_at_hand();
      if (!more) break;
      block = *std::move(more);
    }
    if (left == 0 && !body.ended()) {
      // The last block leaves only when the source has ended in good order: it may verify at its end.
      CO_TRY_ASSIGN(const Block behind, body.next());
      if (!behind.empty()) co_return wrong;
    }
    responded_ = true;
    CO_TRY(write_all(head, blocks, config.write_stall_max));
    head.clear();
    // Not held while the next ones are made: that would double the memory of every download.
    blocks.clear();
    if (left > 0) {
      CO_TRY_ASSIGN(block, body.next());
    }
  }
  if (length == 0) co_return wrong;  // there was a block
  complete_ = true;
  co_return Result<void>{};
}

}  // namespace tombolo::http
