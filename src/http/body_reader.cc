#include "http/body_reader.h"

#include <algorithm>
#include <cstring>

namespace tombolo::http {

BodyReader::BodyReader(Stream& stream, InputBuffer& input, BufferPool& pool, BodyReaderOptions options)
    : stream_(stream),
      input_(input),
      pool_(pool),
      options_(options),
      left_(options.chunked ? 0 : options.size),
      pace_(options.pace) {}

Task<Block> BodyReader::next() {
  if (finished()) co_return Block();
  Result<Block> block;
  if (options_.chunked) {
    block = co_await next_chunked();
  } else {
    block = co_await next_sized();
  }
  failed_ = !block.ok();
  co_return block;
}

Task<Block> BodyReader::next_sized() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kStreamStep));
  const BufferPool::Buffer buffer = pool_.take(size);
  std::size_t have = std::min(size, input_.bytes().size());
  if (have > 0) std::memcpy(buffer.bytes.data(), input_.bytes().data(), have);
  input_.take(have);
  while (have < size) {
    CO_TRY_ASSIGN(const std::size_t n, read(buffer.bytes.subspan(have)));
    have += n;
  }
  left_ -= size;
  co_return Block(buffer.owner, buffer.bytes);
}

Task<Block> BodyReader::next_chunked() {
  const BufferPool::Buffer buffer = pool_.take(kStreamStep);
  std::size_t have = 0;
  while (have < kStreamStep && !decoder_.done()) {
    const std::size_t room = kStreamStep - have;
    if (input_.empty() && decoder_.data_ahead() > 0) {
      const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(room, decoder_.data_ahead()));
      CO_TRY_ASSIGN(const std::size_t n, read(buffer.bytes.subspan(have, most)));
      decoder_.took(n);
      have += n;
      continue;
    }
    if (input_.empty()) {
      CO_TRY_ASSIGN(const std::size_t n, read(input_.room()));
      input_.added(n);
    }
    // Not more than there is room for: then the data inside fits too.
    const auto step = decoder_.advance(input_.bytes().first(std::min(room, input_.bytes().size())));
    if (!step) co_return to_error(step.error());
    if (!step->data.empty()) std::memcpy(buffer.bytes.data() + have, step->data.data(), step->data.size());
    have += step->data.size();
    input_.take(step->consumed);
  }
  if (have == 0) co_return Block();
  co_return Block(buffer.owner, buffer.bytes.first(have));
}

Task<std::size_t> BodyReader::read(MutableBytes into) {
  const Deadline began = deadline_after({});
  auto n = co_await stream_.read_some(into, began + pace_.allowance());
  if (n.ok()) pace_.moved(*n, std::chrono::duration_cast<Duration>(deadline_after({}) - began));
  if (n.ok() && *n == 0) co_return to_error(Failure::kBodyIncomplete);
  if (n.ok() || n.error().code == Code::kCancelled) co_return n;
  co_return to_error(n.error().code == Code::kDeadline ? Failure::kBodyStalled : Failure::kConnectionLost);
}

Task<bool> BodyReader::discard(Discard limits) {
  std::uint64_t dropped = 0;
  while (true) {
    const auto step = drop_input();
    failed_ = !step.ok();
    if (failed_) co_return false;
    dropped += *step;
    if (dropped > limits.bytes_max || left_ > limits.bytes_max) co_return false;
    if (finished()) co_return true;
    const auto n = co_await stream_.read_some(input_.room(), limits.until);
    if (!n.ok() && n.error().code == Code::kCancelled) co_return n.error();
    failed_ = !n.ok() || *n == 0;
    if (failed_) co_return false;
    input_.added(*n);
  }
}

Result<std::uint64_t> BodyReader::drop_input() {
  if (!options_.chunked) {
    const std::uint64_t n = std::min<std::uint64_t>(left_, input_.bytes().size());
    input_.take(static_cast<std::size_t>(n));
    left_ -= n;
    return n;
  }
  std::uint64_t dropped = 0;
  while (!input_.empty() && !decoder_.done()) {
    const auto step = decoder_.advance(input_.bytes());
    if (!step) return to_error(step.error());
    input_.take(step->consumed);
    dropped += step->data.size();
  }
  return dropped;
}

}  // namespace tombolo::http
