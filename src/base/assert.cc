#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tombolo {

void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tombolo: assertion failed: %s at %s:%d (this is a bug, please report it)\n", condition, file,
               line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace tombolo
