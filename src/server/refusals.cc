#include "server/refusals.h"

namespace tombolo::server {

bool Refusals::admit(const std::string& account, SteadyTime now) {
  Window& window = windows_.try_emplace(account, Window{.end = now + kWindow}).first->second;
  return ++window.seen <= kRecordedMax;
}

std::vector<std::pair<std::string, std::uint64_t>> Refusals::take_left_out(SteadyTime now) {
  std::vector<std::pair<std::string, std::uint64_t>> left_out;
  std::erase_if(windows_, [&](const auto& entry) {
    const auto& [account, window] = entry;
    if (now < window.end) return false;
    if (window.seen > kRecordedMax) left_out.emplace_back(account, window.seen - kRecordedMax);
    return true;
  });
  return left_out;
}

}  // namespace tombolo::server
