#include "protocol/azure_blob/marker.h"

#include "base/crc64.h"
#include "base/encoding.h"
#include "base/endian.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {
namespace {

// version (1 byte), checksum of the rest (8 bytes), the name; base64.
constexpr char kVersion = 1;
constexpr std::size_t kHeadBytes = 9;

// base64 in the alphabet that needs no escaping in a query: a marker is often pasted.
void swap_alphabet(std::string& text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    const std::size_t at = from.find(c);
    if (at != std::string_view::npos) c = to[at];
  }
}

}  // namespace

std::string make_marker(std::string_view start_after) {
  std::string raw(1, kVersion);
  append_be64(raw, crc64(as_bytes(start_after)));
  raw += start_after;
  std::string marker = base64_encode(as_bytes(raw));
  swap_alphabet(marker, "+/=", "-_.");
  return marker;
}

Result<std::string> parse_marker(std::string_view marker) {
  std::string text(marker);
  swap_alphabet(text, "-_.", "+/=");
  const std::optional<Bytes> raw = base64_decode(text);
  if (!raw || raw->size() < kHeadBytes || static_cast<char>(raw->front()) != kVersion) {
    return refuse(codes::kInvalidQueryParameterValue, "The marker is not one that a listing gave.");
  }
  const std::string_view name = as_text(*raw).substr(kHeadBytes);
  if (load_be64(raw->data() + 1) != crc64(as_bytes(name))) {
    return refuse(codes::kInvalidQueryParameterValue, "The marker is not one that a listing gave.");
  }
  return std::string(name);
}

}  // namespace tombolo::azure_blob
