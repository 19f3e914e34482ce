// ASSERT: states what must be true of our own code. On in release. It never judges input.
#pragma once

namespace tombolo {

/// Prints the failed condition and its place, then aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);

}  // namespace tombolo

#define ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::tombolo::assert_failed(#condition, __FILE__, __LINE__))
