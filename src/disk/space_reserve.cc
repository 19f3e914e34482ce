#include "disk/space_reserve.h"

#include "base/assert.h"
#include "base/log.h"

namespace tombolo::disk {
namespace {

// Between giving back and taking again, so that the two never chase each other.
constexpr std::uint64_t kTakeFactor = 4;

}  // namespace

SpaceReserve::SpaceReserve(Disk& disk, std::string path, std::uint64_t bytes)
    : disk_(disk), path_(std::move(path)), bytes_(bytes) {
  ASSERT(bytes_ > 0);
}

Task<void> SpaceReserve::balance() {
  CO_TRY_ASSIGN(const Space space, disk_.space());
  if (space.free_bytes < bytes_) co_return co_await give_back();
  if (!held_ && space.free_bytes >= kTakeFactor * bytes_) co_return co_await take();
  co_return Result<void>{};
}

Task<void> SpaceReserve::give_back() {
  held_ = false;
  const Result<void> removed = co_await disk_.remove(path_);
  if (removed.ok()) {
    log(LogLevel::kWarn, "disk", "the disk is full: the reserve of {} bytes is given back; free space soon", bytes_);
  } else if (removed.error().code != Code::kNotFound) {
    co_return removed.error();
  }
  co_return Result<void>{};
}

Task<void> SpaceReserve::take() {
  auto opened = co_await disk_.open(path_, Open::kReadWrite);
  if (!opened.ok() && opened.error().code == Code::kNotFound) opened = co_await disk_.open(path_, Open::kCreateNew);
  if (!opened.ok()) co_return std::move(opened).error();
  const std::unique_ptr<File> file = *std::move(opened);
  // Others may have been quicker: there will be another time.
  const Result<void> reserved = co_await file->reserve(bytes_);
  held_ = reserved.ok();
  co_return Result<void>{};
}

}  // namespace tombolo::disk
