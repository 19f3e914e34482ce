#include "disk/memory/memory_disk.h"

#include "disk/memory/memory_file.h"
#include "disk/path.h"

namespace tombolo::disk {

namespace {

using InodePtr = std::shared_ptr<MemoryInode>;
using DirectoryPtr = std::shared_ptr<MemoryDirectory>;

Error not_found(std::string_view path) {
  return Error{Code::kNotFound, "there is no '" + std::string(path) + "'"};
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

MemoryFile::MemoryFile(std::shared_ptr<MemoryDisk::State> disk, InodePtr inode, Open mode)
    : disk_(std::move(disk)), inode_(std::move(inode)), boot_(disk_->boots), mode_(mode) {}

MemoryFile::~MemoryFile() {
  const std::lock_guard lock(disk_->mutex);  // the last reference may give space back
  inode_.reset();
}

Result<void> MemoryFile::usable(Open need) const {
  if (boot_ != disk_->boots) return Error{Code::kUnavailable, "the machine lost power since the file was opened"};
  if (need == Open::kReadWrite && mode_ == Open::kRead) {
    return Error{Code::kUnavailable, "the file is open for reading only"};
  }
  return {};
}

Result<void> MemoryFile::read_now(std::uint64_t offset, MutableBytes out) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kRead));
  return inode_->read(offset, out);
}

Result<void> MemoryFile::write_now(std::uint64_t offset, BytesView bytes) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kReadWrite));
  return inode_->write(offset, bytes);
}

Result<void> MemoryFile::sync_now() {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kRead));
  inode_->sync();
  return {};
}

Result<std::uint64_t> MemoryFile::size_now() {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kRead));
  return inode_->size();
}

Result<void> MemoryFile::truncate_now(std::uint64_t size) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kReadWrite));
  return inode_->truncate(size);
}

Result<void> MemoryFile::reserve_now(std::uint64_t size) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kReadWrite));
  return inode_->reserve(size);
}

Result<void> MemoryFile::extend_now(std::uint64_t size) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kReadWrite));
  return inode_->extend(size);
}

Result<void> MemoryFile::sync_into_journal_now() {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kRead));
  inode_->sync_into_journal();
  return {};
}

bool MemoryFile::in_journal_now() {
  const std::lock_guard lock(disk_->mutex);
  return inode_->in_journal();
}

Result<void> MemoryFile::lose_now(LostPages pages, Random& random) {
  const std::lock_guard lock(disk_->mutex);
  TRY(usable(Open::kRead));
  inode_->lose(pages, random);
  return {};
}

MemoryDisk::MemoryDisk() : state_(std::make_shared<State>()) {}

void MemoryDisk::crash(const PowerLoss& loss) {
  const std::lock_guard lock(state_->mutex);
  ++state_->boots;
  state_->root.crash(loss, "");
}

void MemoryDisk::kill() {
  const std::lock_guard lock(state_->mutex);
  ++state_->boots;
}

void MemoryDisk::set_limit(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->usage->limit = bytes;
}

Result<MemoryDirectory*> MemoryDisk::State::directory(std::string_view path) {
  MemoryDirectory* at = &root;
  for (const auto& part : path_parts(path)) {
    const auto found = at->current.find(part);
    if (found == at->current.end()) return not_found(path);
    auto* next = std::get_if<DirectoryPtr>(&found->second);
    if (next == nullptr) return not_found(path);
    at = next->get();
  }
  return at;
}

Result<MemoryNode*> MemoryDisk::State::find(const std::string& path) {
  TRY(check_path(path));
  TRY_ASSIGN(MemoryDirectory * parent, directory(parent_of(path)));
  const auto found = parent->current.find(last_part(path));
  if (found == parent->current.end()) return not_found(path);
  return &found->second;
}

Task<std::unique_ptr<File>> MemoryDisk::open(std::string path, Open mode, CallSite) {
  CO_CHECK_ASSIGN(std::unique_ptr<File> file, open_now(path, mode));
  co_return std::move(file);
}

Result<std::unique_ptr<MemoryFile>> MemoryDisk::open_now(const std::string& path, Open mode) {
  const std::lock_guard lock(state_->mutex);
  TRY(check_path(path));
  TRY_ASSIGN(MemoryDirectory * parent, state_->directory(parent_of(path)));
  const auto found = parent->current.find(last_part(path));
  const bool exists = found != parent->current.end();
  InodePtr inode;
  if (mode == Open::kCreateNew) {
    if (exists) return Error{Code::kAlreadyExists, "'" + path + "' exists"};
    inode = std::make_shared<MemoryInode>(state_->usage);
    parent->current.emplace(last_part(path), inode);
  } else {
    if (!exists) return not_found(path);
    auto* file = std::get_if<InodePtr>(&found->second);
    if (file == nullptr) return Error{Code::kInvalid, "'" + path + "' is not a regular file"};
    inode = *file;
  }
  return std::make_unique<MemoryFile>(state_, std::move(inode), mode);
}

Task<void> MemoryDisk::remove(std::string path, CallSite) {
  co_return remove_now(path);
}

Result<void> MemoryDisk::remove_now(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  TRY_ASSIGN(MemoryNode * node, state_->find(path));
  if (auto* directory = std::get_if<DirectoryPtr>(node); directory != nullptr && !(*directory)->current.empty()) {
    return Error{Code::kConditionFailed, "the directory '" + path + "' is not empty"};
  }
  TRY_ASSIGN(MemoryDirectory * parent, state_->directory(parent_of(path)));
  parent->current.erase(last_part(path));
  return {};
}

Task<void> MemoryDisk::rename(std::string from, std::string to, CallSite) {
  co_return rename_now(from, to);
}

Result<void> MemoryDisk::rename_now(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  TRY(check_path(to));
  TRY_ASSIGN(MemoryNode * node, state_->find(from));
  if (from == to) return {};
  if (to.starts_with(from + "/")) return Error{Code::kInvalid, "a directory cannot move below itself"};
  TRY_ASSIGN(MemoryDirectory * target, state_->directory(parent_of(to)));
  const auto replaced = target->current.find(last_part(to));
  const bool moves_directory = std::holds_alternative<DirectoryPtr>(*node);
  if (replaced != target->current.end()) {
    auto* directory = std::get_if<DirectoryPtr>(&replaced->second);
    if (directory != nullptr && !moves_directory) return Error{Code::kInvalid, "'" + to + "' is a directory"};
    if (directory == nullptr && moves_directory) return Error{Code::kNotFound, "'" + to + "' is not a directory"};
    if (directory != nullptr && !(*directory)->current.empty()) {
      return Error{Code::kConditionFailed, "the directory '" + to + "' is not empty"};
    }
  }
  MemoryNode moved = *node;
  TRY_ASSIGN(MemoryDirectory * source, state_->directory(parent_of(from)));
  source->current.erase(last_part(from));
  target->current.insert_or_assign(last_part(to), std::move(moved));
  return {};
}

Task<void> MemoryDisk::make_directory(std::string path, CallSite) {
  co_return make_directory_now(path);
}

Result<void> MemoryDisk::make_directory_now(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  TRY(check_path(path));
  MemoryDirectory* at = &state_->root;
  for (const auto& part : path_parts(path)) {
    const auto [found, made] = at->current.try_emplace(part, std::make_shared<MemoryDirectory>());
    auto* next = std::get_if<DirectoryPtr>(&found->second);
    if (next == nullptr) return Error{Code::kAlreadyExists, "'" + part + "' is not a directory"};
    at = next->get();
  }
  return {};
}

Task<std::vector<Entry>> MemoryDisk::list(std::string path, CallSite) {
  co_return list_now(path);
}

Result<std::vector<Entry>> MemoryDisk::list_now(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  TRY(check_directory_path(path));
  TRY_ASSIGN(MemoryDirectory * directory, state_->directory(path));
  std::vector<Entry> entries;
  for (const auto& [name, node] : directory->current) {
    entries.push_back({name, std::holds_alternative<DirectoryPtr>(node)});
  }
  return entries;
}

Task<void> MemoryDisk::sync_directory(std::string path, CallSite) {
  co_return sync_directory_now(path);
}

Result<void> MemoryDisk::sync_directory_now(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  TRY(check_directory_path(path));
  TRY_ASSIGN(MemoryDirectory * directory, state_->directory(path));
  directory->durable = directory->current;
  return {};
}

Task<Space> MemoryDisk::space(CallSite) {
  co_return space_now();
}

Space MemoryDisk::space_now() {
  const std::lock_guard lock(state_->mutex);
  const MemoryUsage& usage = *state_->usage;
  return {.total_bytes = usage.used + usage.free(), .free_bytes = usage.free()};
}

}  // namespace tombolo::disk
