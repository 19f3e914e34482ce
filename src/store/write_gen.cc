#include "store/write_gen.h"

#include "base/assert.h"
#include "base/crc64.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "data/segment_store.h"
#include "meta/ops/gens.h"
#include "store/services.h"

namespace tombolo::store {

static_assert(meta::kRunBytesMax == data::kRunBytesMax && meta::kGranuleBytes == data::kGranuleBytes);

GenWriter::GenWriter(Services& services, TenantId tenant, std::uint64_t length)
    : services_(services), tenant_(tenant), length_(length) {}

Task<void> GenWriter::begin() {
  if (!gen_) {
    CO_TRY_ASSIGN(gen_, services_.cell.ids.next_id<GenId>());
  }
  co_return Result<void>{};
}

Task<void> GenWriter::append(Block block) {
  ASSERT(appended_ + block.size() <= length_);
  CO_TRY(begin());
  if (length_ <= meta::kInlineBytesMax) {
    inline_bytes_.append(as_text(block.view()));
    crc64_ = crc64(block.view(), crc64_);
    appended_ += block.size();
    co_return Result<void>{};
  }
  co_return co_await append_to_runs(std::move(block));
}

Task<void> GenWriter::append_to_runs(Block block) {
  while (!block.empty()) {
    if (run_ == nullptr) {
      if (batch_.size() >= services_.limits.batch_runs) {
        CO_TRY(stage());
      }
      data::BeginRun place;
      place.tenant = tenant_;
      place.gen = gen_;
      place.gen_offset = appended_;
      place.length_max = std::min(services_.limits.run_bytes_max, length_ - appended_);
      CO_TRY_ASSIGN(run_, services_.segments.begin_run(place));
    }
    const std::size_t step = std::min<std::uint64_t>(block.size(), run_->room());
    CO_TRY(run_->append(block.slice(0, step)));
    appended_ += step;
    block = block.slice(step, block.size() - step);
    if (run_->room() == 0) {
      CO_TRY(seal());
    }
  }
  co_return Result<void>{};
}

Task<void> GenWriter::seal() {
  CO_TRY_ASSIGN(data::SealedRun sealed, run_->seal());
  run_.reset();
  crc64_ = crc64_combine(crc64_, sealed.place.crc64, sealed.place.length);
  batch_.push_back(std::move(sealed));
  co_return Result<void>{};
}

Task<void> GenWriter::sync() {
  std::vector<SegmentId> segments;
  segments.reserve(batch_.size());
  for (const data::SealedRun& run : batch_) segments.push_back(run.place.segment);
  if (segments.empty()) co_return Result<void>{};
  co_return co_await services_.segments.sync(std::move(segments));
}

std::vector<meta::Run> GenWriter::take_rows() {
  std::vector<meta::Run> rows;
  rows.reserve(batch_.size());
  for (data::SealedRun& run : batch_) {
    meta::Run row;
    row.gen = gen_;
    row.offset = sealed_end_;
    row.length = run.place.length;
    row.granule_crcs = std::move(run.place.granule_crcs);
    row.local = meta::LocalPlace{run.place.segment, run.place.offset};
    sealed_end_ += row.length;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Runs are synced before the rows that name them (core.md §2); their pins go when the rows are in.
Task<void> GenWriter::stage() {
  if (!staged_) {
    CO_TRY(meta::create_gen(services_.cell, tenant_, gen_, meta::GenShape::kRuns));
    staged_ = true;
  }
  CO_TRY(sync());
  CO_TRY(meta::add_runs(services_.cell, tenant_, gen_, take_rows()));
  batch_.clear();
  co_return Result<void>{};
}

Task<meta::NewGen> GenWriter::finish() {
  ASSERT(appended_ == length_ && run_ == nullptr);
  CO_TRY(begin());
  if (!planted(PlantedBug::publish_before_runs)) {
    CO_TRY(sync());
  }
  meta::NewGen out;
  out.origin = staged_ ? meta::GenOrigin::kStaged : meta::GenOrigin::kFresh;
  out.gen.id = gen_;
  out.gen.shape = length_ <= meta::kInlineBytesMax ? meta::GenShape::kInline : meta::GenShape::kRuns;
  out.gen.length = length_;
  out.gen.crc64 = crc64_;
  out.gen.inline_bytes = inline_bytes_;
  out.runs = take_rows();
  co_return out;
}

Task<void> GenWriter::abandon() {
  if (!staged_) co_return Result<void>{};
  const Result<void> done = co_await meta::abandon_gen(services_.cell, tenant_, gen_);
  if (!done.ok()) {
    log(LogLevel::kWarn, "store", "staged gen {} stays until its writer's process is gone: {}", gen_.value,
        to_string(done.error()));
  }
  co_return Result<void>{};
}

}  // namespace tombolo::store
