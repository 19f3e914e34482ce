// What the tests of the log engine run on: a memory disk that can fail, a memory index that survives its engine.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "base/endian.h"
#include "base/random.h"
#include "disk/memory/memory_disk.h"
#include "disk/memory/memory_file.h"
#include "kv/contract_test.h"
#include "kv/log/log_engine.h"
#include "kv/memory/memory_index.h"

namespace tombolo::kv {

/// Counts the operations that change a disk. From number `fail_from` on, all fail as a dead machine's would; number
/// `fail_once` alone fails with `code`.
struct DiskFaults {
  std::atomic<int> operations{0};
  std::atomic<int> fail_from{1 << 30};
  std::atomic<int> syncs{0};
  std::atomic<int> fail_sync{1 << 30};  // this sync alone fails
  std::atomic<bool> no_descriptors{false};
  std::atomic<bool> no_descriptors_for_directories{false};
  std::atomic<bool> no_removals{false};
  std::atomic<bool> read_only{false};
  enum class Pages { kNothingWritten, kKept, kReverted, kToldLate } pages = Pages::kNothingWritten;  // and leaves that
  SeededRandom random{9};

  Result<void> next() {
    if (++operations >= fail_from) return Error{Code::kUnavailable, "the machine is dead"};
    return {};
  }
};

class FaultyFile final : public disk::File {
 public:
  FaultyFile(std::unique_ptr<disk::File> inner, DiskFaults& faults) : inner_(std::move(inner)), faults_(faults) {}
  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override {
    return inner_->read(offset, out, site);
  }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override {
    CO_CHECK(faults_.next());
    co_return co_await inner_->write(offset, bytes, site);
  }
  Task<void> sync(CallSite site) override {
    CO_CHECK(faults_.next());
    auto& file = dynamic_cast<disk::MemoryFile&>(*inner_);
    const bool fails = ++faults_.syncs == faults_.fail_sync;
    if (fails && faults_.pages == DiskFaults::Pages::kToldLate) co_return file.sync_into_journal_now();
    if (!fails && !file.in_journal_now()) co_return co_await inner_->sync(site);
    if (faults_.pages != DiskFaults::Pages::kNothingWritten) {
      const bool reverted = faults_.pages == DiskFaults::Pages::kReverted;
      CO_CHECK(file.lose_now(reverted ? disk::LostPages::kReverted : disk::LostPages::kKept, faults_.random));
    }
    co_return Error{Code::kUnavailable, "the device lost a write"};
  }
  Task<std::uint64_t> size(CallSite site) override { return inner_->size(site); }
  Task<void> truncate(std::uint64_t size, CallSite site) override { return inner_->truncate(size, site); }
  Task<void> reserve(std::uint64_t size, CallSite site) override {
    CO_CHECK(faults_.next());
    co_return co_await inner_->reserve(size, site);
  }

 private:
  std::unique_ptr<disk::File> inner_;
  DiskFaults& faults_;
};

class FaultyDisk final : public disk::Disk {
 public:
  FaultyDisk(disk::Disk& inner, DiskFaults& faults) : inner_(inner), faults_(faults) {}
  Task<std::unique_ptr<disk::File>> open(std::string path, disk::Open mode, CallSite site) override {
    if (faults_.no_descriptors) co_return Error{Code::kBusy, "too many open files"};
    if (faults_.read_only) co_return Error{Code::kPermissionDenied, "read-only file system"};
    if (mode == disk::Open::kCreateNew) {
      CO_CHECK(faults_.next());
    }
    CO_TRY_ASSIGN(auto file, inner_.open(std::move(path), mode, site));
    co_return std::make_unique<FaultyFile>(std::move(file), faults_);
  }
  Task<void> remove(std::string path, CallSite site) override {
    if (faults_.no_removals) co_return Error{Code::kUnavailable, "the device fails"};
    CO_CHECK(faults_.next());
    co_return co_await inner_.remove(std::move(path), site);
  }
  Task<void> rename(std::string from, std::string to, CallSite site) override {
    CO_CHECK(faults_.next());
    co_return co_await inner_.rename(std::move(from), std::move(to), site);
  }
  Task<void> make_directory(std::string path, CallSite site) override {
    return inner_.make_directory(std::move(path), site);
  }
  Task<std::vector<disk::Entry>> list(std::string path, CallSite site) override {
    return inner_.list(std::move(path), site);
  }
  Task<void> sync_directory(std::string path, CallSite site) override {
    if (faults_.no_descriptors_for_directories) co_return Error{Code::kBusy, "too many open files"};
    CO_CHECK(faults_.next());
    co_return co_await inner_.sync_directory(std::move(path), site);
  }
  Task<disk::Space> space(CallSite site) override { return inner_.space(site); }

 private:
  disk::Disk& inner_;
  DiskFaults& faults_;
};

struct IndexFaults {
  std::atomic<int> failing_applies{0};
  std::function<void()> after_snapshot;  // runs once, between the next snapshot and whoever asked for it
  std::atomic<std::uint64_t> flush_bytes{0};
};

/// Lends a MemoryIndex to one engine after another.
class LentIndex final : public Index {
 public:
  LentIndex(MemoryIndex& rows, IndexFaults& faults) : rows_(rows), faults_(faults) {}
  Position applied() const override { return rows_.applied(); }
  Task<void> apply(const std::vector<LogEntry>& group, Position to) override {
    if (faults_.failing_applies > 0) {
      --faults_.failing_applies;
      co_return Error{Code::kNoSpace, "no room to apply"};
    }
    co_return co_await rows_.apply(group, to);
  }
  std::unique_ptr<Snapshot> snapshot() override {
    auto shown = rows_.snapshot();
    if (const auto hook = std::exchange(faults_.after_snapshot, nullptr)) hook();
    return shown;
  }
  Task<void> flush() override { return rows_.flush(); }
  std::uint64_t flush_bytes() const override { return faults_.flush_bytes; }
  Task<void> verify() override { return rows_.verify(); }

 private:
  MemoryIndex& rows_;
  IndexFaults& faults_;
};

class LogRig : public Harness {
 public:
  explicit LogRig(bool opened = true) {
    options.log.file_bytes = 64 * 1024;
    options.free_bytes_min = 0;
    if (!opened) return;
    EXPECT_TRUE(open().ok());
  }
  ~LogRig() override { stop(); }

  Engine& engine() override { return *engine_; }
  LogEngine& log_engine() { return *engine_; }
  bool is_open() const { return engine_ != nullptr; }
  bool reopen() override {
    EXPECT_TRUE(run_to_end(loop, engine_->close()).ok());
    engine_.reset();
    const auto opened = open();
    EXPECT_TRUE(opened.ok()) << to_string(opened.error());
    return true;
  }

  Result<void> open() {
    LogEngine::Services services{.disk = disk,
                                 .index = std::make_unique<LentIndex>(rows, index_faults),
                                 .clock = clock,
                                 .random = random,
                                 .executor = loop.get_executor()};
    TRY_ASSIGN(engine_, run_to_end(loop, LogEngine::open(std::move(services), options)));
    return {};
  }
  /// Ends the engine as if the process had been killed.
  void stop() {
    if (!engine_) return;
    EXPECT_TRUE(run_to_end(loop, engine_->stop()).ok());
    engine_.reset();
  }
  /// The process dies; with power loss, unsynced bytes and unflushed rows too.
  void kill() {
    stop();
    rows.crash();
    faults.fail_from = 1 << 30;
  }
  void lose_power() {
    kill();
    memory.crash();
  }

  Result<Sequence> put(std::string key, std::string value) {
    const auto transaction = engine_->begin();
    transaction->put(std::move(key), std::move(value));
    return run_to_end(loop, transaction->commit());
  }
  std::optional<std::string> get(std::string key) {
    auto found = run_to_end(loop, engine_->snapshot()->get(std::move(key)));
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::nullopt;
  }
  std::vector<std::string> log_files() {
    std::vector<std::string> names;
    auto entries = run_to_end(loop, memory.list("log"));
    for (const auto& entry : *entries) {
      if (entry.name.ends_with(".log")) names.push_back(entry.name);
    }
    return names;
  }
  Bytes read_file(std::string name) {
    auto file = run_to_end(loop, memory.open("log/" + name, disk::Open::kRead));
    Bytes bytes(*run_to_end(loop, (*file)->size()));
    EXPECT_TRUE(run_to_end(loop, (*file)->read(0, bytes)).ok());
    return bytes;
  }
  void write_file(std::string name, std::uint64_t offset, BytesView bytes) {
    auto file = run_to_end(loop, memory.open("log/" + name, disk::Open::kReadWrite));
    EXPECT_TRUE(run_to_end(loop, (*file)->write(offset, bytes)).ok());
    EXPECT_TRUE(run_to_end(loop, (*file)->sync()).ok());
  }
  void cut_file(std::string name, std::uint64_t size) {
    auto file = run_to_end(loop, memory.open("log/" + name, disk::Open::kReadWrite));
    EXPECT_TRUE(run_to_end(loop, (*file)->truncate(size)).ok());
    EXPECT_TRUE(run_to_end(loop, (*file)->sync()).ok());
  }
  void flip_bit(std::string name, std::uint64_t offset) {
    const std::byte flipped = read_file(name)[offset] ^ std::byte{0x10};
    write_file(std::move(name), offset, {&flipped, 1});
  }

  disk::MemoryDisk memory;
  DiskFaults faults;
  FaultyDisk disk{memory, faults};
  MemoryIndex rows;
  IndexFaults index_faults;
  LogEngineOptions options;

 private:
  std::unique_ptr<LogEngine> engine_;
};

}  // namespace tombolo::kv
