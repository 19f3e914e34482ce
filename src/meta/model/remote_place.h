// Where a remote's objects lie: two remotes may lead to one place under names that are spelled in different ways.
#pragma once

#include <string>
#include <string_view>

#include "meta/model/account.h"

namespace tombolo::meta {

/// Endpoints of one kind. Directories: as the path is written, links are not followed. URLs: whatever the case of
/// scheme and host, with or without the scheme's own port and a slash at the end.
bool same_endpoint(std::string_view kind, std::string_view a, std::string_view b);
/// Kind, endpoint and bucket; prefixes are within a place.
bool same_place(const RemoteConfig& a, const RemoteConfig& b);

/// The name under which Azure keeps a blob that is put under `key`: without the dots at the end of each segment. Empty
/// where that is `key` itself. Nothing is put under such a key any more (remote/azure/endpoint.h); older builds did.
std::string without_end_dots(std::string_view key);

}  // namespace tombolo::meta
