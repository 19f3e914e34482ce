#include "auth/header_order.h"

#include <array>
#include <compare>

namespace tombolo::auth {
namespace {

// en-US collation of the characters of a header name, checked against the behaviour of azure-storage-blob 12.31.1
// (Python, 2026-11): punctuation, then digits, then letters. "-" and "'" weigh nothing and only break ties.
constexpr std::string_view kCollation = "!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kWeightless = "'-";  // in tie-breaking order

constexpr auto kRanks = [] {
  std::array<std::uint8_t, 256> ranks{};
  ranks.fill(255);  // not a token character: after all others
  for (std::size_t i = 0; i < kCollation.size(); ++i) {
    ranks[static_cast<unsigned char>(kCollation[i])] = static_cast<std::uint8_t>(i + 1);
  }
  for (const char c : kWeightless) ranks[static_cast<unsigned char>(c)] = 0;
  return ranks;
}();

unsigned rank(char c) {
  return kRanks[static_cast<unsigned char>(c)];
}

std::string_view skip_weightless(std::string_view text) {
  while (!text.empty() && rank(text.front()) == 0) text.remove_prefix(1);
  return text;
}

std::strong_ordering compare_weights(std::string_view a, std::string_view b) {
  while (true) {
    a = skip_weightless(a);
    b = skip_weightless(b);
    if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
    if (const auto order = rank(a.front()) <=> rank(b.front()); order != 0) return order;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

// Names of equal weight: at the first difference the one without a weightless character goes first.
bool tie_before(std::string_view a, std::string_view b) {
  const auto tie_rank = [](std::string_view text, std::size_t at) -> std::size_t {
    return at < text.size() ? kWeightless.find(text[at]) + 1 : 0;  // npos + 1 == 0: has weight
  };
  for (std::size_t i = 0; i < a.size() || i < b.size(); ++i) {
    if (tie_rank(a, i) != tie_rank(b, i)) return tie_rank(a, i) < tie_rank(b, i);
  }
  return false;
}

}  // namespace

bool header_before(HeaderOrder order, std::string_view a, std::string_view b) {
  if (order == HeaderOrder::kOrdinal) return a < b;
  const auto weights = compare_weights(a, b);
  return weights == 0 ? tie_before(a, b) : weights < 0;
}

}  // namespace tombolo::auth
