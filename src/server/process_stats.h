// What the kernel says of this process.
#pragma once

#include <cstdint>

namespace tombolo::server {

struct ProcessStats {
  double start_seconds = 0;  // since 1970
  double cpu_seconds = 0;    // user and system, all threads
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_files = 0, files_max = 0;
};

/// Reads /proc; what cannot be read is 0.
ProcessStats read_process_stats();

}  // namespace tombolo::server
