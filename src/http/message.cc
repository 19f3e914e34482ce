#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/encoding.h"

namespace tombolo::http {
namespace {

// Room for most heads.
constexpr std::size_t kFieldsUsual = 20;
constexpr std::size_t kTextUsual = 640;

char* put(char* to, std::string_view piece) {
  if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
  return to + piece.size();
}

std::optional<std::string> decode(std::string_view text, Plus plus) {
  if (plus == Plus::kLiteral || text.find('+') == std::string_view::npos) return percent_decode(text);
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  if (entries_.empty()) {
    entries_.reserve(kFieldsUsual);
    text_.reserve(kTextUsual);
  }
  entries_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
  const std::size_t old = text_.size();
  const std::size_t size = old + name.size() + kColon.size() + value.size() + kLineEnd.size();
  // Not the size that the callback is given: libstdc++ 12 gives the capacity there when the string grows.
  text_.resize_and_overwrite(size, [&](char* text, std::size_t) {
    put(put(put(put(text + old, name), kColon), value), kLineEnd);
    return size;
  });
}

void Headers::set(std::string_view name, std::string_view value) {
  // Copies: both may be views of this very object.
  const std::string name_copy(name), value_copy(value);
  remove(name_copy);
  add(name_copy, value_copy);
}

void Headers::remove(std::string_view name) {
  // The text stays behind unused: heads are short-lived.
  std::erase_if(entries_, [&](const Entry& entry) {
    return equal_ignoring_case(std::string_view(text_).substr(entry.offset, entry.name_size), name);
  });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Field field : *this) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (const Field field : *this) found += equal_ignoring_case(field.name, name) ? 1 : 0;
  return found;
}

std::string_view RequestHead::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view RequestHead::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

Result<std::vector<QueryParam>> parse_query(std::string_view raw, Plus plus) {
  std::vector<QueryParam> params;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view piece = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (piece.empty()) continue;
    if (params.size() == kQueryParamsMax) {
      return Error{Code::kTooLarge, fmt::format("the query has more than {} parameters", kQueryParamsMax)};
    }
    const std::size_t equals = std::min(piece.find('='), piece.size());
    auto name = decode(piece.substr(0, equals), plus);
    auto value = decode(piece.substr(std::min(equals + 1, piece.size())), plus);
    if (!name || !value) return Error{Code::kInvalid, "the query has a bad percent escape"};
    params.push_back({*std::move(name), *std::move(value)});
  }
  return params;
}

}  // namespace tombolo::http
