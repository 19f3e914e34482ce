// Model: what every operation may answer, as plain maps. It knows nothing of how tombolo works.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "store/types.h"
#include "testing/model/operation.h"

namespace tombolo::testing::model {

/// `size` bytes that `seed` alone decides.
std::shared_ptr<const Bytes> content(std::uint64_t seed, std::uint64_t size);

using BytesPtr = std::shared_ptr<const Bytes>;

/// What is there of them, in words.
std::string to_text(const meta::ObjectHeaders& headers);

struct ObjectState {
  BytesPtr bytes;
  std::string headers;  // to_text()
  meta::Metadata metadata;
  std::vector<std::pair<std::string, BytesPtr>> blocks;  // committed ones, in order
  std::optional<Stamp> etag;                             // nullopt: of a change whose answer nobody heard
  std::vector<std::optional<Stamp>> earlier;             // ETags that it had since its content came
  std::size_t version = 0;                               // which of all these is its version's
  std::optional<Stamp>& stamp(std::size_t change) { return change < earlier.size() ? earlier[change] : etag; }
  const std::optional<Stamp>& stamp(std::size_t change) const {
    return change < earlier.size() ? earlier[change] : etag;
  }
  friend bool operator==(const ObjectState&, const ObjectState&) = default;
};

/// One thing that may be true of a name.
struct KeyState {
  std::optional<ObjectState> object;
  std::map<std::string, BytesPtr> staged;
  friend bool operator==(const KeyState&, const KeyState&) = default;
};

/// What an operation makes of a state, or the detail of its refusal ("BlobNotFound").
using Change = std::function<std::variant<KeyState, std::string>(const KeyState&)>;

/// nullopt: as it should be; else a sentence.
using Complaint = std::optional<std::string>;

/// Keeps for each name the set of states that are possible after all that was answered, seen and not answered. Sets
/// grow with changes whose outcome is unknown and shrink with what is observed: once seen, never otherwise.
class Model {
 public:
  /// Acknowledged, with the ETag that the answer told (nullopt where answers tell none).
  Complaint acknowledged(unsigned key, const Change& change, std::optional<Stamp> etag);
  /// Refused for a reason that lies in the state.
  Complaint refused(unsigned key, const Change& change, const std::string& detail);
  /// Nobody knows. It may have happened, or still happen until the process dies.
  void unknown(unsigned key, Change change);
  /// Whoever did not answer has died: what has not happened by now will not.
  void restarted();

  /// Something was read of a name: what does not fit is not possible any more.
  Complaint saw_object(unsigned key, const std::optional<meta::Object>& object);
  Complaint saw_bytes(unsigned key, const meta::Object& object, std::uint64_t offset, BytesView bytes);
  /// A range that starts behind the end.
  Complaint saw_out_of_range(unsigned key, std::uint64_t offset);
  Complaint saw_blocks(unsigned key, const std::optional<store::BlockList>& list);
  /// One entry of a listing, or its absence; `uncommitted`: only staged blocks were shown.
  Complaint saw_listed(unsigned key, const std::optional<meta::Object>& object, bool uncommitted, bool asked_for_both);

  /// The ETag for a condition; nullopt when the set knows of none that fits.
  std::optional<Stamp> etag_for(unsigned key, Precondition condition) const;
  /// Whether an object or a staged block may be there.
  bool may_exist(unsigned key) const;
  std::string describe(unsigned key) const;

 private:
  struct Possible {
    KeyState state;
    std::vector<Change> pending;  // may still happen, in this order, each or not
  };
  using Set = std::vector<Possible>;
  using Fits = std::function<bool(KeyState&)>;  // may fill in an ETag that was unknown

  /// Every state that the pending changes may have led to, with what is pending still.
  static Set unfold(const Set& set);
  static void add(Set& set, Possible possible);
  Complaint observe(unsigned key, std::string_view what, const Fits& fits);
  bool matches(const std::optional<ObjectState>& state, const std::optional<meta::Object>& seen) const;
  bool matches_stamps(const ObjectState& state, const meta::Object& seen) const;
  Complaint note_etag(unsigned key, Stamp etag, bool fresh);

  std::array<Set, kKeys> keys_ = [] {
    std::array<Set, kKeys> sets;
    for (auto& set : sets) set.push_back({});
    return sets;
  }();
  std::array<std::vector<Stamp>, kKeys> etags_;  // ever seen, oldest first
  std::map<Stamp, unsigned> given_;              // every stamp ever seen, and whose it is
};

// The changes that clients make.
Change put_change(BytesPtr bytes, meta::Metadata metadata, Precondition condition, std::optional<Stamp> etag,
                  std::string headers = {});
Change delete_change(Precondition condition, std::optional<Stamp> etag);
Change metadata_change(meta::Metadata metadata, Precondition condition, std::optional<Stamp> etag);
Change headers_change(std::string headers, Precondition condition, std::optional<Stamp> etag);
Change stage_change(std::string block, BytesPtr bytes);
Change commit_change(std::vector<store::BlockChoice> choices, Precondition condition, std::optional<Stamp> etag,
                     meta::Metadata metadata = {}, std::string headers = {});

/// Whether a block list, but for its object, is that of `state`.
bool fits_blocks(const KeyState& state, const store::BlockList& list);

}  // namespace tombolo::testing::model
