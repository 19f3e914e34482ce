#include "testing/unsynced_file.h"

#include <algorithm>

namespace tombolo::testing {

namespace {

std::ptrdiff_t index(std::uint64_t value) {
  return static_cast<std::ptrdiff_t>(value);
}

}  // namespace

Task<void> UnsyncedNode::read(std::uint64_t offset, MutableBytes out) {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  if (offset > size_ || out.size() > size_ - offset) {
    co_return Error{Code::kOutOfRange, "the file ends before the range to read"};
  }
  std::fill(out.begin(), out.end(), std::byte{});
  if (offset < kept_) {
    const MutableBytes synced = out.first(std::min<std::uint64_t>(out.size(), kept_ - offset));
    if (file_) {
      CO_TRY(file_->read(offset, synced));
    } else {
      std::copy_n(memory_.begin() + index(offset), synced.size(), synced.begin());
    }
  }
  auto extent = overlay_.upper_bound(offset);
  if (extent != overlay_.begin()) --extent;
  for (; extent != overlay_.end() && extent->first < offset + out.size(); ++extent) {
    const std::uint64_t begin = std::max(offset, extent->first);
    const std::uint64_t end = std::min(offset + out.size(), extent->first + extent->second.size());
    if (begin >= end) continue;
    std::copy(extent->second.begin() + index(begin - extent->first),
              extent->second.begin() + index(end - extent->first), out.begin() + index(begin - offset));
  }
  co_return Result<void>{};
}

void UnsyncedNode::clear_overlay(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  auto extent = overlay_.upper_bound(offset);
  if (extent != overlay_.begin()) --extent;
  while (extent != overlay_.end() && extent->first < end) {
    const std::uint64_t extent_begin = extent->first;
    Bytes bytes = std::move(extent->second);
    extent = overlay_.erase(extent);
    const std::uint64_t extent_end = extent_begin + bytes.size();
    if (extent_begin < offset) {
      const std::uint64_t front = std::min(extent_end, offset) - extent_begin;
      overlay_.emplace(extent_begin, Bytes(bytes.begin(), bytes.begin() + index(front)));
    }
    if (extent_end > end) overlay_.emplace(end, Bytes(bytes.begin() + index(end - extent_begin), bytes.end()));
  }
}

Task<void> UnsyncedNode::write(std::uint64_t offset, BytesView bytes) {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  if (bytes.empty()) co_return Result<void>{};
  clear_overlay(offset, bytes.size());
  overlay_.emplace(offset, to_bytes(bytes));
  size_ = std::max<std::uint64_t>(size_, offset + bytes.size());
  co_return Result<void>{};
}

Task<void> UnsyncedNode::sync() {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  if (kept_ < synced_size_) {
    CO_TRY(resize(kept_));
  }
  for (const auto& [offset, bytes] : overlay_) {
    CO_TRY(store(offset, bytes));
  }
  if (synced_size_ != size_) {
    CO_TRY(resize(size_));
  }
  if (file_) {
    CO_TRY(file_->sync());
  }
  kept_ = size_;
  overlay_.clear();
  co_return Result<void>{};
}

Task<void> UnsyncedNode::store(std::uint64_t offset, BytesView bytes) {
  if (file_) {
    CO_TRY(file_->write(offset, bytes));
  } else {
    memory_.resize(std::max<std::size_t>(memory_.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), memory_.begin() + index(offset));
  }
  synced_size_ = std::max<std::uint64_t>(synced_size_, offset + bytes.size());
  co_return Result<void>{};
}

Task<void> UnsyncedNode::resize(std::uint64_t size) {
  if (file_) {
    CO_TRY(file_->truncate(size));
  } else {
    memory_.resize(size);
  }
  synced_size_ = size;
  co_return Result<void>{};
}

Task<std::uint64_t> UnsyncedNode::size() {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  co_return size_;
}

Task<void> UnsyncedNode::truncate(std::uint64_t size) {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  if (size < size_) clear_overlay(size, size_ - size);
  kept_ = std::min(kept_, size);
  size_ = size;
  co_return Result<void>{};
}

Task<void> UnsyncedNode::reserve(disk::Disk& disk, std::uint64_t size) {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  if (file_) co_return co_await file_->reserve(size);
  CO_TRY_ASSIGN(const disk::Space space, disk.space());
  if (space.free_bytes < size) co_return Error{Code::kNoSpace, "the disk is full"};
  co_return Result<void>{};
}

Task<void> UnsyncedNode::link(disk::Disk& disk, std::string path) {
  CO_TRY_ASSIGN(const auto turn, mutex_.lock());
  CO_TRY_ASSIGN(auto file, disk.open(path, disk::Open::kCreateNew));
  CO_TRY(file->write(0, memory_));
  CO_TRY(file->sync());
  file_ = std::move(file);
  memory_ = {};
  linked_path_ = std::move(path);
  co_return Result<void>{};
}

}  // namespace tombolo::testing
