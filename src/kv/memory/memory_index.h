// MemoryIndex: rows in memory with every version that an open snapshot may see, and a flushed image that outlives a
// crash, so that crash tests of everything above it are cheap.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "kv/commit/index.h"

namespace tombolo::kv {

/// Thread-safe. Snapshots must not outlive it.
class MemoryIndex final : public Index {
 public:
  MemoryIndex();
  ~MemoryIndex() override;

  Position applied() const override;
  Task<void> apply(const std::vector<LogEntry>& group, Position to) override;
  std::unique_ptr<Snapshot> snapshot() override;
  Task<void> flush() override;
  std::uint64_t flush_bytes() const override { return 0; }
  Task<void> verify() override { co_return Result<void>{}; }  // there are no files

  void apply_now(const std::vector<LogEntry>& group, Position to);
  std::optional<std::string> latest(const std::string& key) const;
  /// Power loss: back to what flush() kept. Requires that no snapshot is open.
  void crash();
  std::size_t versions() const;  // kept, for tests

 private:
  class View;
  struct Version {
    std::uint64_t number;  // of the apply() that wrote it
    std::optional<std::string> value;
  };
  using Versions = std::vector<Version>;  // oldest first, never empty
  using Rows = std::map<std::string, Versions, std::less<>>;

  static const std::optional<std::string>* at(const Versions& versions, std::uint64_t number);
  void forget();
  void close_view(std::uint64_t number);

  mutable std::mutex mutex_;
  Rows rows_;
  std::uint64_t number_ = 0;
  std::multiset<std::uint64_t> views_;
  std::deque<std::pair<std::uint64_t, std::string>> superseded_;  // key written by apply() number over an older version
  Position applied_;
  std::map<std::string, std::string> flushed_rows_;
  Position flushed_;
};

}  // namespace tombolo::kv
