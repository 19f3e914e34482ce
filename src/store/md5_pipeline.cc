#include "store/md5_pipeline.h"

#include "async/workers.h"
#include "base/units.h"

namespace tombolo::store {
namespace {
constexpr std::size_t kHashInPlaceMax = 8 * kKiB;  // about 12 µs of MD5, the price of a hop and back
}

Task<void> Md5Pipeline::drain() {
  if (!pending_) co_return Result<void>{};
  const OneShot<void> pending = *pending_;
  pending_.reset();
  co_return co_await pending.wait();
}

Task<void> Md5Pipeline::add(Block block) {
  CO_TRY(drain());
  if (block.size() <= kHashInPlaceMax) {
    md5_->update(block.view());
    co_return Result<void>{};
  }
  OneShot<void> done;
  std::function<void()> job = [md5 = md5_, block, done] {
    md5->update(block.view());
    done.set({});
  };
  if (!workers_.submit(std::move(job))) co_return Error{Code::kBusy, "too much hashing is queued; try again later"};
  pending_ = done;
  co_return Result<void>{};
}

Task<Md5Digest> Md5Pipeline::finish() {
  CO_TRY(drain());
  co_return md5_->finish();
}

}  // namespace tombolo::store
