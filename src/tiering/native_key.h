// How a native object is named and marked in its remote (DESIGN decision 13): its key, the nonce that tells our PUTs
// from anybody's, and the headers that travel along.
#pragma once

#include <string>

#include "base/random.h"
#include "meta/model/container.h"
#include "meta/model/object.h"
#include "remote/remote.h"

namespace tombolo::tiering {

/// What stands before an object's name in its native key: `<remote prefix><container>/`, or the remote's prefix alone
/// where the container is bound to that remote.
std::string native_prefix(const std::string& remote_prefix, const meta::Container& container,
                          const std::string& remote_name);

/// The user metadata entry that holds the nonce.
inline constexpr std::string_view kNonceField = "tombolo_nonce";

/// `<origin>.<fresh>`, 16 hex digits each. The origin stays with a key for as long as a K row tells of it, so that
/// whatever an earlier attempt left there (also one that a crash cut off, or that arrives late) is known as ours; the
/// fresh half tells incarnations of the row apart. `before` is the nonce of the row that is taken over, or empty.
std::string next_nonce(Random& random, const std::string& before);
/// True when both were made for one K row's key, in whatever attempts.
bool same_origin(std::string_view a, std::string_view b);

/// The nonce that a remote object carries; empty where tombolo did not write it.
std::string nonce_of(const remote::RemoteHeaders& headers);
/// What travels along with the object's bytes.
remote::RemoteHeaders headers_of(const meta::Object& object, const std::string& nonce);

}  // namespace tombolo::tiering
