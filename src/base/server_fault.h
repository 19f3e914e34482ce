// What goes wrong below a service is never its client's fault.
#pragma once

#include "base/error.h"

namespace tombolo {

/// The error of a disk as it concerns a client. A code that says what the client can do, or that repair and shutdown
/// look for, stays: kBusy, kNoSpace, kUnavailable, kCorrupt, kCancelled. Any other is about our own request (a missing
/// name, a missing right, a file system that became read-only) and becomes kUnavailable.
Error server_fault(Error error);

}  // namespace tombolo
