#include "disk/memory/memory_tree.h"

#include <algorithm>
#include <utility>

namespace tombolo::disk {

namespace {

void play(Bytes& image, const MemoryChange& change) {
  if (change.truncate_to) {
    image.resize(*change.truncate_to);
    return;
  }
  image.resize(std::max<std::size_t>(image.size(), change.offset + change.bytes.size()));
  std::copy(change.bytes.begin(), change.bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

}  // namespace

std::uint64_t MemoryUsage::free() const {
  if (!limit) return std::uint64_t{1} << 40;
  return *limit - std::min(*limit, used);
}

MemoryInode::~MemoryInode() {
  usage_->used -= held_;
}

bool MemoryInode::hold(std::uint64_t size) {
  if (size <= held_) return true;
  if (size - held_ > usage_->free()) return false;
  usage_->used += size - held_;
  held_ = size;
  return true;
}

Result<void> MemoryInode::read(std::uint64_t offset, MutableBytes out) const {
  if (offset > current_.size() || out.size() > current_.size() - offset) {
    return Error{Code::kOutOfRange, "the file ends before the range to read"};
  }
  std::copy_n(current_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return {};
}

Result<void> MemoryInode::write(std::uint64_t offset, BytesView bytes) {
  const std::uint64_t wanted = offset + bytes.size();
  const bool fits = hold(wanted);
  if (!fits) {
    const std::uint64_t end = std::max(held_, held_ + usage_->free());
    hold(end);
    bytes = bytes.first(end > offset ? std::min<std::uint64_t>(bytes.size(), end - offset) : 0);
  }
  if (!bytes.empty()) {
    unsynced_.push_back({offset, to_bytes(bytes), std::nullopt});
    play(current_, unsynced_.back());
  }
  if (!fits) return Error{Code::kNoSpace, "the disk is full"};
  return {};
}

Result<void> MemoryInode::truncate(std::uint64_t size) {
  if (!hold(size)) return Error{Code::kNoSpace, "the disk is full"};
  unsynced_.push_back({0, {}, size});
  play(current_, unsynced_.back());
  usage_->used -= held_ - size;
  held_ = size;
  return {};
}

Result<void> MemoryInode::reserve(std::uint64_t size) {
  if (!hold(size)) return Error{Code::kNoSpace, "the disk is full"};
  return {};
}

Result<void> MemoryInode::extend(std::uint64_t size) {
  if (size <= current_.size()) return {};
  TRY(reserve(size));
  unsynced_.push_back({0, {}, size});
  play(current_, unsynced_.back());
  return {};
}

void MemoryInode::sync() {
  for (const auto& change : unsynced_) play(durable_, change);
  unsynced_.clear();
}

void MemoryInode::crash() {
  current_ = durable_;
  unsynced_.clear();
  usage_->used -= held_ - std::min<std::uint64_t>(held_, current_.size());
  held_ = std::min<std::uint64_t>(held_, current_.size());
  hold(current_.size());
}

void MemoryDirectory::crash() {
  current = durable;
  for (auto& [name, node] : current) {
    if (auto* file = std::get_if<std::shared_ptr<MemoryInode>>(&node)) (*file)->crash();
    if (auto* directory = std::get_if<std::shared_ptr<MemoryDirectory>>(&node)) (*directory)->crash();
  }
}

}  // namespace tombolo::disk
