#include "testing/paced_disk.h"

namespace tombolo::testing {

namespace {

template <class T>
Task<T> paced(Pace& pace, Task<T> call) {
  CO_TRY(pace.pause());
  auto result = co_await std::move(call);
  CO_TRY(pace.pause());
  co_return result;
}

}  // namespace

Task<void> PacedFile::read(std::uint64_t offset, MutableBytes out, CallSite site) {
  return paced(pace_, inner_->read(offset, out, site));
}

Task<void> PacedFile::write(std::uint64_t offset, BytesView bytes, CallSite site) {
  return paced(pace_, inner_->write(offset, bytes, site));
}

Task<void> PacedFile::write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite site) {
  return paced(pace_, inner_->write_direct(offset, pieces, site));
}

Task<void> PacedFile::sync(CallSite site) {
  return paced(pace_, inner_->sync(site));
}

Task<std::uint64_t> PacedFile::size(CallSite site) {
  return inner_->size(site);
}

Task<void> PacedFile::truncate(std::uint64_t size, CallSite site) {
  return paced(pace_, inner_->truncate(size, site));
}

Task<void> PacedFile::reserve(std::uint64_t size, CallSite site) {
  return paced(pace_, inner_->reserve(size, site));
}

Task<void> PacedFile::extend(std::uint64_t size, CallSite site) {
  return paced(pace_, inner_->extend(size, site));
}

Task<std::unique_ptr<disk::File>> PacedDisk::open(std::string path, disk::Open mode, CallSite site) {
  CO_TRY_ASSIGN(auto file, paced(pace_, inner_.open(std::move(path), mode, site)));
  co_return std::make_unique<PacedFile>(std::move(file), pace_);
}

Task<void> PacedDisk::remove(std::string path, CallSite site) {
  return paced(pace_, inner_.remove(std::move(path), site));
}

Task<void> PacedDisk::rename(std::string from, std::string to, CallSite site) {
  return paced(pace_, inner_.rename(std::move(from), std::move(to), site));
}

Task<void> PacedDisk::make_directory(std::string path, CallSite site) {
  return paced(pace_, inner_.make_directory(std::move(path), site));
}

Task<std::vector<disk::Entry>> PacedDisk::list(std::string path, CallSite site) {
  return paced(pace_, inner_.list(std::move(path), site));
}

Task<void> PacedDisk::sync_directory(std::string path, CallSite site) {
  return paced(pace_, inner_.sync_directory(std::move(path), site));
}

}  // namespace tombolo::testing
