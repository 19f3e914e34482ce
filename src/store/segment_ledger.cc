#include "store/segment_ledger.h"

#include "data/segment_rows.h"
#include "meta/model/gen.h"

namespace tombolo::store {

void SegmentLedger::placed(kv::Transaction& txn, meta::LocalPlace place, std::uint64_t length) {
  data::segment_live_placed(txn, place.segment, place.offset, length);
}

void SegmentLedger::freed(kv::Transaction& txn, meta::LocalPlace place, std::uint64_t length) {
  data::segment_live_freed(txn, place.segment, place.offset, length);
}

}  // namespace tombolo::store
