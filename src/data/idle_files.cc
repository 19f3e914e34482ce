#include "data/idle_files.h"

#include "base/assert.h"

namespace tombolo::data {

std::shared_ptr<disk::File> IdleFiles::put(SegmentId segment, std::shared_ptr<disk::File> file) {
  const std::lock_guard lock(mutex_);
  idle_.push_front({.segment = segment, .file = std::move(file)});
  const bool first = places_.emplace(segment, idle_.begin()).second;
  ASSERT(first);
  if (idle_.size() <= files_max_) return nullptr;
  std::shared_ptr<disk::File> oldest = std::move(idle_.back().file);
  places_.erase(idle_.back().segment);
  idle_.pop_back();
  return oldest;
}

std::shared_ptr<disk::File> IdleFiles::take(SegmentId segment) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(segment);
  if (found == places_.end()) return nullptr;
  std::shared_ptr<disk::File> file = std::move(found->second->file);
  idle_.erase(found->second);
  places_.erase(found);
  return file;
}

}  // namespace tombolo::data
