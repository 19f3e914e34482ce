#include "base/planted_bugs.h"

#ifdef TOMBOLO_PLANTED_BUGS

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace tombolo {
namespace {

struct Entry {
  PlantedBug bug;
  std::string_view name;
};

constexpr Entry kBugs[] = {
#define TOMBOLO_BUG_ENTRY(name, what) {PlantedBug::name, #name},
    TOMBOLO_PLANTED_BUGS_TABLE(TOMBOLO_BUG_ENTRY)
#undef TOMBOLO_BUG_ENTRY
};

std::optional<PlantedBug> choose() {
  const char* wanted = std::getenv("TOMBOLO_PLANTED_BUG");
  if (wanted == nullptr || *wanted == '\0') return std::nullopt;
  for (const Entry& entry : kBugs) {
    if (entry.name == wanted) return entry.bug;
  }
  std::fprintf(stderr, "TOMBOLO_PLANTED_BUG=%s names no bug of base/planted_bugs.h\n", wanted);
  std::abort();
}

}  // namespace

bool planted(PlantedBug bug) {
  static const std::optional<PlantedBug> chosen = choose();
  return chosen == bug;
}

}  // namespace tombolo

#endif
