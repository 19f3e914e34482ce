// ASCII text as protocols and settings compare it: no locale, all other bytes as they are.
#pragma once

#include <string>
#include <string_view>

namespace tombolo {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text);

/// Of two texts of one length.
bool equal_letters_ignoring_case(std::string_view a, std::string_view b);

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && equal_letters_ignoring_case(a, b);
}

}  // namespace tombolo
