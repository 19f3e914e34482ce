// Why http refuses a message by itself, and with which status.
#pragma once

#include <string_view>

#include "base/error.h"

namespace tombolo::http {

/// Every refusal closes the connection: behind it nobody can say where the next message starts.
/// Numbers in brackets: the framing cases of the threat list.
enum class Failure {
  // Heads of requests and responses.
  kBadStartLine,            // not "method SP target SP version" or "version SP status SP reason"
  kBadVersion,              // neither HTTP/1.0 nor HTTP/1.1
  kHttp2Preface,            // [15]
  kMethodRefused,           // [19] TRACE, CONNECT
  kBadTarget,               // neither origin form, absolute form nor "*" for OPTIONS, or a byte outside printable ASCII
  kTargetTooLong,           // over kTargetMax
  kBareLineEnd,             // [7] CR or LF alone
  kControlByte,             // [12]
  kBadHeaderName,           // [9] empty, not a token, space before the colon
  kFoldedHeader,            // [9] a line that starts with white space
  kHeadTooLarge,            // [13] over kHeadMax or kHeadersMax
  kBadHost,                 // [10] missing, duplicate, malformed
  kHostMismatch,            // [11] absolute form names another host
  kBadContentLength,        // [2, 3] duplicate, list, sign, not decimal, over 64 bits
  kLengthAndChunked,        // [1]
  kBadTransferEncoding,     // [4] empty, `chunked` twice or not last
  kUnknownTransferCoding,   // [4]
  kTransferEncodingHttp10,  // [5]
  kLengthRequired,          // [18] PUT, POST or PATCH without a length
  kNoFraming,               // a response whose end nobody can tell
  kBadStatus,               // a response status outside 100..599, or 101
  // Bodies.
  kBadChunk,        // [6, 7] size, overflow, line ends
  kChunkExtension,  // [8] chunk line over kChunkLineMax
  kBadTrailer,      // [14] forbidden or malformed
  kBodyIncomplete,  // [17] the peer ended early
  kBodyStalled,     // [16] no byte for too long, or fewer than the least rate
  kConnectionLost,  // reset while the body moved
  // Conduct.
  kHeadStalled,    // [16]
  kOverloaded,     // too many connections
  kHandlerFailed,  // the handler threw, or ended without an answer
};

struct FailureInfo {
  int status;             // for a request; a response with this failure is an error of the client
  Code code;              // of the Error that tells of it
  std::string_view name;  // snake_case: Error::detail, logs
  std::string_view text;  // a sentence for a person
};

const FailureInfo& info(Failure failure);

/// As an Error whose `detail` is info(failure).name.
Error to_error(Failure failure);

}  // namespace tombolo::http
