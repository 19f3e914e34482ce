// A gen's bytes as one object in a remote: written under a condition, read back, verified.
#pragma once

#include <memory>
#include <string>

#include "async/stop_asked.h"
#include "meta/model/gen.h"
#include "remote/remote.h"
#include "store/services.h"

namespace tombolo::tiering {

struct NativeCopy {
  std::shared_ptr<remote::Remote> remote;
  std::string key;
  TenantId tenant;
  meta::Gen gen;  // as its row says
  remote::RemoteHeaders headers;
  std::string nonce;         // the one in `headers`
  std::string replace_etag;  // not empty: what is there is ours, dead, and has this ETag
  bool look_first = false;   // an earlier attempt may have left the object there already
  StopAsked stop_asked;      // ends it between two blocks, with kCancelled; what has been done is found by the next try
};

/// The object is there under the key, tombolo wrote it for this gen, and every byte has been read back and verified.
/// Nothing that tombolo did not write is overwritten; whatever a PUT answers, what the remote holds decides.
/// kAlreadyExists "ForeignObject": something else is there. kCorrupt: the remote gives back other bytes than were sent.
/// kUnavailable, kDeadline, kPermissionDenied, kUnknownOutcome: the remote's own.
Task<remote::RemoteObject> ensure_copy(store::Services& services, NativeCopy copy);

/// Size, ETag and all bytes of what the remote holds against the gen. kCorrupt when they differ or nothing is there;
/// kChangedOutside when the ETag is another; kCancelled.
Task<remote::RemoteObject> verify_copy(std::shared_ptr<remote::Remote> remote, std::string key, std::string etag,
                                       meta::Gen gen, std::uint64_t step_bytes_max, StopAsked stop_asked = {});

/// Size and ETag alone: what was verified when it was named is still what is there. kChangedOutside when not.
Task<void> check_copy(std::shared_ptr<remote::Remote> remote, meta::NativePlace place, std::uint64_t length);

}  // namespace tombolo::tiering
