// Task<T>: a lazily started coroutine that gives Result<T>.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"

namespace tombolo {

using Executor = boost::asio::any_io_executor;

/// co_await it exactly once, from another Task; it runs on the awaiting Task's executor. An exception out of it is a
/// bug or a cancellation (HOUSE 14), never an answer.
template <class T = void>
using Task = boost::asio::awaitable<Result<T>>;

}  // namespace tombolo
