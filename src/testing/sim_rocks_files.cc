#include "testing/sim_rocks_files.h"

#include <rocksdb/env.h>

#include <algorithm>

namespace tombolo::testing {

using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

using Options = rocksdb::IOOptions;
using Context = rocksdb::IODebugContext;

/// A path of the disk: without the '/' in front, and without one behind.
std::string on_disk(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path.starts_with('/') ? path.substr(1) : path;
}

IOStatus status_of(const Error& error) {
  switch (error.code) {
    case Code::kNotFound:
      return IOStatus::PathNotFound(error.message);
    case Code::kNoSpace:
      return IOStatus::NoSpace(error.message);
    default:
      return IOStatus::IOError(error.message);
  }
}

template <class T>
IOStatus status_of(const Result<T>& result) {
  return result.ok() ? IOStatus::OK() : status_of(result.error());
}

/// As much of [offset, offset + length) as there is.
IOStatus read_some(SimFile& file, std::uint64_t offset, std::size_t length, Slice* result, char* scratch) {
  const auto size = file.size_now();
  if (!size.ok()) return status_of(size.error());
  const std::uint64_t count = offset < *size ? std::min<std::uint64_t>(length, *size - offset) : 0;
  *result = Slice(scratch, count);
  if (count == 0) return IOStatus::OK();  // a damaged footer may name a place far beyond the end
  return status_of(file.read_now(offset, std::as_writable_bytes(std::span(scratch, count))));
}

class SequentialReader final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialReader(std::unique_ptr<SimFile> file) : file_(std::move(file)) {}
  IOStatus Read(std::size_t length, const Options&, Slice* result, char* scratch, Context*) override {
    const auto status = read_some(*file_, at_, length, result, scratch);
    if (status.ok()) at_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t length) override {
    at_ += length;
    return IOStatus::OK();
  }

 private:
  const std::unique_ptr<SimFile> file_;
  std::uint64_t at_ = 0;
};

class RandomReader final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomReader(std::unique_ptr<SimFile> file) : file_(std::move(file)) {}
  IOStatus Read(std::uint64_t offset, std::size_t length, const Options&, Slice* result, char* scratch,
                Context*) const override {
    return read_some(*file_, offset, length, result, scratch);
  }

 private:
  const std::unique_ptr<SimFile> file_;
};

class Writer final : public rocksdb::FSWritableFile {
 public:
  explicit Writer(std::unique_ptr<SimFile> file) : file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const Options&, Context*) override {
    const auto status = status_of(file_->write_now(size_, std::as_bytes(std::span(data.data(), data.size()))));
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Truncate(std::uint64_t size, const Options&, Context*) override {
    return size == size_ ? IOStatus::OK() : IOStatus::NotSupported("cutting a file");
  }
  IOStatus Close(const Options&, Context*) override { return IOStatus::OK(); }
  IOStatus Flush(const Options&, Context*) override { return IOStatus::OK(); }
  IOStatus Sync(const Options&, Context*) override { return status_of(file_->sync_now()); }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const Options&, Context*) override { return size_; }

 private:
  const std::unique_ptr<SimFile> file_;
  std::uint64_t size_ = 0;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(SimDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const Options&, Context*) override { return status_of(disk_.sync_directory_now(path_)); }

 private:
  SimDisk& disk_;
  const std::string path_;
};

class Silence final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  std::size_t GetLogFileSize() const override { return 0; }
};

class Lock final : public rocksdb::FileLock {};

}  // namespace

IOStatus SimRocksFiles::NewSequentialFile(const std::string& path, const FileOptions&,
                                          Made<rocksdb::FSSequentialFile> result, Context*) {
  auto file = disk_.open_now(on_disk(path), disk::Open::kRead);
  if (!file.ok()) return status_of(file.error());
  *result = std::make_unique<SequentialReader>(*std::move(file));
  return IOStatus::OK();
}

IOStatus SimRocksFiles::NewRandomAccessFile(const std::string& path, const FileOptions&,
                                            Made<rocksdb::FSRandomAccessFile> result, Context*) {
  auto file = disk_.open_now(on_disk(path), disk::Open::kRead);
  if (!file.ok()) return status_of(file.error());
  *result = std::make_unique<RandomReader>(*std::move(file));
  return IOStatus::OK();
}

/// A file of the name is replaced: emptied in place it would lose what was synced.
IOStatus SimRocksFiles::NewWritableFile(const std::string& path, const FileOptions&,
                                        Made<rocksdb::FSWritableFile> result, Context*) {
  const std::string name = on_disk(path);
  if (const auto there = disk_.open_now(name, disk::Open::kRead); there.ok()) {
    const auto removed = disk_.remove_now(name);
    if (!removed.ok()) return status_of(removed.error());
  }
  auto file = disk_.open_now(name, disk::Open::kCreateNew);
  if (!file.ok()) return status_of(file.error());
  *result = std::make_unique<Writer>(*std::move(file));
  return IOStatus::OK();
}

IOStatus SimRocksFiles::ReopenWritableFile(const std::string&, const FileOptions&, Made<rocksdb::FSWritableFile>,
                                           Context*) {
  return IOStatus::NotSupported("reopening a file for writing");
}

IOStatus SimRocksFiles::ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                                          Made<rocksdb::FSWritableFile>, Context*) {
  return IOStatus::NotSupported("writing over an old file");
}

IOStatus SimRocksFiles::NewRandomRWFile(const std::string&, const FileOptions&, Made<rocksdb::FSRandomRWFile>,
                                        Context*) {
  return IOStatus::NotSupported("writing in the middle of a file");
}

IOStatus SimRocksFiles::NewDirectory(const std::string& path, const Options&, Made<rocksdb::FSDirectory> result,
                                     Context*) {
  const auto listed = disk_.list_now(on_disk(path));
  if (!listed.ok()) return status_of(listed.error());
  *result = std::make_unique<Directory>(disk_, on_disk(path));
  return IOStatus::OK();
}

IOStatus SimRocksFiles::FileExists(const std::string& path, const Options&, Context*) {
  const std::string name = on_disk(path);
  if (disk_.list_now(name).ok()) return IOStatus::OK();
  const auto file = disk_.open_now(name, disk::Open::kRead);
  if (file.ok()) return IOStatus::OK();
  return file.error().code == Code::kNotFound ? IOStatus::NotFound(path) : status_of(file.error());
}

IOStatus SimRocksFiles::GetChildren(const std::string& directory, const Options&, std::vector<std::string>* result,
                                    Context*) {
  const auto entries = disk_.list_now(on_disk(directory));
  if (!entries.ok()) return status_of(entries.error());
  result->clear();
  for (const auto& entry : *entries) result->push_back(entry.name);
  return IOStatus::OK();
}

IOStatus SimRocksFiles::DeleteFile(const std::string& path, const Options&, Context*) {
  return status_of(disk_.remove_now(on_disk(path)));
}

IOStatus SimRocksFiles::Truncate(const std::string&, std::size_t, const Options&, Context*) {
  return IOStatus::NotSupported("cutting a file");
}

IOStatus SimRocksFiles::CreateDir(const std::string& path, const Options&, Context*) {
  return status_of(disk_.make_directory_now(on_disk(path)));
}

IOStatus SimRocksFiles::CreateDirIfMissing(const std::string& path, const Options&, Context*) {
  return status_of(disk_.make_directory_now(on_disk(path)));
}

IOStatus SimRocksFiles::DeleteDir(const std::string& path, const Options&, Context*) {
  return status_of(disk_.remove_now(on_disk(path)));
}

IOStatus SimRocksFiles::GetFileSize(const std::string& path, const Options&, std::uint64_t* size, Context*) {
  const auto file = disk_.open_now(on_disk(path), disk::Open::kRead);
  if (!file.ok()) return status_of(file.error());
  const auto found = (*file)->size_now();
  if (found.ok()) *size = *found;
  return status_of(found);
}

IOStatus SimRocksFiles::GetFileModificationTime(const std::string&, const Options&, std::uint64_t* time, Context*) {
  *time = 0;
  return IOStatus::OK();
}

IOStatus SimRocksFiles::RenameFile(const std::string& from, const std::string& to, const Options&, Context*) {
  return status_of(disk_.rename_now(on_disk(from), on_disk(to)));
}

IOStatus SimRocksFiles::LinkFile(const std::string&, const std::string&, const Options&, Context*) {
  return IOStatus::NotSupported("linking a file");
}

IOStatus SimRocksFiles::LockFile(const std::string&, const Options&, rocksdb::FileLock** lock, Context*) {
  *lock = new Lock;
  return IOStatus::OK();
}

IOStatus SimRocksFiles::UnlockFile(rocksdb::FileLock* lock, const Options&, Context*) {
  delete lock;
  return IOStatus::OK();
}

IOStatus SimRocksFiles::GetAbsolutePath(const std::string& path, const Options&, std::string* result, Context*) {
  *result = path;
  return IOStatus::OK();
}

IOStatus SimRocksFiles::NewLogger(const std::string&, const Options&, std::shared_ptr<rocksdb::Logger>* result,
                                  Context*) {
  *result = std::make_shared<Silence>();
  return IOStatus::OK();
}

IOStatus SimRocksFiles::GetFreeSpace(const std::string&, const Options&, std::uint64_t* free, Context*) {
  *free = disk_.free_bytes();
  return IOStatus::OK();
}

IOStatus SimRocksFiles::IsDirectory(const std::string& path, const Options&, bool* is, Context*) {
  *is = disk_.list_now(on_disk(path)).ok();
  return IOStatus::OK();
}

}  // namespace tombolo::testing
