// Structured bodies, XSM/1.0: content in segments, each with its CRC64, and a CRC64 of the whole. SDKs speak it when
// they are asked to check CRC64s, in both directions.
//
// Not in Microsoft Learn. Observed in azure-storage-blob 12.31.1 (Python) and @azure/storage-common 12.4 (JavaScript),
// 2026-11-21. All numbers little-endian:
//
//   message   version (1 byte: 1), length of the message (8), flags (2: 1 = CRC64), number of segments (2),
//             the segments, CRC64 of all content (8)
//   segment   number, from 1 (2), length of its content (8), content, CRC64 of its content (8)
//
// No content is one empty segment (Python), or no segment (JavaScript); we say the former.
#pragma once

#include <memory>

#include "async/byte_stream.h"
#include "http/message.h"

namespace tombolo::azure_blob {

/// The only kind: what x-ms-structured-body says, and what an answer repeats.
inline constexpr std::string_view kStructuredBody = "XSM/1.0; properties=crc64";

/// Whether the request has, or asks for, a structured body. InvalidHeaderValue: another kind.
Result<bool> is_structured(const http::Headers& headers);

/// What a write takes: the request's body as it is, or what a structured one contains.
struct Content {
  std::uint64_t length = 0;
  ByteSource* source = nullptr;
  std::unique_ptr<ByteSource> decoder = nullptr;  // owns `source` where the body is structured
};
/// Of at most `limit` bytes. `body` must outlive it. Errors: those of body_length and is_structured;
/// MissingRequiredHeader without x-ms-structured-content-length; InvalidHeaderValue when another checksum is promised
/// beside. The source then ends in InvalidInput where the body is no message, in Crc64Mismatch where it was damaged: in
/// both cases before the last block of the segment is given.
Result<Content> request_content(const http::RequestHead& head, ByteSource& body, std::uint64_t limit);

/// The message around `length` bytes of content.
std::uint64_t structured_length(std::uint64_t length);
/// Requires that `content` gives `length` bytes.
std::unique_ptr<ByteSource> make_structured(std::unique_ptr<ByteSource> content, std::uint64_t length);

}  // namespace tombolo::azure_blob
