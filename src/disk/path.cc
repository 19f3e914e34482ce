#include "disk/path.h"

namespace tombolo::disk {

Result<void> check_path(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != std::string_view::npos) {
    return Error{Code::kInvalid, "a path on a disk is 1 to 1024 bytes without NUL"};
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") {
      return Error{Code::kInvalid, "a path on a disk is relative to its root, without '.', '..' and empty parts"};
    }
    begin = end + 1;
  }
  return {};
}

Result<void> check_directory_path(std::string_view path) {
  if (path.empty()) return {};
  return check_path(path);
}

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

}  // namespace tombolo::disk
