#include "base/call_site.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

// What the linker calls the ends of the section; weak: there is none in a program without such calls.
extern "C" {
[[gnu::weak]] extern const std::source_location __start_tombolo_call_sites[];
[[gnu::weak]] extern const std::source_location __stop_tombolo_call_sites[];
}

namespace tombolo {

static_assert(sizeof(std::source_location) == sizeof(void*), "a place is the address of a constant");

std::vector<CallSite> CallSite::all() {
  std::vector<CallSite> out;
  for (const auto* place = __start_tombolo_call_sites; place != __stop_tombolo_call_sites; ++place) {
    out.emplace_back().place_ = *place;
  }
  // Inlined code, and a coroutine's several bodies, have their calls more than once.
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string_view CallSite::file() const {
  constexpr std::string_view kRoot = "src/";
  const std::string_view path = place_.file_name();
  const std::size_t root = path.rfind(kRoot);
  return root == std::string_view::npos ? path : path.substr(root + kRoot.size());
}

std::string CallSite::function() const {
  // "tombolo::Task<void> tombolo::kv::CommitLog::seal(const LogFile&, FileHeader)": up to the parameters, then the
  // last two words of the name.
  std::string_view text = place_.function_name();
  text = text.substr(0, text.find('('));
  text.remove_prefix(std::min(text.rfind(' ') + 1, text.size()));
  const std::size_t last = text.rfind("::");
  if (last == std::string_view::npos || last == 0) return std::string(text);
  const std::size_t before = text.rfind("::", last - 1);
  const std::string_view owner = before == std::string_view::npos ? text : text.substr(before + 2);
  return std::string(owner.starts_with('{') ? text.substr(last + 2) : owner);  // "{anonymous}" is nobody
}

std::string CallSite::name() const {
  return fmt::format("{}:{}:{}", file(), place_.line(), place_.column());
}

std::strong_ordering operator<=>(const CallSite& a, const CallSite& b) {
  const char* const file_a = a.place_.file_name();
  const char* const file_b = b.place_.file_name();
  const int files = file_a == file_b ? 0 : std::strcmp(file_a, file_b);  // often one literal
  if (files != 0) return files <=> 0;
  if (const auto order = a.place_.line() <=> b.place_.line(); order != 0) return order;
  return a.place_.column() <=> b.place_.column();
}

}  // namespace tombolo
