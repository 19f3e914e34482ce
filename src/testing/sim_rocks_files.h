// SimRocksFiles: RocksDB on a SimDisk, below SimDisk::kIndexDirectory.
#pragma once

#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <memory>
#include <string>
#include <vector>

#include "testing/sim_disk.h"

namespace tombolo::testing {

/// A clock whose sleepers go on at once: RocksDB sleeps a second after each flush that failed.
class SleeplessClock final : public rocksdb::SystemClockWrapper {
 public:
  SleeplessClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  static const char* kClassName() { return "SleeplessClock"; }
  const char* Name() const override { return kClassName(); }
  void SleepForMicroseconds(int) override {}
};

/// Paths are those of the disk behind a '/'. Nothing reaches the file system of the machine: text logs go nowhere,
/// locks always succeed. What RocksDB does not do without its own log is NotSupported. `disk` outlives it. Thread-safe.
class SimRocksFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit SimRocksFiles(SimDisk& disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}

  static const char* kClassName() { return "SimRocksFiles"; }
  const char* Name() const override { return kClassName(); }

  using Options = rocksdb::IOOptions;
  using FileOptions = rocksdb::FileOptions;
  using Status = rocksdb::IOStatus;
  using Context = rocksdb::IODebugContext;
  template <class T>
  using Made = std::unique_ptr<T>*;

  Status NewSequentialFile(const std::string& path, const FileOptions&, Made<rocksdb::FSSequentialFile> result,
                           Context*) override;
  Status NewRandomAccessFile(const std::string& path, const FileOptions&, Made<rocksdb::FSRandomAccessFile> result,
                             Context*) override;
  Status NewWritableFile(const std::string& path, const FileOptions&, Made<rocksdb::FSWritableFile> result,
                         Context*) override;
  Status ReopenWritableFile(const std::string&, const FileOptions&, Made<rocksdb::FSWritableFile>, Context*) override;
  Status ReuseWritableFile(const std::string&, const std::string&, const FileOptions&, Made<rocksdb::FSWritableFile>,
                           Context*) override;
  Status NewRandomRWFile(const std::string&, const FileOptions&, Made<rocksdb::FSRandomRWFile>, Context*) override;
  Status NewDirectory(const std::string& path, const Options&, Made<rocksdb::FSDirectory> result, Context*) override;
  Status FileExists(const std::string& path, const Options&, Context*) override;
  Status GetChildren(const std::string& directory, const Options&, std::vector<std::string>* result, Context*) override;
  Status GetChildrenFileAttributes(const std::string& directory, const Options& options,
                                   std::vector<rocksdb::FileAttributes>* result, Context* context) override {
    return FileSystem::GetChildrenFileAttributes(directory, options, result, context);
  }
  Status DeleteFile(const std::string& path, const Options&, Context*) override;
  Status Truncate(const std::string&, std::size_t, const Options&, Context*) override;
  Status CreateDir(const std::string& path, const Options&, Context*) override;
  Status CreateDirIfMissing(const std::string& path, const Options&, Context*) override;
  Status DeleteDir(const std::string& path, const Options&, Context*) override;
  Status GetFileSize(const std::string& path, const Options&, std::uint64_t* size, Context*) override;
  Status GetFileModificationTime(const std::string&, const Options&, std::uint64_t* time, Context*) override;
  Status RenameFile(const std::string& from, const std::string& to, const Options&, Context*) override;
  Status LinkFile(const std::string&, const std::string&, const Options&, Context*) override;
  Status LockFile(const std::string& path, const Options&, rocksdb::FileLock** lock, Context*) override;
  Status UnlockFile(rocksdb::FileLock* lock, const Options&, Context*) override;
  Status GetAbsolutePath(const std::string& path, const Options&, std::string* result, Context*) override;
  Status NewLogger(const std::string&, const Options&, std::shared_ptr<rocksdb::Logger>* result, Context*) override;
  Status GetFreeSpace(const std::string&, const Options&, std::uint64_t* free, Context*) override;
  Status IsDirectory(const std::string& path, const Options&, bool* is, Context*) override;

 private:
  SimDisk& disk_;
};

}  // namespace tombolo::testing
