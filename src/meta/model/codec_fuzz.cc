// Values of rows: what decodes encodes to the same bytes, and neither more nor fewer bytes decode.
#include "meta/model/codec.h"

#include <array>

#include "testing/fuzz.h"

namespace tombolo::meta {
namespace {

/// The value decoded and encoded again.
using Again = Result<std::string> (*)(std::string_view value);

template <class Record>
Result<std::string> encoded(const Result<Record>& record) {
  if (!record.ok()) return record.error();
  return encode(*record);
}

constexpr auto kRecords = std::to_array<Again>({
    [](std::string_view v) { return encoded(decode_tenant({1}, v)); },
    [](std::string_view v) { return encoded(decode_account("a", v)); },
    [](std::string_view v) { return encoded(decode_service_properties(v)); },
    [](std::string_view v) { return encoded(decode_remote("r", v)); },
    [](std::string_view v) { return encoded(decode_container_link(v)); },
    [](std::string_view v) { return encoded(decode_container({{1}, {2}}, v)); },
    [](std::string_view v) { return encoded(decode_object("o", v)); },
    [](std::string_view v) { return encoded(decode_upload_head(v)); },
    [](std::string_view v) { return encoded(decode_staged_block("b", v)); },
    [](std::string_view v) { return encoded(decode_gen({1}, v)); },
    [](std::string_view v) { return encoded(decode_run({1}, 0, v)); },
    [](std::string_view v) { return encoded(decode_slice(0, v)); },
    [](std::string_view v) { return encoded(decode_native_key("r", "k", v)); },
    [](std::string_view v) { return encoded(decode_feed_record(v)); },
    [](std::string_view v) { return encoded(decode_candidate({}, v)); },
    [](std::string_view v) { return encoded(decode_purge({1}, v)); },
});

}  // namespace

// The first byte says which record, in the order of kRecords.
FUZZ(meta_values) {
  if (input.empty()) return;
  const Again again = kRecords[std::to_integer<std::size_t>(input[0]) % kRecords.size()];
  const fuzz::Exact value(as_text(input.subspan(1)));
  const auto encoded = again(value.text());
  if (!encoded.ok()) {
    ASSERT(encoded.error().code == Code::kCorrupt || encoded.error().code == Code::kUnsupported);
    return;
  }
  ASSERT(*encoded == value.text());
  ASSERT(!again(*encoded + '\0').ok());
  const fuzz::Exact cut(value.text().substr(0, fuzz::hash_of(value.text()) % value.text().size()));
  ASSERT(!again(cut.text()).ok());
}

}  // namespace tombolo::meta
