#include "protocol/azure_blob/range.h"

#include "base/ascii.h"
#include "protocol/azure_blob/header_text.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::string_view kUnit = "bytes=";

std::optional<store::ByteRange> parse(std::string_view text) {
  if (!equal_ignoring_case(text.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> first = parse_number(trim(text.substr(0, dash)));
  if (!first) return std::nullopt;
  store::ByteRange range;
  range.offset = *first;
  const std::string_view behind = trim(text.substr(dash + 1));
  if (behind.empty()) return range;
  const std::optional<std::uint64_t> last = parse_number(behind);
  if (!last || *last < *first) return std::nullopt;
  // 0-18446744073709551615 has no length that fits: it means everything.
  if (*last - *first != UINT64_MAX) range.length = *last - *first + 1;
  return range;
}

}  // namespace

Result<std::optional<store::ByteRange>> parse_range(const http::Headers& headers) {
  TRY_ASSIGN(const std::optional<std::string_view> azure, only(headers, "x-ms-range"));
  if (azure) return parse(*azure);
  if (headers.count("Range") != 1) return std::optional<store::ByteRange>();
  return parse(trim(*headers.get("Range")));
}

bool names_range(const http::Headers& headers) {
  const auto names = [&headers](std::string_view name) { return !trim(headers.get(name).value_or("")).empty(); };
  return names("x-ms-range") || names("Range");
}

}  // namespace tombolo::azure_blob
