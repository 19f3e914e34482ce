// NativeReader: verified bytes of one contiguous stretch of an object's native place.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "async/byte_stream.h"
#include "meta/model/gen.h"

namespace tombolo::remote {
class Remote;
}

namespace tombolo::store {

/// A granule as its run's row knows it. Consecutive ones lie back to back in the native object.
struct NativeGranule {
  GenId gen;                     // whose granule: the object's gen, or the source of a slice
  std::uint64_t gen_offset = 0;  // in `gen`
  std::uint32_t length = 0;      // 1 … kGranuleBytes
  std::uint64_t crc64 = 0;
};

struct NativeStretch {
  meta::NativePlace place;
  std::uint64_t offset = 0;             // of the first granule in the native object
  std::vector<NativeGranule> granules;  // not empty
};

/// Called with each verified granule, for admission to a cache.
using GranuleHook = std::function<void(const NativeGranule&, BytesView)>;

/// One conditional ranged GET, streamed: what is asked for is exactly the stretch, and nothing is kept but the granules
/// of the block being made. Gives whole granules, up to kStreamStep bytes a block, each verified against its CRC.
/// A body that breaks off is asked for again from the first granule not yet given, a few times; a remote that gave up
/// (remote::kGaveUp) is not. So is, once, one whose bytes do not verify: most bits turn over on the way.
/// kChangedOutside: the object is gone or is not the one that was written there. kCorrupt: bytes under the right ETag
/// do not verify, twice. kUnavailable: everything else, a refused credential included; none of it is the client's
/// fault. Messages name the remote and the key.
class NativeReader final : public ByteSource {
 public:
  NativeReader(std::shared_ptr<remote::Remote> remote, NativeStretch stretch, GranuleHook verified = {});
  ~NativeReader() override;

  Task<Block> next() override;

 private:
  Task<void> open();
  Task<void> receive(MutableBytes out);
  Task<void> fill(MutableBytes out);
  std::optional<std::uint64_t> find_wrong(BytesView bytes, std::size_t count) const;
  Error explain(const Error& cause) const;

  std::shared_ptr<remote::Remote> remote_;
  NativeStretch stretch_;
  GranuleHook verified_;
  std::size_t at_ = 0;        // first granule not yet given
  std::uint64_t at_offset_;   // its place in the native object
  std::uint64_t end_offset_;  // of the stretch
  std::unique_ptr<ByteSource> body_;
  Block received_;      // of the body, not yet used
  int broken_ = 0;      // breaks since the last block given
  bool again_ = false;  // what is opened next was received before and did not verify
};

}  // namespace tombolo::store
