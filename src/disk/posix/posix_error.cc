#include "disk/posix/posix_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace tombolo::disk {

namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case ENOTEMPTY:
      return Code::kConditionFailed;
    case ENOSPC:
    case EDQUOT:
      return Code::kNoSpace;
    case EFBIG:
      return Code::kTooLarge;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case EISDIR:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
      return Code::kInvalid;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Code::kBusy;
    default:
      return Code::kUnavailable;
  }
}

}  // namespace

Error posix_error(int error_number, std::string_view what, const std::string& path) {
  return Error{code_of(error_number),
               fmt::format("cannot {} '{}': {}", what, path, std::generic_category().message(error_number))};
}

}  // namespace tombolo::disk
