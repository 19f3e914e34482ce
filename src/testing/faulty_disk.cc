#include "testing/faulty_disk.h"

#include <algorithm>
#include <atomic>

namespace tombolo::testing {

class FaultyFile final : public disk::File {
 public:
  FaultyFile(std::string path, std::unique_ptr<disk::File> inner, std::shared_ptr<FaultyDisk::State> state)
      : path_(std::move(path)), inner_(std::move(inner)), state_(std::move(state)) {}

  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override {
    CO_CHECK(state_->admit(DiskCall::kRead));
    CO_CHECK(state_->find_lost(path_, offset, offset + out.size()));
    co_return co_await inner_->read(offset, out, site);
  }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override {
    CO_CHECK(may_write(bytes.size()));
    state_->written(path_, offset, offset + bytes.size());
    co_return co_await inner_->write(offset, bytes, site);
  }
  Task<void> write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite site) override {
    std::uint64_t bytes = 0;
    for (const BytesView piece : pieces) bytes += piece.size();
    CO_CHECK(may_write(bytes));
    state_->written(path_, offset, offset + bytes);
    co_return co_await inner_->write_direct(offset, pieces, site);
  }
  Task<void> sync(CallSite site) override {
    OneShot<void> turn;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->holding_syncs) {
        state_->held_syncs.push_back(turn);
      } else {
        turn.set({});
      }
    }
    CO_TRY(turn.wait());
    CO_CHECK(usable());
    const auto admitted = state_->admit(DiskCall::kSync);
    if (!admitted.ok()) {
      fenced_ = true;
      co_return admitted;
    }
    co_return co_await inner_->sync(site);
  }
  Task<std::uint64_t> size(CallSite site) override { return inner_->size(site); }
  Task<void> truncate(std::uint64_t size, CallSite site) override {
    CO_CHECK(usable());
    co_return co_await inner_->truncate(size, site);
  }
  Task<void> reserve(std::uint64_t size, CallSite site) override {
    CO_CHECK(usable());
    CO_CHECK(state_->spend(0));
    co_return co_await inner_->reserve(size, site);
  }
  Task<void> extend(std::uint64_t size, CallSite site) override {
    CO_CHECK(usable());
    CO_CHECK(state_->spend(0));
    co_return co_await inner_->extend(size, site);
  }

 private:
  Result<void> may_write(std::uint64_t bytes) {
    TRY(usable());
    TRY(state_->admit(DiskCall::kWrite));
    return state_->spend(bytes);
  }
  Result<void> usable() const {
    if (!fenced_) return {};
    return Error{Code::kUnavailable, "the file is fenced: a sync of it failed (on purpose)"};
  }

  const std::string path_;
  const std::unique_ptr<disk::File> inner_;
  const std::shared_ptr<FaultyDisk::State> state_;
  std::atomic<bool> fenced_{false};
};

Result<void> FaultyDisk::State::admit(DiskCall call) {
  const std::lock_guard lock(mutex);
  const auto index = static_cast<std::size_t>(call);
  ++counts[index];
  auto& fault = faults[index];
  if (!fault) return {};
  if (fault->number > 1) {
    --fault->number;
    return {};
  }
  Error error{fault->code, "the disk fails (on purpose)"};
  if (fault->lasts == FaultLasts::kOnce) fault.reset();
  return error;
}

Result<void> FaultyDisk::State::find_lost(const std::string& path, std::uint64_t begin, std::uint64_t end) const {
  const std::lock_guard lock(mutex);
  const bool touched = std::any_of(lost.begin(), lost.end(), [&](const Lost& one) {
    return one.path == path && begin < one.end && one.begin < end;
  });
  return touched ? Result<void>(Error{Code::kUnavailable, "input/output error (on purpose)"}) : Result<void>();
}

void FaultyDisk::State::written(const std::string& path, std::uint64_t begin, std::uint64_t end) {
  const std::lock_guard lock(mutex);
  std::erase_if(lost, [&](const Lost& one) { return one.path == path && begin <= one.begin && one.end <= end; });
}

Result<void> FaultyDisk::State::spend(std::uint64_t bytes) {
  const std::lock_guard lock(mutex);
  if (!bytes_left) return {};
  if (bytes > *bytes_left || *bytes_left == 0) return Error{Code::kNoSpace, "the disk is full (on purpose)"};
  *bytes_left -= bytes;
  return {};
}

void FaultyDisk::fail(DiskFault fault) {
  const std::lock_guard lock(state_->mutex);
  state_->faults[static_cast<std::size_t>(fault.call)] = fault;
}

void FaultyDisk::lose(std::string path, std::uint64_t offset, std::uint64_t length) {
  const std::lock_guard lock(state_->mutex);
  state_->lost.push_back({std::move(path), offset, offset + length});
}

void FaultyDisk::heal() {
  const std::lock_guard lock(state_->mutex);
  state_->lost.clear();
  state_->faults.fill(std::nullopt);
}

void FaultyDisk::set_bytes_left(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->bytes_left = bytes;
}

void FaultyDisk::hold_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->holding_syncs = true;
}

void FaultyDisk::let_syncs_go() {
  std::vector<OneShot<void>> held;
  {
    const std::lock_guard lock(state_->mutex);
    state_->holding_syncs = false;
    held.swap(state_->held_syncs);
  }
  for (const auto& sync : held) sync.set({});
}

std::uint64_t FaultyDisk::count(DiskCall call) const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts[static_cast<std::size_t>(call)];
}

Task<std::unique_ptr<disk::File>> FaultyDisk::open(std::string path, disk::Open mode, CallSite site) {
  CO_CHECK(state_->admit(DiskCall::kOpen));
  CO_TRY_ASSIGN(auto inner, inner_.open(path, mode, site));
  std::unique_ptr<disk::File> file = std::make_unique<FaultyFile>(std::move(path), std::move(inner), state_);
  co_return std::move(file);
}

Task<void> FaultyDisk::remove(std::string path, CallSite site) {
  CO_CHECK(state_->admit(DiskCall::kRemove));
  co_return co_await inner_.remove(std::move(path), site);
}

Task<void> FaultyDisk::rename(std::string from, std::string to, CallSite site) {
  CO_CHECK(state_->admit(DiskCall::kRename));
  co_return co_await inner_.rename(std::move(from), std::move(to), site);
}

Task<void> FaultyDisk::make_directory(std::string path, CallSite site) {
  co_return co_await inner_.make_directory(std::move(path), site);
}

Task<std::vector<disk::Entry>> FaultyDisk::list(std::string path, CallSite site) {
  co_return co_await inner_.list(std::move(path), site);
}

Task<void> FaultyDisk::sync_directory(std::string path, CallSite site) {
  CO_CHECK(state_->admit(DiskCall::kSyncDirectory));
  co_return co_await inner_.sync_directory(std::move(path), site);
}

Task<disk::Space> FaultyDisk::space(CallSite site) {
  CO_TRY_ASSIGN(disk::Space space, inner_.space(site));
  const std::lock_guard lock(state_->mutex);
  if (state_->bytes_left) space.free_bytes = std::min(space.free_bytes, *state_->bytes_left);
  co_return space;
}

}  // namespace tombolo::testing
