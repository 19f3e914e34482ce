#include "testing/sim_disk.h"

namespace tombolo::testing {

Result<void> SimFile::usable() {
  const std::lock_guard lock(mutex_);
  if (fenced_) return Error{Code::kUnavailable, "'" + path_ + "' is fenced: a sync of it failed (simulated)"};
  if (!late_) return {};
  fenced_ = true;
  return Error{Code::kUnavailable, "'" + path_ + "': an earlier sync of it had failed (simulated)"};
}

Result<void> SimFile::read_now(std::uint64_t offset, MutableBytes out) {
  const auto verdict = machine_.begin(SimStep::kRead, path_, offset);
  if (verdict.error) return *verdict.error;
  return inner_->read_now(offset, out);
}

Result<void> SimFile::write_now(std::uint64_t offset, BytesView bytes) {
  TRY(usable());
  const auto verdict = machine_.begin(SimStep::kWrite, path_, offset, bytes);
  if (verdict.error) return *verdict.error;
  auto written = inner_->write_now(offset, bytes);
  if (verdict.dies_after) return machine_.die();
  return written;
}

Result<void> SimFile::sync_now() {
  TRY(usable());
  const auto verdict = machine_.begin(SimStep::kSync, path_);
  if (verdict.error) return *verdict.error;
  Result<void> synced;
  if (verdict.sync_fault) {
    const bool reverts = verdict.sync_fault == SyncFault::kPagesReverted;
    const bool ordered = path_.starts_with(std::string(SimDisk::kIndexDirectory) + "/");
    TRY(inner_->lose_now(reverts ? disk::LostPages::kReverted : disk::LostPages::kKept, random_,
                         ordered ? disk::Order::kAsWritten : disk::Order::kAny));
    const bool late = verdict.sync_fault == SyncFault::kToldLate;
    const std::lock_guard lock(mutex_);
    (late ? late_ : fenced_) = true;
    if (!late) synced = Error{Code::kUnavailable, "'" + path_ + "' could not be synced (simulated)"};
  } else if (syncs_ == Syncs::kHonest) {
    synced = inner_->sync_now();
  }
  if (verdict.dies_after) return machine_.die();
  return synced;
}

Result<std::uint64_t> SimFile::size_now() {
  if (machine_.dead()) return SimMachine::dead_error();
  return inner_->size_now();
}

Result<void> SimFile::truncate_now(std::uint64_t size) {
  TRY(usable());
  return machine_.change(SimStep::kTruncate, path_, [&] { return inner_->truncate_now(size); });
}

Result<void> SimFile::reserve_now(std::uint64_t size) {
  TRY(usable());
  return machine_.change(SimStep::kReserve, path_, [&] { return inner_->reserve_now(size); });
}

Result<void> SimFile::extend_now(std::uint64_t size) {
  TRY(usable());
  return machine_.change(SimStep::kReserve, path_, [&] { return inner_->extend_now(size); });
}

void SimDisk::lose_power(disk::PowerLoss::Unsynced unsynced) {
  memory_.crash({.unsynced = unsynced, .random = &random_, .ordered = {std::string(kIndexDirectory)}});
  machine_.revive();
}

void SimDisk::kill() {
  memory_.kill();
  machine_.revive();
}

std::uint64_t SimDisk::used_bytes() {
  const disk::Space space = memory_.space_now();
  return space.total_bytes - space.free_bytes;
}

Result<std::unique_ptr<SimFile>> SimDisk::open_now(const std::string& path, disk::Open mode) {
  const auto open = [&]() -> Result<std::unique_ptr<SimFile>> {
    TRY_ASSIGN(auto inner, memory_.open_now(path, mode));
    const bool forgets = !forgotten_.empty() && path.starts_with(forgotten_ + "/");
    const auto syncs = forgets ? SimFile::Syncs::kForgotten : SimFile::Syncs::kHonest;
    return std::make_unique<SimFile>(machine_, random_, syncs, path, std::move(inner));
  };
  if (mode == disk::Open::kCreateNew) return machine_.change(SimStep::kCreate, path, open);
  if (machine_.dead()) return SimMachine::dead_error();
  return open();
}

Result<void> SimDisk::remove_now(const std::string& path) {
  return machine_.change(SimStep::kRemove, path, [&] { return memory_.remove_now(path); });
}

Result<void> SimDisk::rename_now(const std::string& from, const std::string& to) {
  return machine_.change(SimStep::kRename, to, [&] { return memory_.rename_now(from, to); });
}

Result<void> SimDisk::make_directory_now(const std::string& path) {
  return machine_.change(SimStep::kMakeDirectory, path, [&] { return memory_.make_directory_now(path); });
}

Result<std::vector<disk::Entry>> SimDisk::list_now(const std::string& path) {
  if (machine_.dead()) return SimMachine::dead_error();
  return memory_.list_now(path);
}

Result<void> SimDisk::sync_directory_now(const std::string& path) {
  return machine_.change(SimStep::kSyncDirectory, path, [&] { return memory_.sync_directory_now(path); });
}

Task<std::unique_ptr<disk::File>> SimDisk::open(std::string path, disk::Open mode) {
  CO_CHECK_ASSIGN(std::unique_ptr<disk::File> file, open_now(path, mode));
  co_return std::move(file);
}

}  // namespace tombolo::testing
