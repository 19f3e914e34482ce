// What clients read.
#include <fmt/format.h>

#include "async/sleep.h"
#include "base/crc64.h"
#include "testing/linearize/run_state.h"

namespace tombolo::testing::linearize {

using model::Operation;

namespace {

constexpr std::uint64_t kBodyBytesMax = 4 * kMiB;
constexpr std::uint64_t kSlowEvery = 10;  // of the readers, one in so many outlives every grace of the collector

std::optional<Sight> sight_of(const std::optional<meta::Object>& object) {
  return object ? std::optional(linearize::sight_of(*object)) : std::nullopt;
}

}  // namespace

void Run::saw(Client& me, unsigned key, Step step, const std::optional<meta::Object>& object) {
  if (object) me.etags[key].push_back(object->etag_stamp);
  step.outcome = Outcome::kSaw;
  step.sight = sight_of(object);
  step.fits = [sight = step.sight](const KeyState& state) { return matches(state.object, sight); };
  keep(key, std::move(step));
}

Task<void> Run::head(Client& me, Operation operation) {
  Step step = begin(me, operation);
  const auto object_there = co_await store().head_object(object(operation.key), {});
  if (!heard()) co_return Result<void>{};
  step.answer = ++now_;
  if (object_there.ok()) {
    saw(me, operation.key, std::move(step), *object_there);
  } else if (object_there.error().detail == "BlobNotFound") {
    saw(me, operation.key, std::move(step), std::nullopt);
  } else {
    failed(step, object_there.error());
  }
  co_return Result<void>{};
}

Task<void> Run::get(Client& me, Operation operation) {
  const unsigned key = operation.key;
  std::optional<store::ByteRange> range;
  if (operation.kind == model::Kind::kRange) range = store::ByteRange{operation.size, operation.number};
  Step step = begin(me, operation);
  auto reader = co_await store().get_object(object(key), range, {});
  if (!heard()) co_return Result<void>{};
  step.answer = ++now_;  // the head of the answer: whatever the body takes, it is of this moment
  if (reader.ok()) {
    me.etags[key].push_back(reader->object.etag_stamp);
    co_return co_await read_body(std::move(step), key, *std::move(reader), range);
  }
  if (reader.error().detail == "BlobNotFound") {
    saw(me, key, std::move(step), std::nullopt);
  } else if (reader.error().code == Code::kOutOfRange && range) {
    step.outcome = Outcome::kSaw;
    step.fits = [offset = range->offset](const KeyState& state) {
      return state.object && offset >= state.object->bytes->size();
    };
    keep(key, std::move(step));
  } else {
    failed(step, reader.error());
  }
  co_return Result<void>{};
}

Task<void> Run::read_body(Step step, unsigned key, store::ObjectReader reader, std::optional<store::ByteRange> range) {
  step.outcome = Outcome::kSaw;
  step.sight = linearize::sight_of(reader.object);
  const std::uint64_t rest = reader.object.length - reader.offset;
  const std::uint64_t expected = range && range->length ? std::min(*range->length, rest) : rest;
  if (reader.offset != (range ? range->offset : 0)) {
    complain(fmt::format("{}: read from {} on", describe(step), reader.offset));
  }
  std::uint64_t length = 0, crc = 0;
  const bool slow = random_.below(kSlowEvery) == 0;
  for (;;) {
    CO_TRY(world_.pace.pause());  // a client takes its time
    if (slow) {
      CO_TRY(sleep_for(std::chrono::milliseconds(50 + random_.below(450))));
    }
    const auto block = co_await reader.body->next();
    if (!heard()) break;
    if (!block.ok()) {
      failed(step, block.error());
      co_return Result<void>{};
    }
    if (block->empty()) break;
    crc = crc64(block->view(), crc);
    length += block->size();
    if (length > kBodyBytesMax) break;
  }
  if (heard() && length != expected) {
    complain(fmt::format("{}: {} bytes were read, not {}", describe(step), length, expected));
  }
  const std::uint64_t offset = reader.offset;
  step.text += fmt::format(", {} bytes read", length);
  step.fits = [sight = step.sight, offset, length, crc](const KeyState& state) {
    if (!matches(state.object, sight)) return false;
    const BytesView right = BytesView(*state.object->bytes);
    return offset + length <= right.size() && crc64(right.subspan(offset, length)) == crc;
  };
  keep(key, std::move(step));
  co_return Result<void>{};
}

Task<void> Run::blocks(Client& me, Operation operation) {
  Step step = begin(me, operation);
  const auto list = co_await store().get_block_list(object(operation.key));
  if (!heard()) co_return Result<void>{};
  step.answer = ++now_;
  step.outcome = Outcome::kSaw;
  if (list.ok()) {
    step.sight = sight_of(list->object);
    for (const auto& block : list->committed) step.text += fmt::format(" {}:{}", block.block_id, block.length);
    for (const auto& block : list->uncommitted) step.text += fmt::format(" +{}:{}", block.block_id, block.length);
    step.fits = [list = *list, sight = step.sight](const KeyState& state) {
      return matches(state.object, sight) && model::fits_blocks(state, list);
    };
  } else if (list.error().code == Code::kNotFound) {
    step.fits = [](const KeyState& state) { return !state.object && state.staged.empty(); };
  } else {
    failed(step, list.error());
    co_return Result<void>{};
  }
  keep(operation.key, std::move(step));
  co_return Result<void>{};
}

Task<void> Run::list(Client& me, Operation operation) {
  store::ListObjects query;
  query.include = operation.number != 0 ? store::Include::kUncommitted : store::Include::kNothing;
  if (operation.size != 0) query.limit = static_cast<std::uint32_t>(operation.size);
  for (bool more = true; more;) {
    Step step = begin(me, operation);
    const auto page = co_await store().list_objects(model::box(), query);
    if (!heard()) co_return Result<void>{};
    step.answer = ++now_;
    if (!page.ok()) {
      failed(step, page.error());
      co_return Result<void>{};
    }
    listed(step, query, *page);
    more = page->next.has_value();
    if (more && *page->next <= query.start_after) complain("a listing does not go on: " + describe(step));
    if (complaint_) break;
    if (more) query.start_after = *page->next;
  }
  co_return Result<void>{};
}

/// A page tells of each name behind where it begins and up to where the next one does, shown or not.
void Run::listed(const Step& page, const store::ListObjects& query, const store::ListObjectsPage& entries) {
  std::map<std::string, store::ListEntry> shown;
  std::string last = query.start_after;
  for (const store::ListEntry& entry : entries.entries) {
    const std::string name = entry.object ? entry.object->name : entry.uncommitted_name.value_or("");
    if (name <= last) complain(fmt::format("'{}' was listed after '{}': {}", name, last, describe(page)));
    last = name;
    shown.emplace(name, entry);
  }
  const bool both = query.include == store::Include::kUncommitted;
  for (unsigned key = 0; key < model::kKeys; ++key) {
    const std::string name = model::name_of_key(key);
    if (name <= query.start_after || (entries.next && name > *entries.next)) continue;
    const auto found = shown.find(name);
    Step step = page;
    step.outcome = Outcome::kSaw;
    step.text += " shows " + name;
    if (found != shown.end() && found->second.object) {
      step.sight = sight_of(found->second.object);
      step.fits = [sight = step.sight](const KeyState& state) { return matches(state.object, sight); };
    } else if (found != shown.end()) {
      step.text += " with staged blocks only";
      step.fits = [](const KeyState& state) { return !state.object && !state.staged.empty(); };
    } else {
      step.fits = [both](const KeyState& state) { return !state.object && (!both || state.staged.empty()); };
    }
    if (found != shown.end()) shown.erase(found);
    keep(key, std::move(step));
  }
  if (!shown.empty()) complain(fmt::format("'{}' was listed, which nobody made", shown.begin()->first));
}

}  // namespace tombolo::testing::linearize
