#include "testing/sim_disk.h"

namespace tombolo::testing {

Result<void> SimFile::usable() {
  const std::lock_guard lock(mutex_);
  if (!fenced_) return {};
  return Error{Code::kUnavailable, "'" + path_ + "' is fenced: a sync of it failed (simulated)"};
}

Result<void> SimFile::fail_sync(SyncFault fault) {
  const auto pages = fault == SyncFault::kPagesReverted ? disk::LostPages::kReverted : disk::LostPages::kKept;
  TRY(inner_->lose_now(pages, random_));
  const std::lock_guard lock(mutex_);
  fenced_ = true;
  return Error{Code::kUnavailable, "'" + path_ + "' could not be synced (simulated)"};
}

Result<void> SimFile::read_now(std::uint64_t offset, MutableBytes out, CallSite site) {
  return machine_.run({.kind = SimStep::kRead, .where = path_, .site = site, .offset = offset},
                      [&] { return inner_->read_now(offset, out); });
}

Result<void> SimFile::write_now(std::uint64_t offset, BytesView bytes, CallSite site) {
  TRY(usable());
  return machine_.run({.kind = SimStep::kWrite, .where = path_, .site = site, .offset = offset, .bytes = bytes},
                      [&] { return inner_->write_now(offset, bytes); });
}

Result<void> SimFile::sync_now(CallSite site) {
  TRY(usable());
  const auto verdict = machine_.begin({.kind = SimStep::kSync, .where = path_, .site = site});
  if (verdict.error) return *verdict.error;
  Result<void> synced;
  if (inner_->in_journal_now()) {
    machine_.tell_late(path_);
    synced = fail_sync(SyncFault::kToldLate);
  } else if (verdict.sync_fault == SyncFault::kToldLate) {
    synced = inner_->sync_into_journal_now();
  } else if (verdict.sync_fault) {
    synced = fail_sync(*verdict.sync_fault);
  } else if (syncs_ == Syncs::kHonest) {
    synced = inner_->sync_now();
  }
  if (verdict.dies_after) return machine_.die();
  return synced;
}

Result<std::uint64_t> SimFile::size_now(CallSite site) {
  return machine_.run({.kind = SimStep::kLook, .where = path_, .site = site}, [&] { return inner_->size_now(); });
}

Result<void> SimFile::truncate_now(std::uint64_t size, CallSite site) {
  TRY(usable());
  return machine_.run({.kind = SimStep::kTruncate, .where = path_, .site = site},
                      [&] { return inner_->truncate_now(size); });
}

Result<void> SimFile::reserve_now(std::uint64_t size, CallSite site) {
  TRY(usable());
  return machine_.run({.kind = SimStep::kReserve, .where = path_, .site = site},
                      [&] { return inner_->reserve_now(size); });
}

Result<void> SimFile::extend_now(std::uint64_t size, CallSite site) {
  TRY(usable());
  return machine_.run({.kind = SimStep::kReserve, .where = path_, .site = site},
                      [&] { return inner_->extend_now(size); });
}

void SimDisk::lose_power(disk::PowerLoss::Unsynced unsynced) {
  memory_.crash({.unsynced = unsynced, .random = &random_, .spared = {std::string(kIndexDirectory)}});
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

Result<std::unique_ptr<SimFile>> SimDisk::open_now(const std::string& path, disk::Open mode, CallSite site) {
  const auto open = [&]() -> Result<std::unique_ptr<SimFile>> {
    TRY_ASSIGN(auto inner, memory_.open_now(path, mode));
    const bool forgets = !forgotten_.empty() && path.starts_with(forgotten_ + "/");
    const auto syncs = forgets ? SimFile::Syncs::kForgotten : SimFile::Syncs::kHonest;
    return std::make_unique<SimFile>(machine_, random_, syncs, path, std::move(inner));
  };
  const SimStep kind = mode == disk::Open::kCreateNew ? SimStep::kCreate : SimStep::kLook;
  return machine_.run({.kind = kind, .where = path, .site = site}, open);
}

Result<void> SimDisk::remove_now(const std::string& path, CallSite site) {
  return machine_.run({.kind = SimStep::kRemove, .where = path, .site = site},
                      [&] { return memory_.remove_now(path); });
}

Result<void> SimDisk::rename_now(const std::string& from, const std::string& to, CallSite site) {
  return machine_.run({.kind = SimStep::kRename, .where = to, .site = site},
                      [&] { return memory_.rename_now(from, to); });
}

Result<void> SimDisk::make_directory_now(const std::string& path, CallSite site) {
  return machine_.run({.kind = SimStep::kMakeDirectory, .where = path, .site = site},
                      [&] { return memory_.make_directory_now(path); });
}

Result<std::vector<disk::Entry>> SimDisk::list_now(const std::string& path, CallSite site) {
  return machine_.run({.kind = SimStep::kLook, .where = path, .site = site}, [&] { return memory_.list_now(path); });
}

Result<void> SimDisk::sync_directory_now(const std::string& path, CallSite site) {
  return machine_.run({.kind = SimStep::kSyncDirectory, .where = path, .site = site},
                      [&] { return memory_.sync_directory_now(path); });
}

Task<std::unique_ptr<disk::File>> SimDisk::open(std::string path, disk::Open mode, CallSite site) {
  CO_CHECK_ASSIGN(std::unique_ptr<disk::File> file, open_now(path, mode, site));
  co_return std::move(file);
}

Task<disk::Space> SimDisk::space(CallSite site) {
  co_return machine_.run({.kind = SimStep::kLook, .where = "space", .site = site},
                         [&]() -> Result<disk::Space> { return memory_.space_now(); });
}

}  // namespace tombolo::testing
