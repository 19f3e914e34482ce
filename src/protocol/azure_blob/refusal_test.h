// How the tests of parsers tell what became of an input.
#pragma once

#include <string>

#include "base/result.h"

namespace tombolo::azure_blob {

/// "ok", or the code that a client is told.
template <class T>
std::string code(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(result.error().detail);
}

}  // namespace tombolo::azure_blob
