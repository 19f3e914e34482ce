// The sidecar of an object in a file remote: what a file cannot carry itself. Format: docs/formats/file-remote.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "remote/remote.h"

namespace tombolo::remote::file {

inline constexpr std::size_t kSidecarBytesMax = 256 * 1024;

/// False when there is nothing to write: such an object has no sidecar.
bool needs_sidecar(const RemoteHeaders& headers);
std::string encode_sidecar(std::string_view key, const RemoteHeaders& headers);
/// kCorrupt when it does not verify or is another key's.
Result<RemoteHeaders> decode_sidecar(std::string_view text, std::string_view key);

}  // namespace tombolo::remote::file
