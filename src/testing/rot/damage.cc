#include "testing/rot/damage.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/pages.h"

namespace tombolo::testing::rot {
namespace {

Result<Bytes> read_at(RotCell& cell, Area area, const std::string& file, std::uint64_t at, std::uint64_t length) {
  Bytes out(length);
  if (area == Area::kRemote) {
    const Bytes whole = cell.world.bucket->contents(file);
    length = std::min<std::uint64_t>(length, whole.size() - std::min<std::uint64_t>(at, whole.size()));
    out.assign(whole.begin() + static_cast<std::ptrdiff_t>(at),
               whole.begin() + static_cast<std::ptrdiff_t>(at + length));
    return out;
  }
  TRY_ASSIGN(const auto opened, cell.world.disk.open_now(file, disk::Open::kRead));
  TRY_ASSIGN(const std::uint64_t size, opened->size_now());
  out.resize(std::min<std::uint64_t>(length, size - std::min(at, size)));
  TRY(opened->read_now(at, out));
  return out;
}

Result<void> write_at(RotCell& cell, const Damage& damage, const Bytes& bytes) {
  if (damage.area == Area::kRemote) {
    Bytes whole = cell.world.bucket->contents(damage.file);
    std::copy(bytes.begin(), bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(damage.at));
    cell.world.bucket->rot(damage.file, std::move(whole));
    return {};
  }
  TRY_ASSIGN(const auto opened, cell.world.disk.open_now(damage.file, disk::Open::kReadWrite));
  TRY(opened->write_now(damage.at, bytes));
  return opened->sync_now();
}

Result<Bytes> misdirected_block(RotCell& cell, const Stretch& stretch, const std::vector<Stretch>& others) {
  const Stretch& from = others[cell.random.below(others.size())];
  if (from.area != stretch.area) return Bytes{};
  const std::uint64_t at = (from.offset + cell.random.below(from.length)) / kPageBytes * kPageBytes;
  return read_at(cell, from.area, from.file, at, kPageBytes);
}

Bytes stale_block(RotCell& cell, std::uint64_t at) {
  if (cell.past.empty() || cell.random.below(4) == 0) return Bytes(kPageBytes);
  const Bytes& old = cell.past[cell.random.below(cell.past.size())];
  if (old.size() < at + kPageBytes) return Bytes(kPageBytes);
  return to_bytes(BytesView(old).subspan(at, kPageBytes));
}

std::string_view word_of(How how) {
  return how == How::kFlip ? "flipped bit" : how == How::kMisdirected ? "misdirected block" : "stale block";
}

}  // namespace

std::optional<std::uint64_t> Damage::first_changed(std::uint64_t offset, std::uint64_t length) const {
  const std::uint64_t begin = std::max(offset, at), end = std::min(offset + length, at + before.size());
  for (std::uint64_t n = begin; n < end; ++n) {
    if (before[n - at] != after[n - at]) return n;
  }
  return std::nullopt;
}

std::string Damage::words() const {
  return fmt::format("{} in {} at {} ({})", word_of(how), file, at, name_of(area));
}

Result<std::optional<Damage>> draw_damage(RotCell& cell, const Stretch& stretch, How how,
                                          const std::vector<Stretch>& others) {
  Damage out{.area = stretch.area, .how = how, .file = stretch.file, .at = 0, .before = {}, .after = {}};
  out.at = stretch.offset + cell.random.below(stretch.length);
  if (how == How::kFlip) {
    TRY_ASSIGN(out.before, read_at(cell, out.area, out.file, out.at, 1));
    out.after = out.before;
    out.after[0] ^= std::byte{1} << cell.random.below(8);
    return std::optional<Damage>(std::move(out));
  }
  out.at = out.at / kPageBytes * kPageBytes;
  TRY_ASSIGN(out.before, read_at(cell, out.area, out.file, out.at, kPageBytes));
  if (how == How::kStale) {
    out.after = stale_block(cell, out.at);
  } else {
    TRY_ASSIGN(out.after, misdirected_block(cell, stretch, others));
  }
  out.after.resize(out.before.size());
  if (!out.first_changed(stretch.offset, stretch.length)) return std::optional<Damage>{};
  return std::optional<Damage>(std::move(out));
}

Result<void> apply(RotCell& cell, const Damage& damage) {
  return write_at(cell, damage, damage.after);
}

Result<bool> is_applied(RotCell& cell, const Damage& damage) {
  const auto found = read_at(cell, damage.area, damage.file, damage.at, damage.after.size());
  if (!found.ok() && found.error().code == Code::kNotFound) return false;
  if (!found.ok()) return found.error();
  return *found == damage.after;
}

Result<void> undo(RotCell& cell, const Damage& damage) {
  return write_at(cell, damage, damage.before);
}

Result<Image> take_image(RotCell& cell, std::string directory) {
  Image image{.directory = std::move(directory), .files = {}};
  TRY_ASSIGN(const auto entries, cell.world.disk.list_now(image.directory));
  for (const disk::Entry& entry : entries) {
    const std::string path = image.directory + "/" + entry.name;
    TRY_ASSIGN(const auto file, cell.world.disk.open_now(path, disk::Open::kRead));
    TRY_ASSIGN(const std::uint64_t size, file->size_now());
    Bytes bytes(size);
    TRY(file->read_now(0, bytes));
    image.files.emplace(path, std::move(bytes));
  }
  return image;
}

Result<void> put_back(RotCell& cell, const Image& image) {
  SimDisk& disk = cell.world.disk;
  TRY_ASSIGN(const auto entries, disk.list_now(image.directory));
  for (const disk::Entry& entry : entries) {
    TRY(disk.remove_now(image.directory + "/" + entry.name));
  }
  for (const auto& [path, bytes] : image.files) {
    TRY_ASSIGN(const auto file, disk.open_now(path, disk::Open::kCreateNew));
    TRY(file->write_now(0, bytes));
    TRY(file->sync_now());
  }
  return disk.sync_directory_now(image.directory);
}

}  // namespace tombolo::testing::rot
