#include "protocol/azure_blob/errors.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "protocol/azure_blob/xml.h"

namespace tombolo::azure_blob {
namespace {

struct Row {
  std::string_view code;
  int status;
  std::string_view sentence;
};

constexpr Row kRows[] = {
#define X(code, status, sentence) {#code, status, sentence},
    TOMBOLO_AZURE_ERRORS(X)
#undef X
};

const Row* find(std::string_view code) {
  for (const Row& row : kRows) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

std::string_view not_found(Level level) {
  switch (level) {
    case Level::kService:
      return codes::kResourceNotFound;
    case Level::kContainer:
      return codes::kContainerNotFound;
    case Level::kBlob:
      return codes::kBlobNotFound;
  }
  return codes::kResourceNotFound;
}

std::string_view code_of(Code code, Level level) {
  switch (code) {
    case Code::kInvalid:
      return codes::kInvalidInput;
    case Code::kNotFound:
      return not_found(level);
    case Code::kAlreadyExists:
      return level == Level::kContainer ? codes::kContainerAlreadyExists : codes::kBlobAlreadyExists;
    case Code::kConditionFailed:
      return codes::kConditionNotMet;
    case Code::kUnauthenticated:
      return codes::kAuthenticationFailed;
    case Code::kPermissionDenied:
      return codes::kAuthorizationFailure;
    case Code::kOutOfRange:
      return codes::kInvalidRange;
    case Code::kTooLarge:
      return codes::kOutOfRangeInput;
    case Code::kUnsupported:
      return codes::kNotImplemented;
    // Every client retries 503 ServerBusy, with a growing delay: the cure for all of these.
    case Code::kConflict:
    case Code::kBusy:
    case Code::kNoSpace:
    case Code::kUnavailable:
    case Code::kCancelled:
      return codes::kServerBusy;
    // On Azure, too, this one means that nobody knows whether it happened.
    case Code::kDeadline:
    case Code::kUnknownOutcome:
      return codes::kOperationTimedOut;
    // A retry reads the same foreign bytes: 409 stops AzCopy and the SDKs.
    case Code::kChangedOutside:
      return codes::kBlobModifiedWhileReading;
    case Code::kCorrupt:
    case Code::kInternal:
      return codes::kInternalError;
  }
  return codes::kInternalError;
}

// What a 503 may say beyond its sentence.
std::string_view hint(Code code) {
  if (code == Code::kNoSpace) return "The server is out of space: writes are refused until space is freed.";
  if (code == Code::kUnavailable) return "Storage behind the server cannot be reached at the moment.";
  if (code == Code::kCancelled) return "The server is stopping.";
  return {};
}

}  // namespace

Error refuse(std::string_view code, std::string why) {
  const Row* row = find(code);
  ASSERT(row != nullptr);
  Code reaction = Code::kInvalid;
  if (row->status == 412) reaction = Code::kConditionFailed;
  if (row->status == 403) reaction = Code::kPermissionDenied;
  if (row->status == 404) reaction = Code::kNotFound;
  return Error{reaction, std::move(why), row->code};
}

WireError to_wire(const Error& error, Level level, Access access) {
  WireError out;
  const bool not_modified = error.detail == "NotModified";
  const Row* row = find(not_modified ? codes::kConditionNotMet : error.detail);
  if (row == nullptr) row = find(code_of(error.code, level));
  ASSERT(row != nullptr);
  out.status = row->status;
  out.code = row->code;
  if (not_modified && access == Access::kRead) out.status = 304;
  // A malformed Authorization header is 400, one that does not convince 401 (Microsoft Learn lists both).
  if (row->code == codes::kInvalidAuthenticationInfo && error.code == Code::kInvalid) out.status = 400;
  out.is_ours = out.status >= 500;
  const std::string_view more = out.is_ours ? hint(error.code) : std::string_view(error.message);
  // A message may quote what the client sent, and that may not fit into XML.
  const bool tell = !more.empty() && fits_xml(more);
  out.message = !tell ? std::string(row->sentence) : fmt::format("{} {}", row->sentence, more);
  return out;
}

std::string error_xml(const ErrorBody& body) {
  XmlWriter xml;
  xml.open("Error");
  xml.element("Code", body.code);
  xml.element("Message", fmt::format("{}\nRequestId:{}\nTime:{}", body.message, body.request_id, body.time));
  xml.close("Error");
  return std::move(xml).finish();
}

}  // namespace tombolo::azure_blob
