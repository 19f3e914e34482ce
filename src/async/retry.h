// retry: runs a task again after a failure that a later try may cure.
#pragma once

#include <utility>

#include "async/sleep.h"
#include "base/random.h"

namespace tombolo {

struct RetryOptions {
  int tries_max = 5;                                     // first try included
  Duration delay_first = std::chrono::milliseconds(50);  // doubled after each try, full jitter
  Duration delay_max = std::chrono::seconds(5);
};

/// How long to wait before try number `next_try` (1 is the first retry): uniform in [0, min(max, first * 2^(n-1))].
Duration retry_delay(const RetryOptions& options, int next_try, Random& random);

/// `body` is called with the number of the try (0, 1, …) and gives a Task<T>; `again(error)` says whether an error is
/// worth another try. The last error is returned.
template <class Body, class Again>
auto retry(RetryOptions options, Random& random, Body body, Again again) -> std::invoke_result_t<Body, int> {
  for (int n = 0;; ++n) {
    auto result = co_await body(n);
    if (result.ok() || n + 1 >= options.tries_max || !again(result.error())) co_return result;
    CO_TRY(sleep_for(retry_delay(options, n + 1, random)));
  }
}

}  // namespace tombolo
