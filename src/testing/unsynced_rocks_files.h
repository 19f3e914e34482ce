// UnsyncedRocksFiles: UnsyncedDisk's twin for RocksDB, which does its own I/O.
#pragma once

#include <rocksdb/file_system.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tombolo::testing {

class UnsyncedRocksNode;

enum class RocksSyncs {
  kHonest,
  kForgotten,  // all succeed and do nothing: a bug to plant
};

/// Wraps the machine's file system. RocksDB sees every write at once; the machine gets a file's bytes with its Sync,
/// and the names (created, renamed, deleted) of a directory with that directory's Fsync. What it does not need to
/// survive goes through at once: its own text logs, the lock, directories. Holds whole files in memory until they are
/// synced and named. Files are written from their start to their end and renamed within a directory, as RocksDB does
/// without its own log; everything else is NotSupported. Thread-safe.
class UnsyncedRocksFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit UnsyncedRocksFiles(RocksSyncs syncs = RocksSyncs::kHonest)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), syncs_(syncs) {}

  static const char* kClassName() { return "UnsyncedRocksFiles"; }
  const char* Name() const override { return kClassName(); }

  using Options = rocksdb::IOOptions;
  using FileOptions = rocksdb::FileOptions;
  using Status = rocksdb::IOStatus;
  using Context = rocksdb::IODebugContext;

  Status NewSequentialFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSSequentialFile>* result, Context* context) override;
  Status NewRandomAccessFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSRandomAccessFile>* result, Context* context) override;
  Status NewWritableFile(const std::string& path, const FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* result, Context* context) override;
  Status ReopenWritableFile(const std::string& path, const FileOptions& options,
                            std::unique_ptr<rocksdb::FSWritableFile>* result, Context* context) override;
  Status ReuseWritableFile(const std::string& path, const std::string& old_path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, Context* context) override;
  Status NewRandomRWFile(const std::string& path, const FileOptions& options,
                         std::unique_ptr<rocksdb::FSRandomRWFile>* result, Context* context) override;
  Status NewDirectory(const std::string& path, const Options& options, std::unique_ptr<rocksdb::FSDirectory>* result,
                      Context* context) override;
  Status FileExists(const std::string& path, const Options& options, Context* context) override;
  Status GetChildren(const std::string& directory, const Options& options, std::vector<std::string>* result,
                     Context* context) override;
  Status GetChildrenFileAttributes(const std::string& directory, const Options& options,
                                   std::vector<rocksdb::FileAttributes>* result, Context* context) override {
    return FileSystem::GetChildrenFileAttributes(directory, options, result, context);
  }
  Status DeleteFile(const std::string& path, const Options& options, Context* context) override;
  Status Truncate(const std::string& path, std::size_t size, const Options& options, Context* context) override;
  Status GetFileSize(const std::string& path, const Options& options, std::uint64_t* size, Context* context) override;
  Status GetFileModificationTime(const std::string& path, const Options& options, std::uint64_t* time,
                                 Context* context) override;
  Status RenameFile(const std::string& from, const std::string& to, const Options& options, Context* context) override;
  Status LinkFile(const std::string& from, const std::string& to, const Options& options, Context* context) override;

  /// What a directory's Fsync does.
  Status sync_directory(const std::string& directory, const Options& options, Context* context);

 private:
  using NodePtr = std::shared_ptr<UnsyncedRocksNode>;
  /// The node of a visible file; null when the machine's own is to be used. Requires mutex_.
  NodePtr find(const std::string& path);
  bool hidden(const std::string& path) const { return removed_.contains(path); }

  const RocksSyncs syncs_;
  mutable std::mutex mutex_;
  std::map<std::string, NodePtr> nodes_;  // by visible path
  std::uint64_t made_ = 0;                // files, so far
  std::set<std::string> removed_;         // names that the machine still has and nobody may see
};

}  // namespace tombolo::testing
