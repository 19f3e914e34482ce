// Error: what went wrong, named for what the caller can do about it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tombolo {

/// One code per reaction. Wire codes (HTTP status, Azure error code) exist only in protocol/*/errors.cc.
enum class Code {
  kInvalid,           // the request is wrong: fix it, a retry will not help
  kNotFound,          // the thing named does not exist
  kAlreadyExists,     // the thing to create exists
  kConditionFailed,   // a condition of the caller (ETag, lease, position) does not hold
  kConflict,          // lost a race with another transaction: run it again
  kUnauthenticated,   // who is asking could not be established
  kPermissionDenied,  // who is asking may not do this
  kOutOfRange,        // a range or position past the end
  kTooLarge,          // over a named limit
  kUnsupported,       // well formed, meaningful, and not built
  kBusy,              // a bound was reached: try again later
  kNoSpace,           // the medium is full: free space, then try again
  kUnavailable,       // a remote or device cannot be reached or fails: try again later
  kDeadline,          // took longer than allowed
  kUnknownOutcome,    // it may or may not have happened: look before doing it again
  kChangedOutside,    // a remote object is no longer the one that was written
  kCorrupt,           // bytes do not verify
  kCancelled,         // the scope that owned the work is closing
  kInternal,          // a bug
};

/// The code's name without the k, in snake_case, for logs and JSON.
std::string_view code_name(Code code);

/// A failure. `message` is a sentence for a person: what, which, and what to do next; never a secret.
/// `detail` is an optional machine-readable refinement agreed between two floors (for example an Azure sub-code such
/// as "InvalidBlockList"); it is a string literal.
struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::string_view detail = {};
};

/// "code: message", for logs.
std::string to_string(const Error& error);

}  // namespace tombolo
