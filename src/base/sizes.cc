#include "base/sizes.h"

#include <cctype>
#include <charconv>
#include <string>

#include "base/units.h"

namespace tombolo {
namespace {

// The unit that was meant by a decimal, short or misspelt one: "mb" is "MiB"; 0 when there is none.
char letter_of(std::string_view unit) {
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const char letter = unit.empty() ? '\0' : static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front())));
  return std::string_view("KMGT").find(letter) == std::string_view::npos ? '\0' : letter;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) {
    return Error{Code::kInvalid, "a whole number, with KiB, MiB, GiB or TiB behind it or nothing"};
  }
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::uint64_t factor = 1;
  if (unit == "KiB") {
    factor = kKiB;
  } else if (unit == "MiB") {
    factor = kMiB;
  } else if (unit == "GiB") {
    factor = kGiB;
  } else if (unit == "TiB") {
    factor = kTiB;
  } else if (!unit.empty()) {
    std::string wanted = "a whole number, with KiB, MiB, GiB or TiB behind it or nothing";
    if (const char letter = letter_of(unit); letter != '\0') {
      wanted += "; write " + std::to_string(value) + letter + "iB";
    }
    return Error{Code::kInvalid, std::move(wanted)};
  }
  if (value > UINT64_MAX / factor) return Error{Code::kInvalid, "a number that fits: write a smaller one"};
  return value * factor;
}

}  // namespace tombolo
