#include "server/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tombolo::server {

Result<std::uint64_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return Error{Code::kInternal, fmt::format("cannot read the limit of open files: {}", std::strerror(errno))};
  }
  const rlim_t had = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  // Where the hard limit is none, the kernel's own bound for a process may refuse it: what there was then stays.
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : had;
}

std::uint64_t connections_that_fit(std::uint64_t wanted, std::uint64_t limit) {
  const std::uint64_t fit = limit > 2 * kDescriptorsKept ? limit - kDescriptorsKept : limit / 2;
  return std::min(wanted, fit);
}

std::uint32_t idle_files_that_fit(std::uint64_t connections, std::uint64_t limit) {
  const std::uint64_t left = limit - connections_that_fit(connections, limit);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(kIdleFilesMax, left / 4));
}

}  // namespace tombolo::server
