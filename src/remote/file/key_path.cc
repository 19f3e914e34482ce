#include "remote/file/key_path.h"

#include <fmt/format.h>

namespace tombolo::remote::file {
namespace {

constexpr std::string_view kEmptySegment = "%_";

bool plain(unsigned char c) {
  return c > 0x1f && c != 0x7f && c != '%' && c != '/';
}

bool leads_elsewhere(std::string_view name) {
  return name == "." || name == "..";
}

std::string escape(std::string_view segment, bool at_root) {
  if (segment.empty()) return std::string(kEmptySegment);
  const bool dots = leads_elsewhere(segment) || (at_root && segment == kSystemDirectory);
  std::string out;
  for (std::size_t n = 0; n < segment.size(); ++n) {
    const auto c = static_cast<unsigned char>(segment[n]);
    if (plain(c) && !(dots && n == 0)) {
      out += segment[n];
    } else {
      out += fmt::format("%{:02X}", c);
    }
  }
  return out;
}

// Where to cut an escaped segment: at most kPieceMax bytes, and not inside an escape.
std::size_t cut(std::string_view text) {
  if (text.size() <= kPieceMax) return text.size();
  for (std::size_t at = kPieceMax - 2; at < kPieceMax; ++at) {
    if (text[at] == '%') return at;
  }
  return kPieceMax;
}

}  // namespace

Result<KeyPath> path_of_key(std::string_view key) {
  if (key.empty()) return Error{Code::kInvalid, "a key may not be empty"};
  if (key.size() > kKeyBytesMax) {
    return Error{Code::kInvalid, fmt::format("a key may not be longer than {} bytes", kKeyBytesMax)};
  }
  KeyPath path;
  bool last = false;
  for (bool at_root = true; !last; at_root = false) {
    const std::size_t end = std::min(key.find('/'), key.size());
    last = end == key.size();
    const std::string escaped = escape(key.substr(0, end), at_root);
    key.remove_prefix(last ? end : end + 1);
    std::string_view rest = escaped;
    for (std::size_t at = cut(rest); at < rest.size(); at = cut(rest)) {
      path.directories.push_back(std::string(rest.substr(0, at)).append(kContinues));
      rest.remove_prefix(at);
    }
    // What a cut leaves may be dots that were no whole segment.
    std::string name = leads_elsewhere(rest) ? escape(rest, false) : std::string(rest);
    if (last) {
      path.leaf = std::move(name);
    } else {
      path.directories.push_back(std::move(name));
    }
  }
  return path;
}

std::optional<std::string> decode_name(std::string_view name) {
  if (name == kEmptySegment) return std::string();
  std::string out;
  for (std::size_t n = 0; n < name.size(); ++n) {
    if (name[n] != '%') {
      if (!plain(static_cast<unsigned char>(name[n]))) return std::nullopt;
      out += name[n];
      continue;
    }
    const auto digit = [&](std::size_t at) -> int {
      if (at >= name.size()) return -1;
      const char c = name[at];
      return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    const int high = digit(n + 1), low = digit(n + 2);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    n += 2;
  }
  return out;
}

}  // namespace tombolo::remote::file
