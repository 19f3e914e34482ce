// A run's bytes into a new place: what recall and compaction have in common.
#pragma once

#include "async/byte_stream.h"
#include "data/run_writer.h"
#include "kv/kv.h"
#include "meta/model/gen.h"

namespace tombolo::data {
class SegmentStore;
}

namespace tombolo::store {

/// Writes `bytes`, which must give the whole run as its row describes it, to a place of its own: not yet synced, not
/// yet in any row. kCorrupt when length or checksums are not those of the row.
Task<data::SealedRun> rewrite_run(data::SegmentStore& segments, TenantId tenant, meta::Run run, ByteSource& bytes,
                                  kv::Purpose purpose = kv::Purpose::kStores);

}  // namespace tombolo::store
