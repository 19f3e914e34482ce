#include <fmt/format.h>

#include "async/sleep.h"
#include "data/block_cache.h"
#include "meta/ops/objects.h"
#include "store/gen_source.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {
namespace {

// A name may be overwritten while it is opened, and its old gen erased: look again. Garbage collection also claims gens
// that it then leaves alone, for about one commit: wait.
constexpr int kTriesMax = 12;
constexpr Duration kFirstWait = std::chrono::milliseconds(1);  // doubled each time: 2 s in all

Result<void> place_range(const std::optional<ByteRange>& range, ObjectReader& reader) {
  const std::uint64_t size = reader.object.length;
  reader.offset = 0;
  reader.length = size;
  if (!range) return {};
  if (range->offset >= size || range->length == 0) {
    return Error{Code::kOutOfRange, "the range lies outside of the object's bytes"};
  }
  reader.offset = range->offset;
  reader.length = std::min(size - range->offset, range->length.value_or(size));
  return {};
}

class MemoryBody final : public ObjectBody {
 public:
  explicit MemoryBody(Block whole) : whole_(whole), rest_(std::move(whole)) {}
  Task<Block> next() override { return rest_.next(); }
  std::optional<Block> next_at_hand() override { return rest_.next_at_hand(); }
  bool ended() const override { return rest_.ended(); }
  Task<void> rewind() override {
    rest_ = tombolo::BlockSource(whole_);
    co_return Result<void>{};
  }

 private:
  const Block whole_;
  tombolo::BlockSource rest_;
};

// An object of one granule that the block cache holds: bytes of a gen never change, so none of its rows need be read,
// nor kept from going.
std::unique_ptr<ObjectBody> in_memory(Services& services, TenantId tenant, const ObjectReader& reader) {
  const std::uint64_t size = reader.object.length;
  if (size == 0 || size > meta::kGranuleBytes) return nullptr;
  const std::optional<Block> whole = services.cache.find({.tenant = tenant, .gen = reader.object.gen});
  if (!whole || whole->size() != size) return nullptr;
  return std::make_unique<MemoryBody>(whole->slice(reader.offset, reader.length));
}

}  // namespace

Task<ObjectReader> Store::get_object(ObjectRef ref, std::optional<ByteRange> range, meta::Conditions conditions,
                                     Reads reads) {
  const meta::ObjectAddress address = address_of(std::move(ref));
  for (int n = 1;; ++n) {
    CO_TRY_ASSIGN(meta::FoundObject found, meta::find_object(services_.cell, address));
    ObjectReader reader;
    reader.object = std::move(found.object);
    CO_CHECK(check_read(conditions, reader.object));
    CO_CHECK(place_range(range, reader));
    reader.body = in_memory(services_, address.tenant, reader);
    if (reader.body) co_return reader;
    OpenGen what;
    what.tenant = address.tenant;
    what.gen = reader.object.gen;
    what.offset = reader.offset;
    what.length = reader.length;
    if (reads == Reads::kTwice) what.caching = Caching::kReadTwice;
    Result<std::unique_ptr<GenSource>> source = co_await GenSource::open(services_, std::move(what));
    if (!source.ok() && source.error().detail == "GenGone" && n < kTriesMax) {
      CO_TRY(sleep_for(kFirstWait * (1 << (n - 1))));
      continue;
    }
    if (!source.ok() && source.error().code == Code::kNotFound) {
      co_return Error{Code::kCorrupt,
                      fmt::format("\"{}\" names gen {}, which is gone", address.name, reader.object.gen.value)};
    }
    if (!source.ok()) co_return source.error();
    CO_TRY((*source)->prime());
    reader.body = *std::move(source);
    co_return reader;
  }
}

}  // namespace tombolo::store
