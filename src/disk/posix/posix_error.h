// errno as an Error.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tombolo::disk {

/// What the caller can do about `error_number`, met while doing `what` to `path`.
Error posix_error(int error_number, std::string_view what, const std::string& path);

}  // namespace tombolo::disk
