#include "remote/file/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "remote/file/key_path.h"

namespace tombolo::remote::file {
namespace {

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool cut_suffix(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.resize(name.size() - suffix.size());
  return true;
}

}  // namespace

Result<void> walk_names(int directory, const std::function<void(const std::string&)>& visit) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return errno_error(errno, "cannot list", "a directory");
  DIR* const raw = ::fdopendir(copy);
  if (raw == nullptr) {
    ::close(copy);
    return errno_error(errno, "cannot list", "a directory");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(raw, ::closedir);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(raw);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") visit(name);
  }
  if (errno != 0) return errno_error(errno, "cannot list", "a directory");
  return {};
}

Result<ListPage> ListWalk::run(Describe describe) {
  describe_ = std::move(describe);
  TRY(visit({}, ""));
  return std::move(page_);
}

bool ListWalk::may_hold(const std::string& base) const {
  if (!base.starts_with(request_.prefix) && !request_.prefix.starts_with(base)) return false;
  return base >= request_.marker || request_.marker.starts_with(base);
}

Result<void> ListWalk::collect(const std::vector<std::string>& directory, const std::vector<std::string>& below,
                               const std::string& part, std::vector<Item>& out) {
  auto opened = open_(joined(directory, below));
  if (!opened.ok() && opened.error().code == Code::kNotFound) return {};  // pruned meanwhile
  if (!opened.ok()) return std::move(opened).error();
  std::vector<Item> continued;
  const bool at_root = directory.empty() && below.empty();
  const auto look = [&](const std::string& found) {
    if (at_root && found == kSystemDirectory) return;
    struct stat status;
    if (::fstatat(opened->get(), found.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    const bool is_directory = S_ISDIR(status.st_mode);
    if (!is_directory && !S_ISREG(status.st_mode)) return;
    std::string name = found;
    const bool continues = is_directory && cut_suffix(name, kContinues);
    if (!is_directory) cut_suffix(name, kBesideDirectory);
    auto decoded = decode_name(name);
    if (!decoded) return;
    Item item{part + *decoded, is_directory, joined(below, {found}), status};
    if (continues) {
      continued.push_back(std::move(item));
      return;
    }
    if (is_directory) item.part += '/';
    out.push_back(std::move(item));
  };
  TRY(walk_names(opened->get(), look));
  opened = Fd();
  for (const Item& item : continued) {
    TRY(collect(directory, item.names, item.part, out));
  }
  return {};
}

bool ListWalk::add(const std::string& key, const struct stat& status) {
  if (key < request_.marker || !key.starts_with(request_.prefix)) return true;
  if (page_.objects.size() == request_.limit) {
    page_.next_marker = key;
    return false;
  }
  page_.objects.push_back(describe_(key, status));
  return true;
}

Result<void> ListWalk::visit(const std::vector<std::string>& directory, const std::string& base) {
  if (base.size() > kKeyBytesMax) return {};
  std::vector<Item> items;
  TRY(collect(directory, {}, "", items));
  // Where a file stands beside itself (somebody copied into the tree), the plain name is the object.
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.part != b.part ? a.part < b.part : a.names < b.names; });
  const auto same = [](const Item& a, const Item& b) { return a.part == b.part; };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());

  for (const Item& item : items) {
    const std::string key = base + item.part;
    if (item.is_directory) {
      if (!may_hold(key)) continue;
      TRY(visit(joined(directory, item.names), key));
      if (done()) return {};
      continue;
    }
    if (!add(key, item.status)) return {};
  }
  return {};
}

}  // namespace tombolo::remote::file
