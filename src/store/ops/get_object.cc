#include <fmt/format.h>

#include "async/sleep.h"
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

}  // namespace

Task<ObjectReader> Store::get_object(ObjectRef ref, std::optional<ByteRange> range, meta::Conditions conditions) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref.container)));
  for (int n = 1;; ++n) {
    ObjectReader reader;
    CO_TRY_ASSIGN(reader.object, meta::get_object(services_.cell, container, ref.name));
    CO_CHECK(check_read(conditions, reader.object));
    CO_CHECK(place_range(range, reader));
    OpenGen what;
    what.tenant = container.tenant;
    what.gen = reader.object.gen;
    what.offset = reader.offset;
    what.length = reader.length;
    Result<std::unique_ptr<GenSource>> source = co_await GenSource::open(services_, std::move(what));
    if (!source.ok() && source.error().detail == "GenGone" && n < kTriesMax) {
      CO_TRY(sleep_for(kFirstWait * (1 << (n - 1))));
      continue;
    }
    if (!source.ok() && source.error().code == Code::kNotFound) {
      co_return Error{Code::kCorrupt,
                      fmt::format("\"{}\" names gen {}, which is gone", ref.name, reader.object.gen.value)};
    }
    if (!source.ok()) co_return source.error();
    CO_TRY((*source)->prime());
    reader.body = *std::move(source);
    co_return reader;
  }
}

}  // namespace tombolo::store
