#include "testing/unsynced_rocks_files.h"

#include <algorithm>
#include <cstring>

namespace tombolo::testing {

using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {
/// Where a new file is written before it takes its name in the wrapped file system.
constexpr const char* kPartSuffix = ".unsynced";
}  // namespace

/// A file that the machine does not have as RocksDB sees it.
class UnsyncedRocksNode {
 public:
  using Options = rocksdb::IOOptions;
  using Context = rocksdb::IODebugContext;

  UnsyncedRocksNode(std::shared_ptr<rocksdb::FileSystem> machine, std::uint64_t made, bool forgets)
      : number(made), machine_(std::move(machine)), forgets_(forgets) {}

  const std::uint64_t number;  // in the order of making

  void append(const Slice& data) {
    const std::lock_guard lock(mutex_);
    bytes_.append(data.data(), data.size());
  }
  Slice read(std::uint64_t offset, std::size_t length, char* scratch) const {
    const std::lock_guard lock(mutex_);
    if (offset >= bytes_.size()) return {scratch, 0};
    const std::size_t count = std::min<std::size_t>(length, bytes_.size() - offset);
    std::memcpy(scratch, bytes_.data() + offset, count);
    return {scratch, count};
  }
  std::uint64_t size() const {
    const std::lock_guard lock(mutex_);
    return bytes_.size();
  }
  /// RocksDB writes no more: the machine's file will do once it holds everything.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  bool settled(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return closed_ && synced_ == bytes_.size() && linked_ == path;
  }
  std::string linked() const {
    const std::lock_guard lock(mutex_);
    return linked_;
  }

  IOStatus sync(const Options& options, Context* context) {
    if (forgets_) return IOStatus::OK();
    const std::lock_guard lock(mutex_);
    if (file_) {
      const Slice fresh(bytes_.data() + synced_, bytes_.size() - synced_);
      if (auto status = push(fresh, options, context); !status.ok()) return status;
    }
    synced_ = bytes_.size();
    return IOStatus::OK();
  }

  /// The name becomes durable, with the bytes synced so far: from here on the machine has the file. Atomic, since the
  /// machine may have an older file of that name.
  IOStatus link(const std::string& path, const Options& options, Context* context) {
    const std::lock_guard lock(mutex_);
    if (linked_ == path) return IOStatus::OK();
    IOStatus status;
    if (linked_.empty()) {
      linked_ = path + kPartSuffix;
      status = machine_->NewWritableFile(linked_, {}, &file_, context);
      if (status.ok()) status = push(Slice(bytes_.data(), synced_), options, context);
    }
    if (status.ok()) status = machine_->RenameFile(linked_, path, options, context);
    if (status.ok()) linked_ = path;
    return status;
  }

 private:
  IOStatus push(const Slice& data, const Options& options, Context* context) {
    auto status = file_->Append(data, options, context);
    if (status.ok()) status = file_->Flush(options, context);
    if (status.ok()) status = file_->Fsync(options, context);
    return status;
  }

  const std::shared_ptr<rocksdb::FileSystem> machine_;
  const bool forgets_;
  mutable std::mutex mutex_;
  std::string bytes_;
  std::size_t synced_ = 0;                         // of bytes_, from the front
  std::string linked_;                             // the machine's name for it; empty: none yet
  std::unique_ptr<rocksdb::FSWritableFile> file_;  // the machine's, once it has a name
  bool closed_ = false;
};

namespace {

using NodePtr = std::shared_ptr<UnsyncedRocksNode>;
using Options = rocksdb::IOOptions;
using Context = rocksdb::IODebugContext;

class SequentialReader final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialReader(NodePtr node) : node_(std::move(node)) {}
  IOStatus Read(std::size_t length, const Options&, Slice* result, char* scratch, Context*) override {
    *result = node_->read(at_, length, scratch);
    at_ += result->size();
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t length) override {
    at_ = std::min(at_ + length, node_->size());
    return IOStatus::OK();
  }

 private:
  const NodePtr node_;
  std::uint64_t at_ = 0;
};

class RandomReader final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomReader(NodePtr node) : node_(std::move(node)) {}
  IOStatus Read(std::uint64_t offset, std::size_t length, const Options&, Slice* result, char* scratch,
                Context*) const override {
    *result = node_->read(offset, length, scratch);
    return IOStatus::OK();
  }

 private:
  const NodePtr node_;
};

class Writer final : public rocksdb::FSWritableFile {
 public:
  explicit Writer(NodePtr node) : node_(std::move(node)) {}
  ~Writer() override { node_->close(); }
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const Options&, Context*) override {
    node_->append(data);
    return IOStatus::OK();
  }
  IOStatus Truncate(std::uint64_t size, const Options&, Context*) override {
    return size == node_->size() ? IOStatus::OK() : IOStatus::NotSupported("cutting a file");
  }
  IOStatus Close(const Options&, Context*) override { return IOStatus::OK(); }
  IOStatus Flush(const Options&, Context*) override { return IOStatus::OK(); }
  IOStatus Sync(const Options& options, Context* context) override { return node_->sync(options, context); }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const Options&, Context*) override { return node_->size(); }

 private:
  const NodePtr node_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(UnsyncedRocksFiles& files, std::string path, std::unique_ptr<FSDirectory> machine)
      : files_(files), path_(std::move(path)), machine_(std::move(machine)) {}
  IOStatus Fsync(const Options& options, Context* context) override {
    return files_.sync_directory(path_, options, context);
  }
  IOStatus Close(const Options& options, Context* context) override { return machine_->Close(options, context); }
  std::size_t GetUniqueId(char* id, std::size_t length) const override { return machine_->GetUniqueId(id, length); }

 private:
  UnsyncedRocksFiles& files_;
  const std::string path_;
  const std::unique_ptr<FSDirectory> machine_;
};

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

IOStatus not_found(const std::string& path) {
  return IOStatus::NotFound("no such file", path);
}

}  // namespace

UnsyncedRocksFiles::NodePtr UnsyncedRocksFiles::find(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return nullptr;
  if (!found->second->settled(path)) return found->second;
  nodes_.erase(found);
  return nullptr;
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::NewSequentialFile(const std::string& path, const FileOptions& options,
                                                                 std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                                                 Context* context) {
  const std::lock_guard lock(mutex_);
  if (NodePtr node = find(path)) {
    *result = std::make_unique<SequentialReader>(std::move(node));
    return Status::OK();
  }
  return hidden(path) ? not_found(path) : target_->NewSequentialFile(path, options, result, context);
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                                                   std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                                                   Context* context) {
  const std::lock_guard lock(mutex_);
  if (NodePtr node = find(path)) {
    *result = std::make_unique<RandomReader>(std::move(node));
    return Status::OK();
  }
  return hidden(path) ? not_found(path) : target_->NewRandomAccessFile(path, options, result, context);
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::NewWritableFile(const std::string& path, const FileOptions&,
                                                               std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                               Context*) {
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<UnsyncedRocksNode>(target_, ++made_, syncs_ == RocksSyncs::kForgotten);
  nodes_.insert_or_assign(path, node);
  *result = std::make_unique<Writer>(std::move(node));
  return Status::OK();
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::ReopenWritableFile(const std::string&, const FileOptions&,
                                                                  std::unique_ptr<rocksdb::FSWritableFile>*, Context*) {
  return Status::NotSupported("reopening a file for writing");
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::ReuseWritableFile(const std::string&, const std::string&,
                                                                 const FileOptions&,
                                                                 std::unique_ptr<rocksdb::FSWritableFile>*, Context*) {
  return Status::NotSupported("writing over an old file");
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::NewRandomRWFile(const std::string&, const FileOptions&,
                                                               std::unique_ptr<rocksdb::FSRandomRWFile>*, Context*) {
  return Status::NotSupported("writing in the middle of a file");
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::NewDirectory(const std::string& path, const Options& options,
                                                            std::unique_ptr<rocksdb::FSDirectory>* result,
                                                            Context* context) {
  std::unique_ptr<rocksdb::FSDirectory> machine;
  const auto status = target_->NewDirectory(path, options, &machine, context);
  if (status.ok()) *result = std::make_unique<Directory>(*this, path, std::move(machine));
  return status;
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::FileExists(const std::string& path, const Options& options,
                                                          Context* context) {
  const std::lock_guard lock(mutex_);
  if (find(path)) return Status::OK();
  return hidden(path) ? not_found(path) : target_->FileExists(path, options, context);
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::GetChildren(const std::string& directory, const Options& options,
                                                           std::vector<std::string>* result, Context* context) {
  const std::lock_guard lock(mutex_);
  const auto status = target_->GetChildren(directory, options, result, context);
  if (!status.ok()) return status;
  std::erase_if(*result, [&](const std::string& name) {
    const std::string path = directory + "/" + name;
    return hidden(path) || nodes_.contains(path) || name.ends_with(kPartSuffix);
  });
  for (const auto& [path, node] : nodes_) {
    if (directory_of(path) == directory) result->push_back(name_of(path));
  }
  return Status::OK();
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::DeleteFile(const std::string& path, const Options& options,
                                                          Context* context) {
  const std::lock_guard lock(mutex_);
  if (const NodePtr node = find(path)) {
    // What the machine has of it, under this name or the one before a rename, goes with the directory's Fsync.
    if (const std::string linked = node->linked(); !linked.empty()) removed_.insert(linked);
    nodes_.erase(path);
    return Status::OK();
  }
  if (hidden(path)) return not_found(path);
  const auto status = target_->FileExists(path, options, context);
  if (status.ok()) removed_.insert(path);
  return status;
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::Truncate(const std::string&, std::size_t, const Options&, Context*) {
  return Status::NotSupported("cutting a file");
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::GetFileSize(const std::string& path, const Options& options,
                                                           std::uint64_t* size, Context* context) {
  const std::lock_guard lock(mutex_);
  if (const NodePtr node = find(path)) {
    *size = node->size();
    return Status::OK();
  }
  return hidden(path) ? not_found(path) : target_->GetFileSize(path, options, size, context);
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::GetFileModificationTime(const std::string& path, const Options& options,
                                                                       std::uint64_t* time, Context* context) {
  const std::lock_guard lock(mutex_);
  if (find(path)) {
    *time = 0;
    return Status::OK();
  }
  return hidden(path) ? not_found(path) : target_->GetFileModificationTime(path, options, time, context);
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::RenameFile(const std::string& from, const std::string& to,
                                                          const Options& options, Context* context) {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(from);
  if (found == nodes_.end()) {
    // A text log, which went through at once; of RocksDB's other files only fresh ones are renamed.
    return hidden(from) ? not_found(from) : target_->RenameFile(from, to, options, context);
  }
  NodePtr node = found->second;
  nodes_.erase(found);
  if (const std::string linked = node->linked(); !linked.empty()) removed_.insert(linked);
  nodes_.insert_or_assign(to, std::move(node));
  return Status::OK();
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::LinkFile(const std::string&, const std::string&, const Options&,
                                                        Context*) {
  return Status::NotSupported("linking a file");
}

UnsyncedRocksFiles::Status UnsyncedRocksFiles::sync_directory(const std::string& directory, const Options& options,
                                                              Context* context) {
  if (syncs_ == RocksSyncs::kForgotten) return Status::OK();
  const std::lock_guard lock(mutex_);
  // In the order of their making, since a kill may come between two of them: a journal would take all or none, and
  // CURRENT must never name a MANIFEST that is not there.
  std::map<std::uint64_t, std::string> paths;
  for (const auto& [path, node] : nodes_) {
    if (directory_of(path) == directory) paths.emplace(node->number, path);
  }
  for (const auto& [number, path] : paths) {
    const auto status = nodes_.at(path)->link(path, options, context);
    if (!status.ok()) return status;
    removed_.erase(path);
  }
  std::erase_if(nodes_, [](const auto& entry) { return entry.second->settled(entry.first); });
  for (auto path = removed_.begin(); path != removed_.end();) {
    if (directory_of(*path) != directory) {
      ++path;
      continue;
    }
    const auto status = target_->DeleteFile(*path, options, context);
    if (!status.ok() && !status.IsNotFound() && !status.IsPathNotFound()) return status;
    path = removed_.erase(path);
  }
  std::unique_ptr<rocksdb::FSDirectory> machine;
  auto status = target_->NewDirectory(directory, options, &machine, context);
  if (status.ok()) status = machine->Fsync(options, context);
  return status;
}

}  // namespace tombolo::testing
