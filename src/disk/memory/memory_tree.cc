#include "disk/memory/memory_tree.h"

#include <algorithm>
#include <utility>

namespace tombolo::disk {

namespace {

constexpr std::uint64_t kSectorBytes = 512;  // the least that a device writes as a whole, or not at all

/// The bytes of a write from `at` to `next`.
MemoryChange part_of(const MemoryChange& change, std::uint64_t at, std::uint64_t next) {
  const auto from = change.bytes.begin() + static_cast<std::ptrdiff_t>(at - change.offset);
  return {at, Bytes(from, from + static_cast<std::ptrdiff_t>(next - at)), std::nullopt};
}

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

void MemoryInode::replay_journal() {
  for (const auto& change : journaled_) play(durable_, change);
  journaled_.clear();
  is_journaled_ = false;
}

void MemoryInode::sync_into_journal() {
  replay_journal();
  journaled_.swap(unsynced_);
  is_journaled_ = true;
}

void MemoryInode::sync() {
  replay_journal();
  for (const auto& change : unsynced_) play(durable_, change);
  unsynced_.clear();
}

void MemoryInode::lose(LostPages pages, Random& random) {
  unsynced_.insert(unsynced_.begin(), journaled_.begin(), journaled_.end());
  journaled_.clear();
  is_journaled_ = false;
  write_out(random, Garbage::kNo);
  unsynced_.clear();
  if (pages == LostPages::kReverted) settle_on(durable_);
}

void MemoryInode::crash(const PowerLoss& loss, Garbage garbage) {
  replay_journal();
  switch (loss.unsynced) {
    case PowerLoss::Unsynced::kLost:
      break;
    case PowerLoss::Unsynced::kKept:
      sync();
      break;
    case PowerLoss::Unsynced::kTorn: {
      // Half of the files as a whole, since that is what usually happens; the others sector by sector.
      const std::uint64_t coin = loss.random->below(4);
      if (coin == 0) sync();
      if (coin >= 2) write_out(*loss.random, garbage);
      break;
    }
  }
  unsynced_.clear();
  settle_on(durable_);
}

void MemoryInode::settle_on(const Bytes& bytes) {
  current_ = bytes;
  usage_->used -= held_;
  held_ = current_.size();
  usage_->used += held_;
}

void MemoryInode::write_out(Random& random, Garbage garbage) {
  for (const auto& change : unsynced_) tear(change, random, garbage);
}

void MemoryInode::tear(const MemoryChange& change, Random& random, Garbage garbage) {
  if (change.truncate_to) {
    if (random.below(2) == 0) play(durable_, change);
    return;
  }
  const std::uint64_t end = change.offset + change.bytes.size();
  for (std::uint64_t at = change.offset; at < end;) {
    const std::uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    const std::uint64_t coin = random.below(garbage == Garbage::kYes ? 5 : 4);
    if (coin >= 2) play(durable_, part_of(change, at, next));
    if (coin == 4) {
      const std::uint64_t sector = at / kSectorBytes * kSectorBytes;
      const std::uint64_t last = std::min<std::uint64_t>(sector + kSectorBytes, durable_.size());
      random.fill(MutableBytes(durable_).subspan(sector, last - sector));
    }
    at = next;
  }
}

void MemoryDirectory::crash(const PowerLoss& loss, const std::string& path) {
  const auto stays = [&loss] {  // an unsynced change of a name
    if (loss.unsynced == PowerLoss::Unsynced::kTorn) return loss.random->below(2) == 0;
    return loss.unsynced == PowerLoss::Unsynced::kKept;
  };
  std::map<std::string, MemoryNode> left = durable;
  for (const auto& [name, node] : current) {
    const auto before = durable.find(name);
    const bool changed = before == durable.end() || before->second != node;
    if (changed && stays()) left.insert_or_assign(name, node);
  }
  for (const auto& [name, node] : durable) {
    if (!current.contains(name) && stays()) left.erase(name);
  }
  const bool spared = std::any_of(loss.spared.begin(), loss.spared.end(), [&path](const std::string& prefix) {
    return path == prefix || path.starts_with(prefix + "/");
  });
  for (auto& [name, node] : left) {
    if (auto* file = std::get_if<std::shared_ptr<MemoryInode>>(&node))
      (*file)->crash(loss, spared ? MemoryInode::Garbage::kNo : MemoryInode::Garbage::kYes);
    if (auto* directory = std::get_if<std::shared_ptr<MemoryDirectory>>(&node)) {
      (*directory)->crash(loss, path.empty() ? name : path + "/" + name);
    }
  }
  durable = left;
  current = std::move(left);
}

}  // namespace tombolo::disk
