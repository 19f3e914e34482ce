#include "testing/model/operation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace tombolo::testing::model {

namespace {

constexpr std::string_view kWords[] = {
#define X(name, word, doc) word,
    TOMBOLO_MODEL_OPERATIONS(X)
#undef X
};
constexpr std::string_view kConditions[] = {"none", "absent", "present", "current", "stale"};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class T>
Result<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return Error{Code::kInvalid, fmt::format("'{}' is not a number", text)};
}

template <class T, std::size_t n>
Result<T> parse_word(const std::string_view (&words)[n], std::string_view text) {
  const auto* found = std::find(std::begin(words), std::end(words), text);
  if (found == std::end(words)) return Error{Code::kInvalid, fmt::format("'{}' is no word here", text)};
  return static_cast<T>(found - std::begin(words));
}

Result<void> parse_field(std::string_view name, std::string_view value, Operation& into) {
  if (name == "text") {
    into.text = value;
  } else if (name == "if") {
    TRY_ASSIGN(into.condition, parse_word<Precondition>(kConditions, value));
  } else if (name == "nested") {
    for (const auto part : split(value, ',')) {
      TRY_ASSIGN(const auto number, parse_number<std::uint32_t>(part));
      into.nested.push_back(number);
    }
  } else if (name == "key") {
    TRY_ASSIGN(into.key, parse_number<unsigned>(value));
    if (into.key >= kKeys) return Error{Code::kInvalid, "there is no such key"};
  } else if (name == "size" || name == "number" || name == "seed") {
    std::uint64_t& field = name == "size" ? into.size : name == "number" ? into.number : into.seed;
    TRY_ASSIGN(field, parse_number<std::uint64_t>(value));
  } else {
    return Error{Code::kInvalid, fmt::format("there is no field '{}'", name)};
  }
  return {};
}

}  // namespace

std::string name_of_key(unsigned key) {
  constexpr std::string_view names[kKeys] = {"a", "b/0", "b/1", "b/2", "c", "d"};
  return std::string(names[key]);
}

std::string to_text(const Operation& operation) {
  std::string out(kWords[static_cast<std::size_t>(operation.kind)]);
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    if (value != 0) out += fmt::format(" {}={}", name, value);
  };
  number("key", operation.key);
  number("size", operation.size);
  number("number", operation.number);
  number("seed", operation.seed);
  if (operation.condition != Precondition::kNone) {
    out += fmt::format(" if={}", kConditions[static_cast<std::size_t>(operation.condition)]);
  }
  if (!operation.text.empty()) out += " text=" + operation.text;
  if (!operation.nested.empty()) out += fmt::format(" nested={}", fmt::join(operation.nested, ","));
  return out;
}

Result<Operation> parse_operation(std::string_view line) {
  const auto parts = split(line, ' ');
  if (parts.empty()) return Error{Code::kInvalid, "an empty line is no operation"};
  Operation out;
  TRY_ASSIGN(out.kind, parse_word<Kind>(kWords, parts.front()));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string_view::npos) return Error{Code::kInvalid, fmt::format("'{}' has no '='", parts[i])};
    TRY(parse_field(parts[i].substr(0, equals), parts[i].substr(equals + 1), out));
  }
  return out;
}

Result<std::vector<Operation>> parse_trace(std::string_view text) {
  std::vector<Operation> out;
  for (const auto line : split(text, '\n')) {
    if (line.starts_with('#')) continue;
    TRY_ASSIGN(Operation operation, parse_operation(line));
    out.push_back(std::move(operation));
  }
  return out;
}

std::string to_text(const std::vector<Operation>& operations) {
  std::string out;
  for (const auto& operation : operations) out += to_text(operation) + "\n";
  return out;
}

}  // namespace tombolo::testing::model
