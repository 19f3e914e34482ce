// PacedIndex: an index whose calls take simulated time, as those of RocksDB do that hop to a worker.
#pragma once

#include "kv/commit/index.h"
#include "testing/pace.h"

namespace tombolo::testing {

/// `pace` outlives it and its snapshots.
class PacedIndex final : public kv::Index {
 public:
  PacedIndex(std::unique_ptr<kv::Index> inner, Pace& pace) : inner_(std::move(inner)), pace_(pace) {}
  kv::Position applied() const override { return inner_->applied(); }
  Task<void> apply(const std::vector<kv::LogEntry>& group, kv::Position to) override;
  std::unique_ptr<kv::Snapshot> snapshot() override;
  Task<void> flush() override;
  std::uint64_t flush_bytes() const override { return inner_->flush_bytes(); }
  Task<void> verify() override { return inner_->verify(); }

 private:
  class View;
  const std::unique_ptr<kv::Index> inner_;
  Pace& pace_;
};

}  // namespace tombolo::testing
