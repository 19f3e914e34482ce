#include "http/failure.h"

#include <array>

namespace tombolo::http {
namespace {

struct Row {
  Failure failure;
  FailureInfo info;
};

// In the order of the enum.
constexpr std::array kRows = {
    Row{Failure::kBadStartLine, {400, Code::kInvalid, "bad_start_line", "the first line is not well formed"}},
    Row{Failure::kBadVersion, {505, Code::kInvalid, "bad_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"}},
    Row{Failure::kHttp2Preface, {400, Code::kInvalid, "http2_preface", "HTTP/2 is not spoken here"}},
    Row{Failure::kMethodRefused, {405, Code::kUnsupported, "method_refused", "this method is not allowed"}},
    Row{Failure::kBadTarget, {400, Code::kInvalid, "bad_target", "the request target is not well formed"}},
    Row{Failure::kTargetTooLong, {414, Code::kTooLarge, "target_too_long", "the request target is too long"}},
    Row{Failure::kBareLineEnd, {400, Code::kInvalid, "bare_line_end", "a CR or LF stands alone"}},
    Row{Failure::kControlByte, {400, Code::kInvalid, "control_byte", "the head contains a control byte"}},
    Row{Failure::kBadHeaderName, {400, Code::kInvalid, "bad_header_name", "a header name is not well formed"}},
    Row{Failure::kFoldedHeader, {400, Code::kInvalid, "folded_header", "folded headers are refused"}},
    Row{Failure::kHeadTooLarge, {431, Code::kTooLarge, "head_too_large", "the headers are too large or too many"}},
    Row{Failure::kBadHost, {400, Code::kInvalid, "bad_host", "exactly one well-formed Host header is required"}},
    Row{Failure::kHostMismatch, {400, Code::kInvalid, "host_mismatch", "the target names another host than Host"}},
    Row{Failure::kBadContentLength,
        {400, Code::kInvalid, "bad_content_length", "Content-Length is not one plain number"}},
    Row{Failure::kLengthAndChunked,
        {400, Code::kInvalid, "length_and_chunked", "Content-Length and Transfer-Encoding exclude each other"}},
    Row{Failure::kBadTransferEncoding,
        {400, Code::kInvalid, "bad_transfer_encoding", "Transfer-Encoding must be exactly one chunked"}},
    Row{Failure::kUnknownTransferCoding,
        {501, Code::kUnsupported, "unknown_transfer_coding", "no transfer coding but chunked is known here"}},
    Row{Failure::kTransferEncodingHttp10,
        {400, Code::kInvalid, "transfer_encoding_http10", "HTTP/1.0 has no Transfer-Encoding"}},
    Row{Failure::kLengthRequired, {411, Code::kInvalid, "length_required", "a Content-Length is required"}},
    Row{Failure::kNoFraming, {400, Code::kInvalid, "no_framing", "the message does not say where it ends"}},
    Row{Failure::kBadStatus, {400, Code::kInvalid, "bad_status", "the status is not one that a final answer may have"}},
    Row{Failure::kBadChunk, {400, Code::kInvalid, "bad_chunk", "the chunked body is not well formed"}},
    Row{Failure::kChunkExtension, {400, Code::kInvalid, "chunk_extension", "a chunk extension is too long"}},
    Row{Failure::kBadTrailer, {400, Code::kInvalid, "bad_trailer", "the trailer is not well formed or not allowed"}},
    Row{Failure::kBodyIncomplete,
        {400, Code::kInvalid, "body_incomplete", "the body ended before its announced length"}},
    Row{Failure::kBodyStalled, {408, Code::kDeadline, "body_stalled", "the body came too slowly"}},
    Row{Failure::kConnectionLost, {400, Code::kUnavailable, "connection_lost", "the connection was lost"}},
    Row{Failure::kHeadStalled, {408, Code::kDeadline, "head_stalled", "the head took too long"}},
    Row{Failure::kOverloaded, {503, Code::kUnavailable, "overloaded", "too many connections; try again later"}},
    Row{Failure::kHandlerFailed, {500, Code::kInternal, "handler_failed", "the request failed inside the server"}},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].failure != static_cast<Failure>(i)) return false;
  }
  return kRows.size() == static_cast<std::size_t>(Failure::kHandlerFailed) + 1;
}
static_assert(in_order());

}  // namespace

const FailureInfo& info(Failure failure) {
  return kRows[static_cast<std::size_t>(failure)].info;
}

Error to_error(Failure failure) {
  const FailureInfo& row = info(failure);
  return Error{row.code, std::string(row.text), row.name};
}

}  // namespace tombolo::http
