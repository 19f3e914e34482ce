// Who owns a native object in a remote (row K <remote>\0\0<key>, core.md §3).
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace tombolo::meta {

/// kIntent: a PUT may be under way or lost; kLive: the gen's row names this key as its native place; kCondemned: the
/// gen is dead, the remote object may go.
enum class NativeState : std::uint8_t { kIntent = 0, kLive = 1, kCondemned = 2 };

struct NativeKey {
  std::string remote, key;  // in the row's key
  NativeState state = NativeState::kIntent;
  GenId gen;
  std::string nonce;       // stored with the remote object, 1 … 64 bytes: tells our PUT from anybody's
  std::string etag;        // kLive, kCondemned
  std::string version_id;  // empty where the remote keeps none
  Stamp changed;
};

}  // namespace tombolo::meta
