// How an Operation is asked of a Store.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "async/byte_stream.h"
#include "store/types.h"
#include "testing/model/operation.h"
#include "testing/pace.h"

namespace tombolo::testing::model {

/// The bytes of a client that sends them piece by piece; with a pace, now and then one has to be waited for.
class SteppedBody final : public ByteSource {
 public:
  explicit SteppedBody(const Bytes& bytes, Pace* pace = nullptr) : rest_(Bytes(bytes)), pace_(pace) {}
  Task<Block> next() override;

 private:
  Block rest_;
  Pace* const pace_;
};

/// `etag` is that of kCurrent and kStale.
meta::Conditions to_conditions(Precondition condition, std::optional<Stamp> etag);

/// The text of a kCommit.
std::vector<store::BlockChoice> parse_choices(std::string_view text);

/// Whether a change was refused for what the object is, not for how the cell is.
bool lies_in_the_state(const Error& error);

}  // namespace tombolo::testing::model
