// What clients do.
#include <fmt/format.h>

#include "async/byte_stream.h"
#include "base/digest.h"
#include "base/endian.h"
#include "base/units.h"
#include "meta/ops/gens.h"
#include "store/ops/resolve.h"
#include "testing/model/requests.h"
#include "testing/model/sequence.h"

namespace tombolo::testing::model {

namespace {

constexpr std::uint64_t kBodyBytesMax = 4 * kMiB;

meta::Metadata metadata_of(std::uint64_t seed) {
  if (seed % 3 == 0) return {};
  return {{"m", std::to_string(seed)}};
}

meta::ObjectHeaders headers_of(std::uint64_t seed) {
  meta::ObjectHeaders headers;
  headers.content_type = fmt::format("type/{}", seed);
  if (seed % 2 == 0) headers.cache_control = fmt::format("max-age={}", seed);
  if (seed % 3 == 0) {
    headers.content_md5.emplace();
    SeededRandom(seed).fill(*headers.content_md5);  // of nothing: it is kept as it was given
  }
  return headers;
}

/// Of what has bytes. Most have none: the traces were found without, and each byte of a record moves what comes after
/// it.
meta::ObjectHeaders content_headers_of(std::uint64_t seed) {
  const bool has = seed % 16 == 4 || seed % 16 == 9 || seed % 16 == 14;  // no trace has such seeds
  return has ? headers_of(seed) : meta::ObjectHeaders{};
}

/// What an answer tells of the object.
std::optional<meta::Object> object_of(const Result<meta::Object>& result) {
  return *result;
}
std::optional<meta::Object> object_of(const Result<void>&) {
  return std::nullopt;
}
std::optional<meta::Object> object_of(const Result<store::StagedBlock>&) {
  return std::nullopt;
}

}  // namespace

meta::Conditions Sequence::conditions(unsigned key, Precondition& condition, std::optional<Stamp>& etag) const {
  const bool by_etag = condition == Precondition::kCurrent || condition == Precondition::kStale;
  if (by_etag) etag = model_.etag_for(key, condition);
  if (by_etag && !etag) condition = Precondition::kNone;
  return to_conditions(condition, etag);
}

template <class T>
Complaint Sequence::answered(unsigned key, const Change& change, const Result<T>& result, Needs needs) {
  note(result.ok() ? 0 : 1 + static_cast<std::uint64_t>(result.error().code));
  if (!result.ok() && result.error().code == Code::kDeadline) return "the change never ended";
  if (!heard() || (!result.ok() && result.error().code == Code::kUnknownOutcome)) {
    ++stats_.unknown;
    model_.unknown(key, change);
    if (heard() && !excused(needs)) return "nobody knows what became of a change, for no reason";
    return std::nullopt;
  }
  if (result.ok()) {
    ++stats_.acknowledged;
    const auto told = object_of(result);
    auto complaint = model_.acknowledged(key, change, told ? std::optional(told->etag_stamp) : std::nullopt);
    return complaint || !told ? complaint : model_.saw_object(key, told);
  }
  if (lies_in_the_state(result.error())) {
    ++stats_.refused;
    return model_.refused(key, change, std::string(result.error().detail));
  }
  ++stats_.failed;
  return failed("a change", result.error(), needs);
}

Complaint Sequence::put(const Operation& operation) {
  Precondition condition = operation.condition;
  std::optional<Stamp> etag;
  const BytesPtr bytes = content(operation.seed, operation.size);
  SteppedBody body(*bytes);
  store::PutObject request;
  request.length = bytes->size();
  request.body = &body;
  request.headers = content_headers_of(operation.seed);
  request.metadata = metadata_of(operation.seed);
  request.conditions = conditions(operation.key, condition, etag);
  meta::ObjectHeaders kept = request.headers;
  if (!kept.content_md5) kept.content_md5 = md5(*bytes);
  const Change change = put_change(bytes, request.metadata, condition, etag, to_text(kept));
  auto put = world_.life->store->put_object(object(operation.key), request);
  return answered(operation.key, change, world_.run(std::move(put)), Needs::kFlash);
}

Complaint Sequence::remove(const Operation& operation) {
  Precondition condition = operation.condition;
  std::optional<Stamp> etag;
  const meta::Conditions asked = conditions(operation.key, condition, etag);
  const Change change = delete_change(condition, etag);
  auto removed = world_.life->store->delete_object(object(operation.key), asked);
  return answered(operation.key, change, world_.run(std::move(removed)), Needs::kFlash);
}

Complaint Sequence::metadata(const Operation& operation) {
  Precondition condition = operation.condition;
  std::optional<Stamp> etag;
  const meta::Conditions asked = conditions(operation.key, condition, etag);
  const meta::Metadata value = metadata_of(operation.seed);
  const Change change = metadata_change(value, condition, etag);
  auto set = world_.life->store->set_object_metadata(object(operation.key), value, asked);
  return answered(operation.key, change, world_.run(std::move(set)), Needs::kFlash);
}

Complaint Sequence::headers(const Operation& operation) {
  Precondition condition = operation.condition;
  std::optional<Stamp> etag;
  const meta::Conditions asked = conditions(operation.key, condition, etag);
  const meta::ObjectHeaders value = headers_of(operation.seed);
  const Change change = headers_change(to_text(value), condition, etag);
  auto set = world_.life->store->set_object_headers(object(operation.key), value, asked);
  return answered(operation.key, change, world_.run(std::move(set)), Needs::kFlash);
}

Complaint Sequence::stage(const Operation& operation) {
  const BytesPtr bytes = content(operation.seed, operation.size);
  SteppedBody body(*bytes);
  store::StageBlock request;
  request.block_id = operation.text;
  request.length = bytes->size();
  request.body = &body;
  const Change change = stage_change(operation.text, bytes);
  auto staged = world_.life->store->stage_block(object(operation.key), request);
  return answered(operation.key, change, world_.run(std::move(staged)), Needs::kFlash);
}

Complaint Sequence::commit(const Operation& operation) {
  Precondition condition = operation.condition;
  std::optional<Stamp> etag;
  store::CommitBlockList request;
  request.blocks = parse_choices(operation.text);
  request.headers = content_headers_of(operation.seed);
  request.metadata = metadata_of(operation.seed);
  request.conditions = conditions(operation.key, condition, etag);
  const Change change = commit_change(request.blocks, condition, etag, request.metadata, to_text(request.headers));
  const auto committed = world_.run(world_.life->store->commit_block_list(object(operation.key), request));
  const bool cold = !committed.ok() && remote_failed_lately() && heard() && is_cold(operation.key);
  return answered(operation.key, change, committed, cold ? Needs::kRemote : Needs::kFlash);
}

// ---- reads

/// Whether some of its bytes are in the remote alone. Of what cannot be found out: no.
bool Sequence::is_cold(unsigned key) {
  const meta::Cell cell = world_.life->services->cell;
  const auto found = world_.run(meta::find_object(cell, store::address_of(object(key))));
  if (!found.ok()) return false;
  const meta::Object& object = found->object;
  for (std::uint64_t offset = 0; offset < object.length;) {
    const auto plan = world_.run(meta::plan_read(cell, kTenant, object.gen, {offset, object.length - offset}));
    if (!plan.ok() || !*plan || (*plan)->pieces.empty()) return false;
    for (const meta::ReadPiece& piece : (*plan)->pieces) {
      if (piece.run && !piece.run->local) return true;
      offset = piece.offset + piece.length;
    }
  }
  return false;
}

Complaint Sequence::read_failed(std::string_view what, unsigned key, const Error& error) {
  const bool cold = remote_failed_lately() && heard() && is_cold(key);
  return read_failed(what, error, cold ? Needs::kRemote : Needs::kFlash);
}

Complaint Sequence::read(unsigned key, std::optional<store::ByteRange> range) {
  auto reader = world_.run(world_.life->store->get_object(object(key), range, {}));
  note(reader.ok() ? 0 : 1 + static_cast<std::uint64_t>(reader.error().code));
  if (!heard()) return std::nullopt;
  if (!reader.ok()) {
    const Error& error = reader.error();
    if (error.code == Code::kNotFound && error.detail == "BlobNotFound") return model_.saw_object(key, std::nullopt);
    if (error.code == Code::kOutOfRange && range) return model_.saw_out_of_range(key, range->offset);
    return read_failed("opening " + name_of_key(key), key, error);
  }
  const auto bytes = world_.run(read_all(*reader->body, kBodyBytesMax));
  reader->body.reset();
  if (!heard()) return std::nullopt;
  if (!bytes.ok()) {
    if (auto complaint = model_.saw_object(key, reader->object)) return complaint;
    return read_failed("reading " + name_of_key(key), key, bytes.error());
  }
  const std::uint64_t asked = range ? range->offset : 0;
  if (reader->offset != asked) {
    return fmt::format("{} was read from {} on, not from {}", name_of_key(key), reader->offset, asked);
  }
  const std::uint64_t rest = reader->object.length - reader->offset;
  const std::uint64_t expected = range && range->length ? std::min(*range->length, rest) : rest;
  if (bytes->size() != expected) {
    return fmt::format("{} bytes of {} were read, not {}", bytes->size(), name_of_key(key), expected);
  }
  return model_.saw_bytes(key, reader->object, reader->offset, *bytes);
}

Complaint Sequence::get(unsigned key) {
  return read(key, std::nullopt);
}

Complaint Sequence::range(const Operation& operation) {
  return read(operation.key, store::ByteRange{operation.size, operation.number});
}

Complaint Sequence::blocks(unsigned key) {
  const auto list = world_.run(world_.life->store->get_block_list(object(key)));
  if (!heard()) return std::nullopt;
  if (list.ok()) return model_.saw_blocks(key, *list);
  if (list.error().code == Code::kNotFound) return model_.saw_blocks(key, std::nullopt);
  return read_failed("reading a block list", list.error(), Needs::kFlash);
}

Complaint Sequence::list(bool both, std::uint32_t limit) {
  store::ListObjects query;
  query.include = both ? store::Include::kUncommitted : store::Include::kNothing;
  if (limit != 0) query.limit = limit;
  std::map<std::string, store::ListEntry> entries;
  std::string last;
  for (bool more = true; more;) {
    const auto page = world_.run(world_.life->store->list_objects(box(), query));
    if (!heard()) return std::nullopt;
    if (!page.ok()) return read_failed("listing", page.error(), Needs::kFlash);
    for (const store::ListEntry& entry : page->entries) {
      const std::string name = entry.object ? entry.object->name : entry.uncommitted_name.value_or("");
      if (name <= last) return fmt::format("'{}' was listed after '{}'", name, last);
      last = name;
      entries.emplace(name, entry);
    }
    more = page->next.has_value();
    if (more) query.start_after = *page->next;
  }
  for (unsigned key = 0; key < kKeys; ++key) {
    const auto found = entries.find(name_of_key(key));
    const bool there = found != entries.end();
    const auto seen = there ? found->second.object : std::nullopt;
    if (auto complaint = model_.saw_listed(key, seen, there && !seen, both)) return "in a listing, " + *complaint;
    if (there) entries.erase(found);
  }
  if (!entries.empty()) return fmt::format("'{}' was listed, which nobody made", entries.begin()->first);
  return std::nullopt;
}

}  // namespace tombolo::testing::model
