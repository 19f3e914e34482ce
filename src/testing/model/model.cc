#include "testing/model/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc64.h"
#include "base/encoding.h"
#include "base/random.h"

namespace tombolo::testing::model {

BytesPtr content(std::uint64_t seed, std::uint64_t size) {
  Bytes bytes(size);
  SeededRandom(seed).fill(bytes);
  return std::make_shared<const Bytes>(std::move(bytes));
}

std::string to_text(const meta::ObjectHeaders& headers) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{}={};", name, value);
  };
  add("type", headers.content_type);
  add("encoding", headers.content_encoding);
  add("language", headers.content_language);
  add("disposition", headers.content_disposition);
  add("cache", headers.cache_control);
  if (headers.content_md5) add("md5", hex_encode(*headers.content_md5));
  return out;
}

// ---- the set of a name

void Model::add(Set& set, Possible possible) {
  const bool known = std::any_of(set.begin(), set.end(), [&possible](const Possible& there) {
    return there.state == possible.state && there.pending.size() == possible.pending.size();
  });
  if (!known) set.push_back(std::move(possible));
}

Model::Set Model::unfold(const Set& set) {
  Set out;
  for (const Possible& possible : set) {
    add(out, possible);
    for (std::size_t i = 0; i < possible.pending.size(); ++i) {
      auto changed = possible.pending[i](possible.state);
      if (!std::holds_alternative<KeyState>(changed)) continue;
      Possible next{std::get<KeyState>(std::move(changed)), {}};
      next.pending.assign(possible.pending.begin() + static_cast<std::ptrdiff_t>(i) + 1, possible.pending.end());
      for (Possible& further : unfold({next})) add(out, std::move(further));
    }
  }
  return out;
}

Complaint Model::note_etag(unsigned key, Stamp etag, bool fresh) {
  const auto [there, added] = given_.emplace(etag, key);
  if (!added && (fresh || there->second != key)) {
    return fmt::format("the ETag {} was given before, to {}", etag.micros, name_of_key(there->second));
  }
  if (added) etags_[key].push_back(etag);
  return std::nullopt;
}

Complaint Model::acknowledged(unsigned key, const Change& change, std::optional<Stamp> etag) {
  if (etag) {
    if (auto complaint = note_etag(key, *etag, true)) return complaint;
  }
  Set after;
  for (const Possible& possible : unfold(keys_[key])) {
    auto changed = change(possible.state);
    if (!std::holds_alternative<KeyState>(changed)) continue;
    // What was pending has happened by now or never will: commits have one order.
    Possible next{std::get<KeyState>(std::move(changed)), {}};
    if (etag && next.state.object) next.state.object->etag = etag;
    add(after, std::move(next));
  }
  if (after.empty()) return "a change was acknowledged that is not possible here; " + describe(key);
  keys_[key] = std::move(after);
  return std::nullopt;
}

Complaint Model::refused(unsigned key, const Change& change, const std::string& detail) {
  Set left;
  for (Possible& possible : unfold(keys_[key])) {
    const auto changed = change(possible.state);
    if (std::holds_alternative<std::string>(changed) && std::get<std::string>(changed) == detail) {
      add(left, std::move(possible));
    }
  }
  if (left.empty()) return fmt::format("a change was refused as {} without a reason; {}", detail, describe(key));
  keys_[key] = std::move(left);
  return std::nullopt;
}

void Model::unknown(unsigned key, Change change) {
  for (Possible& possible : keys_[key]) possible.pending.push_back(change);
}

void Model::restarted() {
  for (Set& set : keys_) {
    Set left;
    for (Possible& possible : unfold(set)) {
      possible.pending.clear();
      add(left, std::move(possible));
    }
    set = std::move(left);
  }
}

// ---- observations

Complaint Model::observe(unsigned key, std::string_view what, const Fits& fits) {
  Set left;
  for (Possible& possible : unfold(keys_[key])) {
    if (fits(possible.state)) add(left, std::move(possible));
  }
  if (left.empty()) return fmt::format("{}, which is not possible; {}", what, describe(key));
  keys_[key] = std::move(left);
  return std::nullopt;
}

bool Model::matches(const std::optional<ObjectState>& state, const std::optional<meta::Object>& seen) const {
  if (!state || !seen) return !state && !seen;
  return matches_stamps(*state, *seen) && state->bytes->size() == seen->length && crc64(*state->bytes) == seen->crc64 &&
         state->metadata == seen->metadata && state->headers == to_text(seen->headers);
}

/// docs/formats/stamps.md: content brings all of them, and is the first generation; metadata is a version, headers are
/// not.
bool Model::matches_stamps(const ObjectState& state, const meta::Object& seen) const {
  if (seen.metageneration != state.earlier.size() + 1) return false;
  const std::size_t last = state.earlier.size();
  const auto fits = [&](std::size_t change, Stamp stamp) {
    const std::optional<Stamp>& known = state.stamp(change);
    return known ? *known == stamp : !given_.contains(stamp);
  };
  // One whose answer nobody heard has still one stamp.
  return fits(0, seen.created) && fits(state.version, seen.version_stamp) && fits(last, seen.etag_stamp) &&
         seen.content_stamp == seen.created && (state.version != 0 || seen.version_stamp == seen.created) &&
         (state.version != last || seen.version_stamp == seen.etag_stamp);
}

Complaint Model::saw_object(unsigned key, const std::optional<meta::Object>& object) {
  const std::string what =
      object ? fmt::format("an object of {} bytes, ETag {}, was seen", object->length, object->etag_stamp.micros)
             : "no object was seen";
  auto complaint = observe(key, what, [&](KeyState& state) {
    if (!matches(state.object, object)) return false;
    if (object) {
      state.object->stamp(0) = object->created;
      state.object->stamp(state.object->version) = object->version_stamp;
      state.object->etag = object->etag_stamp;
    }
    return true;
  });
  if (complaint || !object) return complaint;
  given_.emplace(object->created, key);
  given_.emplace(object->version_stamp, key);
  return note_etag(key, object->etag_stamp, false);
}

Complaint Model::saw_bytes(unsigned key, const meta::Object& object, std::uint64_t offset, BytesView bytes) {
  if (auto complaint = saw_object(key, object)) return complaint;
  return observe(key, fmt::format("other bytes were read from {} on ({} of them)", offset, bytes.size()),
                 [&](KeyState& state) {
                   if (!matches(state.object, object)) return false;
                   const Bytes& right = *state.object->bytes;
                   return offset + bytes.size() <= right.size() &&
                          std::equal(bytes.begin(), bytes.end(), right.begin() + static_cast<std::ptrdiff_t>(offset));
                 });
}

Complaint Model::saw_out_of_range(unsigned key, std::uint64_t offset) {
  return observe(key, fmt::format("offset {} was called out of range", offset),
                 [&](KeyState& state) { return state.object && offset >= state.object->bytes->size(); });
}

Complaint Model::saw_blocks(unsigned key, const std::optional<store::BlockList>& list) {
  if (!list) {
    return observe(key, "no block list was seen",
                   [](KeyState& state) { return !state.object && state.staged.empty(); });
  }
  const auto complaint = saw_object(key, list->object);
  if (complaint) return complaint;
  return observe(key, "another block list was seen",
                 [&](KeyState& state) { return matches(state.object, list->object) && fits_blocks(state, *list); });
}

Complaint Model::saw_listed(unsigned key, const std::optional<meta::Object>& object, bool uncommitted,
                            bool asked_for_both) {
  if (object || !asked_for_both) return saw_object(key, object);
  return observe(key, uncommitted ? "only staged blocks were listed" : "nothing was listed",
                 [&](KeyState& state) { return !state.object && state.staged.empty() != uncommitted; });
}

// ---- questions

std::optional<Stamp> Model::etag_for(unsigned key, Precondition condition) const {
  const auto& seen = etags_[key];
  if (condition == Precondition::kCurrent && !seen.empty()) return seen.back();
  if (condition == Precondition::kStale && seen.size() > 1) return seen[seen.size() - 2];
  return std::nullopt;
}

bool Model::may_exist(unsigned key) const {
  const Set set = unfold(keys_[key]);
  return std::any_of(set.begin(), set.end(), [](const Possible& possible) {
    return possible.state.object.has_value() || !possible.state.staged.empty();
  });
}

std::string Model::describe(unsigned key) const {
  std::string out = fmt::format("{} may be:", name_of_key(key));
  for (const Possible& possible : unfold(keys_[key])) {
    const auto& object = possible.state.object;
    out += object ? fmt::format(" [{} bytes, ETag {}", object->bytes->size(), object->etag ? object->etag->micros : 0)
                  : " [no object";
    for (const auto& [id, bytes] : possible.state.staged) out += fmt::format(", staged {}: {}", id, bytes->size());
    out += "]";
  }
  return out;
}

// ---- changes

namespace {

/// The detail of the refusal, empty when the condition holds (judged as meta/model/conditions.h says).
std::string judge(const KeyState& state, Precondition condition, std::optional<Stamp> etag) {
  switch (condition) {
    case Precondition::kNone:
      return {};
    case Precondition::kAbsent:
      return state.object ? "BlobAlreadyExists" : "";
    case Precondition::kPresent:
      return state.object ? "" : "ConditionNotMet";
    case Precondition::kCurrent:
    case Precondition::kStale:
      return state.object && state.object->etag && state.object->etag == etag ? "" : "ConditionNotMet";
  }
  return {};
}

const BytesPtr* find_block(const KeyState& state, const store::BlockChoice& choice) {
  if (choice.source != store::BlockSource::kCommitted) {
    const auto staged = state.staged.find(choice.block_id);
    if (staged != state.staged.end()) return &staged->second;
  }
  if (choice.source == store::BlockSource::kUncommitted || !state.object) return nullptr;
  for (const auto& [id, bytes] : state.object->blocks) {
    if (id == choice.block_id) return &bytes;
  }
  return nullptr;
}

/// What leaves the content: the object has another ETag, and remembers the one it had.
Change property_change(Precondition condition, std::optional<Stamp> etag, std::function<void(ObjectState&)> apply) {
  return [=](const KeyState& state) -> std::variant<KeyState, std::string> {
    if (!state.object) return "BlobNotFound";
    if (auto refusal = judge(state, condition, etag); !refusal.empty()) return refusal;
    KeyState next = state;
    next.object->earlier.push_back(std::exchange(next.object->etag, std::nullopt));
    apply(*next.object);
    return next;
  };
}

}  // namespace

Change put_change(BytesPtr bytes, meta::Metadata metadata, Precondition condition, std::optional<Stamp> etag,
                  std::string headers) {
  return [=](const KeyState& state) -> std::variant<KeyState, std::string> {
    if (auto refusal = judge(state, condition, etag); !refusal.empty()) return refusal;
    ObjectState object;
    object.bytes = bytes;
    object.headers = headers;
    object.metadata = metadata;
    return KeyState{std::move(object), {}};
  };
}

Change delete_change(Precondition condition, std::optional<Stamp> etag) {
  return [=](const KeyState& state) -> std::variant<KeyState, std::string> {
    if (!state.object && state.staged.empty()) return "BlobNotFound";
    if (auto refusal = judge(state, condition, etag); !refusal.empty()) return refusal;
    return KeyState{};
  };
}

Change metadata_change(meta::Metadata metadata, Precondition condition, std::optional<Stamp> etag) {
  return property_change(condition, etag, [=](ObjectState& object) {
    object.metadata = metadata;
    object.version = object.earlier.size();
  });
}

Change headers_change(std::string headers, Precondition condition, std::optional<Stamp> etag) {
  return property_change(condition, etag, [=](ObjectState& object) { object.headers = headers; });
}

Change stage_change(std::string block, BytesPtr bytes) {
  return [=](const KeyState& state) -> std::variant<KeyState, std::string> {
    KeyState next = state;
    next.staged[block] = bytes;
    return next;
  };
}

Change commit_change(std::vector<store::BlockChoice> choices, Precondition condition, std::optional<Stamp> etag,
                     meta::Metadata metadata, std::string headers) {
  return [=](const KeyState& state) -> std::variant<KeyState, std::string> {
    ObjectState object;
    Bytes all;
    for (const auto& choice : choices) {
      const BytesPtr* block = find_block(state, choice);
      if (block == nullptr) return "InvalidBlockList";
      all.insert(all.end(), (*block)->begin(), (*block)->end());
      object.blocks.emplace_back(choice.block_id, *block);
    }
    if (auto refusal = judge(state, condition, etag); !refusal.empty()) return refusal;
    object.bytes = std::make_shared<const Bytes>(std::move(all));
    object.headers = headers;
    object.metadata = metadata;
    return KeyState{std::move(object), {}};
  };
}

bool fits_blocks(const KeyState& state, const store::BlockList& list) {
  const auto same = [](const auto& blocks, const std::vector<store::BlockInfo>& seen) {
    return std::equal(blocks.begin(), blocks.end(), seen.begin(), seen.end(), [](const auto& block, const auto& info) {
      return block.first == info.block_id && block.second->size() == info.length;
    });
  };
  const bool committed = state.object ? same(state.object->blocks, list.committed) : list.committed.empty();
  return committed && same(state.staged, list.uncommitted) && (state.object || !state.staged.empty());
}

}  // namespace tombolo::testing::model
