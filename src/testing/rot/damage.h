// Damage: bytes that silently become others, and back.
#pragma once

#include <optional>

#include "testing/rot/stretches.h"

namespace tombolo::testing::rot {

enum class How : std::uint8_t {
  kFlip,         // one bit
  kMisdirected,  // a block that was meant for another place
  kStale,        // a block that a write never reached: what was there before
};

struct Damage {
  Area area = Area::kRun;
  How how = How::kFlip;
  std::string file;
  std::uint64_t at = 0;
  Bytes before, after;  // of the same length

  /// The first byte of [offset, offset + length) that it changes.
  std::optional<std::uint64_t> first_changed(std::uint64_t offset, std::uint64_t length) const;
  std::string words() const;
};

/// Something that changes `stretch`; blocks come from `others`, or from the cell's past. nullopt: what was drawn would
/// have changed nothing.
Result<std::optional<Damage>> draw_damage(RotCell& cell, const Stretch& stretch, How how,
                                          const std::vector<Stretch>& others);
Result<void> apply(RotCell& cell, const Damage& damage);
/// False when the file is gone, shorter or another by now.
Result<bool> is_applied(RotCell& cell, const Damage& damage);
/// What was written over it since stays, and so does a file's end.
Result<void> undo(RotCell& cell, const Damage& damage);

/// The files of a directory as they are, and back: for lives that change them.
struct Image {
  std::string directory;
  std::map<std::string, Bytes> files;
};
Result<Image> take_image(RotCell& cell, std::string directory);
Result<void> put_back(RotCell& cell, const Image& image);

}  // namespace tombolo::testing::rot
