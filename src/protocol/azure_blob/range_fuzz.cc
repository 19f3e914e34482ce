// Range and x-ms-range.
#include "protocol/azure_blob/range.h"

#include <fmt/format.h>

#include "testing/fuzz.h"

namespace tombolo::azure_blob {
namespace {

Result<std::optional<store::ByteRange>> parse(std::string_view name, std::string_view value) {
  http::Headers headers;
  headers.add(name, value);
  return parse_range(headers);
}

bool same(const store::ByteRange& a, const store::ByteRange& b) {
  return a.offset == b.offset && a.length == b.length;
}

std::string text_of(const store::ByteRange& range) {
  if (!range.length) return fmt::format("bytes={}-", range.offset);
  return fmt::format("bytes={}-{}", range.offset, range.offset + (*range.length - 1));
}

}  // namespace

FUZZ(azure_range) {
  const fuzz::Exact copy(as_text(input));
  const auto plain = parse("Range", copy.text());
  const auto azure = parse("x-ms-range", copy.text());
  ASSERT(plain.ok() && azure.ok());  // nonsense is ignored
  ASSERT(plain->has_value() == azure->has_value());
  if (!*plain) return;
  const store::ByteRange range = **plain;
  ASSERT(!range.length || (*range.length > 0 && range.offset <= UINT64_MAX - (*range.length - 1)));
  ASSERT(same(**azure, range));
  const auto again = parse("x-ms-range", text_of(range));
  ASSERT(again.ok() && *again && same(**again, range));
  // Two headers of one name are no range; x-ms-range beats Range.
  http::Headers twice;
  twice.add("range", copy.text());
  twice.add("Range", copy.text());
  const auto none = parse_range(twice);
  ASSERT(none.ok() && !*none);
  twice.add("x-ms-range", text_of(range));
  const auto beaten = parse_range(twice);
  ASSERT(beaten.ok() && *beaten && same(**beaten, range));
  twice.add("X-Ms-Range", text_of(range));
  ASSERT(!parse_range(twice).ok());
}

}  // namespace tombolo::azure_blob
