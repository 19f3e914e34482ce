// What a path of a Disk may look like.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::disk {

inline constexpr std::size_t kPathBytesMax = 1'024;

/// kInvalid unless `path` is one or more non-empty parts joined by '/', none of them "." or "..", no NUL, at most
/// kPathBytesMax bytes.
Result<void> check_path(std::string_view path);

/// The same, and "" (the root itself) is fine.
Result<void> check_directory_path(std::string_view path);

/// The parts of a checked path; none for "".
std::vector<std::string> path_parts(std::string_view path);

/// Everything before the last '/' of a checked path; "" when there is none.
std::string_view parent_of(std::string_view path);

}  // namespace tombolo::disk
