// Cell: what the operations of meta/ops work with.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "kv/kv.h"
#include "meta/held_seals.h"
#include "meta/stamps.h"

namespace tombolo::meta {

struct LocalPlace;

/// Keeps the live bytes of segments true: called inside the transaction that places or frees a run, once per m row.
/// data/ defines the rows; whoever composes meta and data implements this (meta never sees segments). Calls only
/// `txn.add` (a body may run several times). Thread-safe.
class SegmentLedger {
 public:
  virtual ~SegmentLedger() = default;
  /// `length` is that of the run's bytes, without its header.
  virtual void placed(kv::Transaction& txn, LocalPlace place, std::uint64_t length) = 0;
  virtual void freed(kv::Transaction& txn, LocalPlace place, std::uint64_t length) = 0;
};

/// Everything in it is thread-safe and outlives every operation. Copy it freely.
struct Cell {
  kv::Engine& engine;
  Random& random;
  Clock& clock;
  Stamper& stamper;
  IdAllocator& ids;
  SegmentLedger& ledger;
  HeldSeals& seals;
};

}  // namespace tombolo::meta
