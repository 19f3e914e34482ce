// How a key becomes a path beneath the root of a file remote, and back. Format: docs/formats/file-remote.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::remote::file {

inline constexpr std::size_t kKeyBytesMax = 4'096;
inline constexpr std::size_t kPieceMax = 240;  // of an encoded name; leaves room for a suffix within NAME_MAX (255)
inline constexpr std::string_view kSystemDirectory = ".tombolo";  // at the root; no key maps there
inline constexpr std::string_view kContinues = "%+";  // ends a directory's name: the segment goes on in the next name
inline constexpr std::string_view kBesideDirectory = "%~";  // ends a file's name: its plain name is a directory's

struct KeyPath {
  std::vector<std::string> directories;  // from the root down
  std::string leaf;                      // the file's plain name
};

/// kInvalid for an empty key and one over kKeyBytesMax. Different keys give different paths, and none has "." or "..",
/// an empty name, or a name over NAME_MAX.
Result<KeyPath> path_of_key(std::string_view key);

/// The bytes of a key that a name found in the tree stands for, suffixes already cut; nullopt for a name that
/// path_of_key would not have made: it is somebody else's and no object.
std::optional<std::string> decode_name(std::string_view name);

}  // namespace tombolo::remote::file
