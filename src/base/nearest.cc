#include "base/nearest.h"

#include <algorithm>
#include <numeric>

#include "base/ascii.h"

namespace tombolo {
namespace {

constexpr std::size_t kWordBytesMax = 100;
constexpr std::size_t kLettersPerMistake = 3;

// Optimal string alignment: Levenshtein's distance, and a swap of neighbours counts once.
std::size_t mistakes(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / kLettersPerMistake) + 1;
  std::optional<std::string> found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kWordBytesMax) continue;
    const bool begins = word.size() >= kLettersPerMistake && candidate.starts_with(word);
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (!begins && longer - shorter >= fewest) continue;  // each letter too many is a mistake
    const std::size_t count = begins ? 1 : mistakes(word, candidate);
    if (count < fewest && count < std::max(word.size(), candidate.size())) {
      fewest = count;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto meant = nearest(word, candidates);
  return meant ? "; did you mean \"" + *meant + "\"?" : "";
}

}  // namespace tombolo
