#include "store/rewrite_run.h"

#include <fmt/format.h>

#include "data/segment_store.h"

namespace tombolo::store {
namespace {

Error differs(const meta::Run& run, std::string_view what) {
  return Error{Code::kCorrupt, fmt::format("gen {}, run at {}: the copied bytes differ from the row in {}",
                                           run.gen.value, run.offset, what)};
}

}  // namespace

Task<data::SealedRun> rewrite_run(data::SegmentStore& segments, TenantId tenant, meta::Run run, ByteSource& bytes,
                                  kv::Purpose purpose) {
  data::BeginRun place;
  place.tenant = tenant;
  place.gen = run.gen;
  place.gen_offset = run.offset;
  place.length_max = run.length;
  place.purpose = purpose;
  CO_TRY_ASSIGN(const std::unique_ptr<data::RunWriter> writer, segments.begin_run(place));
  while (true) {
    CO_TRY_ASSIGN(const Block block, bytes.next());
    if (block.empty()) break;
    if (block.size() > writer->room()) co_return differs(run, "length");
    CO_TRY(writer->append(block));
  }
  if (writer->length() != run.length) co_return differs(run, "length");
  CO_TRY_ASSIGN(data::SealedRun sealed, writer->seal());
  if (sealed.place.granule_crcs != run.granule_crcs) co_return differs(run, "checksums");
  co_return sealed;
}

}  // namespace tombolo::store
