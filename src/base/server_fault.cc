#include "base/server_fault.h"

namespace tombolo {

Error server_fault(Error error) {
  switch (error.code) {
    case Code::kBusy:
    case Code::kNoSpace:
    case Code::kUnavailable:
    case Code::kCorrupt:
    case Code::kCancelled:
      return error;
    case Code::kInvalid:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kConditionFailed:
    case Code::kConflict:
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
    case Code::kOutOfRange:
    case Code::kTooLarge:
    case Code::kUnsupported:
    case Code::kDeadline:
    case Code::kUnknownOutcome:
    case Code::kChangedOutside:
    case Code::kInternal:
      return {Code::kUnavailable, std::move(error.message)};
  }
  return error;
}

}  // namespace tombolo
