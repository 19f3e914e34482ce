// ASCII text as protocols and settings compare it: no locale, all other bytes as they are.
#pragma once

#include <string>
#include <string_view>

namespace tombolo {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text);

/// Without the spaces and tabs around it.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Of two texts of one length.
bool equal_letters_ignoring_case(std::string_view a, std::string_view b);

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && equal_letters_ignoring_case(a, b);
}

}  // namespace tombolo
