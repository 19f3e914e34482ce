// HTTP messages as values: headers, request and response heads, query strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::http {

/// An ordered list of name/value pairs. Names keep the case they came with and are compared ignoring it. Views handed
/// out live until the next change. Values are not judged here: parsers and the serializer refuse control bytes.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  /// Appends, whether or not the name is there.
  void add(std::string_view name, std::string_view value);
  /// Replaces every field of that name by one at the end.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  /// The first field's value. Where duplicates matter, ask count().
  std::optional<std::string_view> get(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// Requires index < size().
  Field operator[](std::size_t index) const {
    const Entry& entry = entries_[index];
    const char* const name = text_.data() + entry.offset;
    return {{name, entry.name_size}, {name + entry.name_size + kColon.size(), entry.value_size}};
  }
  /// "name: value" and the line's end, as it goes on the wire. Requires index < size().
  std::string_view line(std::size_t index) const {
    const Entry& entry = entries_[index];
    const std::size_t size = entry.name_size + kColon.size() + entry.value_size + kLineEnd.size();
    return {text_.data() + entry.offset, size};
  }

  class Iterator {
   public:
    Iterator(const Headers* headers, std::size_t index) : headers_(headers), index_(index) {}
    Field operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Headers* headers_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, entries_.size()}; }

 private:
  static constexpr std::string_view kColon = ": ";
  static constexpr std::string_view kLineEnd = "\r\n";

  // One string for all text, in lines, keeps a head at two allocations and makes sending it a copy.
  struct Entry {
    std::uint32_t offset, name_size, value_size;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

enum class Version { kHttp10, kHttp11 };

/// A request line and its headers, as far as framing has been judged.
struct RequestHead {
  std::string method = {};  // as sent, case-sensitive
  std::string target = {};  // raw, undecoded, origin form ("/path?query") or "*"; an absolute form was reduced to it
  Version version = Version::kHttp11;
  Headers headers = {};
  std::string host = {};  // the one Host header, "name" or "name:port"; empty only in HTTP/1.0
  std::optional<std::uint64_t> content_length = {};
  bool chunked = false;
  bool keep_alive = true;
  bool expect_continue = false;

  /// Up to the first "?".
  std::string_view path() const;
  /// Behind the first "?"; empty when there is none.
  std::string_view query() const;
};

/// The server adds Date, Server, Connection and Content-Length itself and drops those names from `headers`.
struct ResponseHead {
  int status = 200;
  Headers headers = {};
  std::string reason = {};  // empty: the usual phrase
};

/// "OK", "Not Found"; "Unknown" for a status without a usual phrase.
std::string_view reason_phrase(int status);

/// One "name=value" of a query, decoded.
struct QueryParam {
  std::string name;
  std::string value;  // empty when there was no "="
  friend bool operator==(const QueryParam&, const QueryParam&) = default;
};

/// What "+" means in a query: forms say a space, RFC 3986 says itself.
enum class Plus { kLiteral, kSpace };

/// Splits at "&" and the first "="; empty pieces are skipped; order and duplicates are kept. kInvalid on an escape
/// that is not "%" and two hexadecimal digits, kTooLarge above kQueryParamsMax pieces.
Result<std::vector<QueryParam>> parse_query(std::string_view raw, Plus plus = Plus::kLiteral);
inline constexpr std::size_t kQueryParamsMax = 256;

}  // namespace tombolo::http
