// StopAsked: whether somebody wants a long work to end early. What works looks at it between its steps.
#pragma once

#include <functional>

#include "async/byte_stream.h"

namespace tombolo {

/// Thread-safe and quick. Empty: nobody ever asks.
using StopAsked = std::function<bool()>;

/// kCancelled when asked to stop.
inline Result<void> go_on(const StopAsked& asked) {
  if (asked && asked()) return Error{Code::kCancelled, "the work was asked to stop"};
  return {};
}

/// `inner`, until somebody asks to stop.
class StoppableSource final : public ByteSource {
 public:
  StoppableSource(std::unique_ptr<ByteSource> inner, StopAsked asked)
      : inner_(std::move(inner)), asked_(std::move(asked)) {}
  Task<Block> next() override {
    CO_CHECK(go_on(asked_));
    co_return co_await inner_->next();
  }

 private:
  const std::unique_ptr<ByteSource> inner_;
  const StopAsked asked_;
};

}  // namespace tombolo
