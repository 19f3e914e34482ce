// SegmentLedger: joins the rows of runs (meta) with the live bytes of segments (data) in one transaction.
#pragma once

#include "meta/cell.h"

namespace tombolo::store {

/// For meta::Cell::ledger. Stateless.
class SegmentLedger final : public meta::SegmentLedger {
 public:
  void placed(kv::Transaction& txn, meta::LocalPlace place, std::uint64_t length) override;
  void freed(kv::Transaction& txn, meta::LocalPlace place, std::uint64_t length) override;
};

}  // namespace tombolo::store
