// CallSite: the place in the code of one call, and the list of all such places that were compiled in.
#pragma once

#include <bit>
#include <compare>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

// GCC writes down each place where a CallSite is made, also of calls that are never executed: their addresses lie side
// by side in a section of the program. It needs the optimizer (an address must be a constant where it is written down)
// and costs eight bytes a call.
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && defined(__x86_64__)
#define TOMBOLO_LISTS_CALL_SITES 1
#endif

namespace tombolo {

/// Where a call of an interface stands that tests make fail (Disk, File, Remote): its last parameter, by default
/// CallSite::here(), which nobody gives but who forwards the call of another. A pointer to a constant.
class CallSite {
 public:
  /// Nowhere: of calls that nobody counts.
  CallSite() = default;
  /// As the default of a parameter: the place of the call. Its own parameter is that of
  /// std::source_location::current(), which in a coroutine would come here by way of the frame, and not as a constant.
  [[gnu::always_inline]] static CallSite here(const void* place = __builtin_source_location()) {
#ifdef TOMBOLO_LISTS_CALL_SITES
    asm(".pushsection tombolo_call_sites,\"aw\"\n\t.quad %c0\n\t.popsection" : : "i"(place));
#endif
    CallSite site;
    site.place_ = std::bit_cast<std::source_location>(place);
    return site;
  }

  /// Every place in this program, in order, each once. Empty where the compiler cannot list them.
  static std::vector<CallSite> all();

  bool nowhere() const { return place_.line() == 0; }
  /// The file, from src/ on.
  std::string_view file() const;
  /// "CommitLog::seal"
  std::string function() const;
  /// "kv/log/commit_log.cc:174:37", line and column: one for each place.
  std::string name() const;

  friend bool operator==(const CallSite& a, const CallSite& b) { return a <=> b == 0; }
  friend std::strong_ordering operator<=>(const CallSite& a, const CallSite& b);

 private:
  std::source_location place_;
};

}  // namespace tombolo
