// Offload of one object: its gen gains a verified native place, then, if asked, gives up its local ones.
#pragma once

#include <memory>
#include <string>

#include "async/stop_asked.h"
#include "meta/model/object.h"
#include "store/services.h"
#include "tiering/offload.h"

namespace tombolo::remote {
class Remote;
}

namespace tombolo::tiering {

struct OffloadTarget {
  meta::ContainerKey container;
  std::shared_ptr<remote::Remote> remote;
  std::string key_prefix;  // before the object's name
  Evict evict = Evict::kNo;
  Duration wait_for_gc;  // for a dead gen that still owns the key
  StopAsked stop_asked;
};

struct Offloaded {
  bool changed = false;     // false: there was nothing to do, or a client changed the object meanwhile
  std::uint64_t bytes = 0;  // of the object, when changed
};

/// The steps of core.md §3 (K intent, conditional PUT, read back, one change of row i); every one may be the last of a
/// process, and the next call goes on from what it finds. The gen stays pinned, so that garbage collection leaves the
/// remote object alone until this has ended. Where the native place is there already, nothing leaves flash unless the
/// remote still has what it names (kChangedOutside). Errors: those of ensure_copy; kInvalid when the bytes are in
/// another remote; kAlreadyExists "NativeKeyInUse" when another live object owns the key; kBusy while garbage
/// collection is at it, and "RemoteChanged" when the target is no longer the remote in use under its name: nothing is
/// named there or leaves flash then.
Task<Offloaded> offload_object(store::Services& services, OffloadTarget target, meta::Object object);

}  // namespace tombolo::tiering
