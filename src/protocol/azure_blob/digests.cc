#include "protocol/azure_blob/digests.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/endian.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"

namespace tombolo::azure_blob {

Result<std::optional<Md5Digest>> parse_md5(const http::Headers& headers, std::string_view name) {
  TRY_ASSIGN(const std::optional<std::string_view> text, only(headers, name));
  if (!text) return std::optional<Md5Digest>();
  const std::optional<Bytes> raw = base64_decode(*text);
  Md5Digest digest;
  if (!raw || raw->size() != digest.size()) return refuse(codes::kInvalidMd5, "");
  std::copy(raw->begin(), raw->end(), digest.begin());
  return std::optional(digest);
}

Result<std::optional<Md5Digest>> parse_content_md5(const http::Headers& headers) {
  TRY_ASSIGN(const std::optional<Md5Digest> md5, parse_md5(headers, "Content-MD5"));
  if (!md5 && headers.has("Content-MD5")) return refuse(codes::kInvalidMd5, "");
  return md5;
}

Result<store::ExpectedDigests> parse_expected_digests(const http::Headers& headers) {
  store::ExpectedDigests expected;
  TRY_ASSIGN(expected.md5, parse_content_md5(headers));
  TRY_ASSIGN(const std::optional<std::string_view> crc, only(headers, "x-ms-content-crc64"));
  if (!crc) return expected;
  if (expected.md5) return refuse(codes::kBothCrc64AndMd5HeaderPresent, "");
  const std::optional<Bytes> raw = base64_decode(*crc);
  if (!raw || raw->size() != 8) {
    return refuse(codes::kInvalidHeaderValue, "x-ms-content-crc64 is not the base64 of 8 bytes.");
  }
  expected.crc64 = load_le<std::uint64_t>(raw->data());
  return expected;
}

std::string md5_text(const Md5Digest& digest) {
  return base64_encode(digest);
}

std::string crc64_text(std::uint64_t crc) {
  std::array<std::byte, 8> raw;
  store_le(raw.data(), crc);
  return base64_encode(raw);
}

}  // namespace tombolo::azure_blob
