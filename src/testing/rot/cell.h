// RotCell: a cell on a simulated machine with objects of every shape in every place, and what must be read of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testing/model/world.h"
#include "tiering/fsck.h"
#include "tiering/offload.h"

namespace tombolo::testing::rot {

using model::EngineKind;

/// What a read gave before it ended.
struct Read {
  Bytes bytes;
  std::optional<Error> error;
};

/// Nothing that is read stays in memory: each read goes to flash or to the remote.
class RotCell {
 public:
  RotCell(EngineKind engine, std::uint64_t seed) : random(seed), world({.engine = engine, .seed = seed}) {}

  Result<void> open();
  /// The first life: objects, older contents of the same names, and garbage collection until it rests.
  Result<void> fill();
  /// Changes that the commit log alone holds until the index is flushed, and a mark behind them.
  Result<void> write_late(unsigned count);
  Result<void> come_to_rest();

  Read read(const std::string& name, std::optional<store::ByteRange> range = {});
  /// Names of the container. An error, or all of them: never fewer.
  Result<std::vector<std::string>> list();
  Result<tiering::FsckReport> fsck(tiering::FsckOptions options);

  SeededRandom random;
  model::World world;
  std::map<std::string, Bytes> objects;
  std::vector<Bytes> past;  // what segments and remote objects held before

 private:
  Result<void> put(const std::string& name, std::uint64_t size);
  Result<void> stage(const std::string& name, const std::string& id, const Bytes& bytes);
  Result<void> put_blocks(const std::string& name, const std::vector<std::uint64_t>& sizes);
  Result<void> put_generation();
  Result<void> offload(const std::string& prefix, tiering::Evict evict);
  Result<void> remember_past();
  Bytes noise(std::uint64_t size);
  /// A few bytes more or less, so that each seed has other boundaries.
  std::uint64_t about(std::uint64_t size) { return size - 8 + random.below(17); }
};

}  // namespace tombolo::testing::rot
