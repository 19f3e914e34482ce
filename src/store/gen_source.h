// GenSource: a range of a gen as a verified stream, wherever its bytes are.
#pragma once

#include <memory>
#include <optional>

#include "async/byte_stream.h"
#include "meta/model/gen.h"
#include "meta/ops/gens.h"
#include "store/gen_pins.h"
#include "store/native_reader.h"
#include "store/types.h"

namespace tombolo::store {

struct Services;

enum class Places {
  kAny,        // flash where the bytes are there, else the native place
  kLocalOnly,  // never asks a remote: kUnavailable "NotLocal" where a run has no local place
};

enum class Caching {
  kSmallReads,  // granules of reads up to Limits::admit_bytes_max are admitted to the block cache
  kReadTwice,   // so are those of larger ones that a remote gave: the second pass need not ask it again
  kNone,        // background work: what it reads once would wash out what clients read often
};

struct OpenGen {
  TenantId tenant;
  GenId gen;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // offset + length <= the gen's length
  Places places = Places::kAny;
  Caching caching = Caching::kSmallReads;
  /// When set, every byte of runs is read from this native place (offload reads back what it wrote; the gen's row need
  /// not name the place yet), whatever the rows say.
  std::optional<meta::NativePlace> read_back = {};
};

/// Pins the gen, then works through windows of pieces, each planned in a snapshot of its own: the bytes of a gen never
/// change, only their places. A place that fails is looked up again: moved → it goes on there; not moved → the other
/// place is tried, and an error logged; without one the failure is given. Cold stretches are NativeReaders.
/// Errors: those of RunReader and NativeReader; "GenGone" when the gen is gone (kNotFound), or claimed (kBusy) and
/// maybe about to be: read the record again, the name has moved on or will be readable in a moment.
class GenSource final : public ObjectBody {
 public:
  /// Plans the first window. `services` outlives the source.
  static Task<std::unique_ptr<GenSource>> open(Services& services, OpenGen what);
  ~GenSource() override;

  /// Fetches the first block ahead of its next(), so that a failure shows before anything was promised to a client.
  Task<void> prime();
  Task<void> rewind() override;
  Task<Block> next() override;
  std::optional<Block> next_at_hand() override;
  bool ended() const override { return !primed_ && at_ == end_; }

 private:
  GenSource(Services& services, OpenGen what, GenPins::Handle pin);

  Task<Block> step();
  meta::ReadPiece* current_piece();
  Task<void> plan();
  Result<void> open_piece();
  Result<void> open_local(const meta::ReadPiece& piece, std::uint64_t skip, std::uint64_t length);
  Result<void> open_native(const meta::NativePlace& place);
  std::optional<Block> find_cached(const meta::ReadPiece& piece) const;
  Task<void> recover(Error failed);
  Block cut(Block block);
  const meta::NativePlace* native() const;

  Services& services_;
  const OpenGen what_;
  const bool admit_;
  const bool admit_cold_;  // what a remote gives
  GenPins::Handle pin_;
  std::uint64_t at_;  // in the gen: next byte to give
  const std::uint64_t end_;
  std::optional<Block> primed_;

  meta::ReadPlan window_;
  std::size_t piece_ = 0;  // of the window: the one that holds at_, or the end

  std::unique_ptr<ByteSource> source_;             // of the bytes from at_ on
  std::uint64_t source_end_ = 0;                   // in the gen
  std::uint64_t source_skip_ = 0;                  // bytes it gives before at_
  std::optional<meta::LocalPlace> reading_local_;  // nullopt: a native place
  meta::NativePlace reading_native_;
  std::optional<meta::LocalPlace> avoid_;  // a local place that failed and has not moved
  int failures_ = 0;                       // since the last block given
};

/// Opened with its first next(): for whoever must give a source without awaiting (remote::BodyFactory).
std::unique_ptr<ByteSource> gen_source_later(Services& services, OpenGen what);

}  // namespace tombolo::store
