#include "testing/unsynced_disk.h"

#include <algorithm>
#include <atomic>

#include "disk/path.h"

namespace tombolo::testing {

namespace {

using disk::check_path;
using disk::parent_of;

/// Where a new file is written before it takes its name in the wrapped disk.
constexpr std::string_view kPartSuffix = ".unsynced";

Error not_found(const std::string& path) {
  return Error{Code::kNotFound, "there is no '" + path + "'"};
}

class UnsyncedFile final : public disk::File {
 public:
  static constexpr unsigned kAlwaysHonest = ~0u;
  UnsyncedFile(disk::Disk& disk, std::shared_ptr<UnsyncedNode> node, disk::Open mode, unsigned honest_syncs)
      : disk_(disk), node_(std::move(node)), mode_(mode), honest_syncs_(honest_syncs) {}
  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite) override { return node_->read(offset, out); }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite) override {
    CO_CHECK(writable());
    co_return co_await node_->write(offset, bytes);
  }
  Task<void> sync(CallSite) override {
    if (honest_syncs_ != kAlwaysHonest && syncs_++ >= honest_syncs_) co_return Result<void>{};
    co_return co_await node_->sync();
  }
  Task<std::uint64_t> size(CallSite) override { return node_->size(); }
  Task<void> truncate(std::uint64_t size, CallSite) override {
    CO_CHECK(writable());
    co_return co_await node_->truncate(size);
  }
  Task<void> reserve(std::uint64_t size, CallSite) override {
    CO_CHECK(writable());
    co_return co_await node_->reserve(disk_, size);
  }

 private:
  Result<void> writable() const {
    if (mode_ != disk::Open::kRead) return {};
    return Error{Code::kUnavailable, "the file is open for reading only"};
  }
  disk::Disk& disk_;
  const std::shared_ptr<UnsyncedNode> node_;
  const disk::Open mode_;
  const unsigned honest_syncs_;
  std::atomic<unsigned> syncs_{0};
};

}  // namespace

Task<UnsyncedDisk::NodePtr> UnsyncedDisk::find(std::string path) {
  CO_CHECK(check_path(path));
  if (const auto found = nodes_.find(path); found != nodes_.end()) co_return found->second;
  if (removed_.contains(path)) co_return NodePtr{};
  auto opened = co_await inner_.open(path, disk::Open::kReadWrite);
  if (!opened.ok() && opened.error().code == Code::kNotFound) co_return NodePtr{};
  if (!opened.ok()) co_return opened.error();
  CO_TRY_ASSIGN(const std::uint64_t size, (*opened)->size());
  auto node = std::make_shared<UnsyncedNode>(path, *std::move(opened), size);
  nodes_.emplace(std::move(path), node);
  co_return node;
}

Task<std::unique_ptr<disk::File>> UnsyncedDisk::open(std::string path, disk::Open mode, CallSite) {
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  CO_TRY_ASSIGN(NodePtr node, find(path));
  if (mode == disk::Open::kCreateNew) {
    if (node) co_return Error{Code::kAlreadyExists, "'" + path + "' exists"};
    CO_TRY(inner_.list(std::string(parent_of(path))));  // the directory must be there
    node = std::make_shared<UnsyncedNode>();
    nodes_.emplace(path, node);
  }
  if (!node) co_return not_found(path);
  const bool forgotten = !forgotten_.files_of.empty() && parent_of(path) == forgotten_.files_of;
  const unsigned honest = forgotten ? forgotten_.honest : UnsyncedFile::kAlwaysHonest;
  std::unique_ptr<disk::File> file = std::make_unique<UnsyncedFile>(inner_, std::move(node), mode, honest);
  co_return std::move(file);
}

Task<void> UnsyncedDisk::remove(std::string path, CallSite) {
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  CO_CHECK(check_path(path));
  const auto inside = co_await visible(path);
  if (inside.ok()) {
    if (!inside->empty()) co_return Error{Code::kConditionFailed, "the directory '" + path + "' is not empty"};
    co_return co_await inner_.remove(path);
  }
  CO_TRY_ASSIGN(const NodePtr node, find(path));
  if (!node) co_return not_found(path);
  nodes_.erase(path);
  removed_.insert(path);
  co_return Result<void>{};
}

Task<void> UnsyncedDisk::rename(std::string from, std::string to, CallSite) {
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  CO_CHECK(check_path(to));
  CO_TRY_ASSIGN(NodePtr node, find(from));
  if (!node) co_return not_found(from);
  if (from == to) co_return Result<void>{};
  CO_TRY(inner_.list(std::string(parent_of(to))));
  nodes_.erase(from);
  removed_.insert(from);
  nodes_.insert_or_assign(to, std::move(node));
  co_return Result<void>{};
}

Task<void> UnsyncedDisk::make_directory(std::string path, CallSite) {
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  for (std::string prefix = path; !prefix.empty(); prefix = std::string(parent_of(prefix))) {
    if (nodes_.contains(prefix)) co_return Error{Code::kAlreadyExists, "'" + prefix + "' is not a directory"};
  }
  co_return co_await inner_.make_directory(std::move(path));
}

Task<std::vector<disk::Entry>> UnsyncedDisk::list(std::string path, CallSite) {
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  co_return co_await visible(std::move(path));
}

Task<std::vector<disk::Entry>> UnsyncedDisk::visible(std::string path) {
  CO_TRY_ASSIGN(auto entries, inner_.list(path));
  const std::string prefix = path.empty() ? "" : path + "/";
  std::erase_if(entries, [&](const disk::Entry& entry) {
    const std::string full = prefix + entry.name;
    return nodes_.contains(full) || removed_.contains(full) || full.ends_with(kPartSuffix);
  });
  for (const auto& [full, node] : nodes_) {
    if (parent_of(full) == path) entries.push_back({full.substr(prefix.size()), false});
  }
  std::sort(entries.begin(), entries.end(), [](const disk::Entry& a, const disk::Entry& b) { return a.name < b.name; });
  co_return entries;
}

bool UnsyncedDisk::is_linked(const std::string& path) const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& item) { return item.second->linked_path() == path; });
}

Task<void> UnsyncedDisk::sync_directory(std::string path, CallSite) {
  if (forgotten_.directories) co_return Result<void>{};
  CO_TRY_ASSIGN(const auto turn, names_.lock());
  CO_CHECK(disk::check_directory_path(path));
  CO_TRY(apply_renames(path));
  CO_TRY(apply_removals(path));
  for (const auto& [full, node] : nodes_) {
    if (parent_of(full) != path || !node->linked_path().empty()) continue;
    const std::string part = full + std::string(kPartSuffix);
    const auto left_over = co_await inner_.remove(part);  // of a process that was killed right here
    if (!left_over.ok() && left_over.error().code != Code::kNotFound) co_return left_over;
    CO_TRY(node->link(inner_, part));
    CO_TRY(inner_.rename(part, full));  // atomic: a file of this name may be there and must not be missed meanwhile
    node->moved_to(full);
    removed_.erase(full);
  }
  co_return co_await inner_.sync_directory(std::move(path));
}

/// Both ends of a rename become durable with either directory: more than a disk promises, never less.
Task<void> UnsyncedDisk::apply_renames(std::string directory) {
  std::size_t waiting = 0;
  for (bool progress = true; progress;) {
    progress = false;
    waiting = 0;
    for (const auto& [full, node] : nodes_) {
      const std::string from = node->linked_path();
      if (from.empty() || from == full) continue;
      if (parent_of(from) != directory && parent_of(full) != directory) continue;
      if (is_linked(full)) {  // its place is not free yet: the file there has to move first
        ++waiting;
        continue;
      }
      CO_TRY(inner_.rename(from, full));
      node->moved_to(full);
      removed_.erase(full);
      progress = true;
    }
  }
  if (waiting > 0) co_return Error{Code::kInvalid, "files exchanged their names between two syncs"};
  co_return Result<void>{};
}

Task<void> UnsyncedDisk::apply_removals(std::string directory) {
  for (auto name = removed_.begin(); name != removed_.end();) {
    // Where a new file waits for the name, it replaces the old one below.
    if (parent_of(*name) != directory || is_linked(*name) || nodes_.contains(*name)) {
      ++name;
      continue;
    }
    const auto gone = co_await inner_.remove(*name);
    if (!gone.ok() && gone.error().code != Code::kNotFound) co_return gone;
    name = removed_.erase(name);
  }
  co_return Result<void>{};
}

Task<disk::Space> UnsyncedDisk::space(CallSite) {
  co_return co_await inner_.space();
}

}  // namespace tombolo::testing
