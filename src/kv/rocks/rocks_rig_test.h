// What the tests of the engine over RocksDB run on: a real directory, and a disk that can be full for RocksDB alone.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <filesystem>

#include "base/log.h"
#include "disk/posix/posix_disk.h"
#include "kv/contract_test.h"
#include "kv/log/log_engine.h"
#include "kv/rocks/rocks_index.h"
#include "testing/test_folder.h"

namespace tombolo::kv {

/// Pretends that the disk is full while told so.
class FullFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FullFile(std::unique_ptr<rocksdb::FSWritableFile> inner, const std::atomic<bool>& full)
      : FSWritableFileOwnerWrapper(std::move(inner)), full_(full) {}
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (full_) return rocksdb::IOStatus::NoSpace("full, says the test");
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info, rocksdb::IODebugContext* debug) override {
    if (full_) return rocksdb::IOStatus::NoSpace("full, says the test");
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }

 private:
  const std::atomic<bool>& full_;
};

class FullFiles final : public rocksdb::FileSystemWrapper {
 public:
  FullFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FullFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    auto status = FileSystemWrapper::NewWritableFile(name, options, &inner, debug);
    if (status.ok()) *out = std::make_unique<FullFile>(std::move(inner), full);
    return status;
  }
  std::atomic<bool> full{false};
};

class RocksRig final : public Harness {
 public:
  RocksRig() {
    disk_ = *disk::PosixDisk::open_root(root_, workers_);
    options.free_bytes_min = 0;
    const auto opened = open();
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
  }
  ~RocksRig() override {
    stop();
    disk_.reset();
  }

  static constexpr unsigned kThreads = 4;
  Workers& workers() { return workers_; }
  Engine& engine() override { return *engine_; }
  LogEngine& log_engine() { return *engine_; }
  bool reopen() override {
    const auto closed = run_to_end(loop, engine_->close());
    EXPECT_TRUE(closed.ok()) << to_string(closed.error());
    engine_.reset();
    const auto opened = open();
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
    return true;
  }
  Result<void> open() {
    RocksIndexOptions rocks{.path = root_ + "/index", .write_buffer_bytes = 1 << 20, .files = files};
    TRY_ASSIGN(auto index, run_to_end(loop, open_rocks_index(rocks, workers_)));
    LogEngine::Services services{
        .disk = *disk_, .index = std::move(index), .clock = clock, .random = random, .executor = loop.get_executor()};
    TRY_ASSIGN(engine_, run_to_end(loop, LogEngine::open(std::move(services), options)));
    return {};
  }
  /// Ends the engine as a kill would: what RocksDB had only in memory is gone.
  void stop() {
    if (!engine_) return;
    EXPECT_TRUE(run_to_end(loop, engine_->stop()).ok());
    engine_.reset();
  }
  Result<Sequence> put(std::string key, std::string value) {
    const auto transaction = engine_->begin();
    transaction->put(std::move(key), std::move(value));
    return run_to_end(loop, transaction->commit());
  }
  Result<std::optional<std::string>> get(std::string key) {
    return run_to_end(loop, engine_->snapshot()->get(std::move(key)));
  }
  std::vector<std::filesystem::path> index_files(const std::string& extension) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(root_ + "/index")) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    return found;
  }

  LogEngineOptions options;
  std::shared_ptr<FullFiles> files = std::make_shared<FullFiles>();

 private:
  const TestFolder folder_;
  const std::string root_ = folder_.path();
  Workers workers_{{.threads = kThreads}};
  std::unique_ptr<disk::PosixDisk> disk_;
  std::unique_ptr<LogEngine> engine_;
};

class Rocks : public testing::Test {
 protected:
  Rocks() { set_log_level(LogLevel::kError); }
  ~Rocks() override { set_log_level(LogLevel::kInfo); }
  RocksRig rig_;
};

}  // namespace tombolo::kv
