// Step: what one client asked of one name, what it heard, and when.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "testing/model/model.h"

namespace tombolo::testing::linearize {

/// A moment: calls and answers of a history are counted, and no two are at one.
using Tick = std::uint64_t;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();

enum class Outcome : std::uint8_t {
  kAcknowledged,  // the change has happened between call and answer
  kRefused,       // it has not, for what the object was at a moment between them
  kUnknown,       // it has happened between them, or never will
  kSaw,           // something was read: the object was so at a moment between them
};

/// What an answer tells of an object.
struct Sight {
  Stamp etag;
  std::uint64_t length = 0, crc64 = 0;
  std::string tag;
};
Sight sight_of(const meta::Object& object);
bool matches(const std::optional<model::ObjectState>& state, const std::optional<Sight>& seen);

/// Every change that makes a new ETag writes a tag of its own into the metadata: so what is seen tells who made it.
meta::Metadata metadata_of(const std::string& tag);

struct Step {
  unsigned client = 0;
  Tick call = 0, answer = kNever;
  Outcome outcome = Outcome::kUnknown;
  std::string text = {};                                  // what was asked, for people
  model::Change change = {};                              // of all but kSaw
  std::string tag = {};                                   // what the change writes; empty: it makes no ETag
  std::string detail = {};                                // of kRefused
  std::optional<Sight> sight = {};                        // of the object that was answered
  std::function<bool(const model::KeyState&)> fits = {};  // of kSaw
};
std::string describe(const Step& step);

/// Of one name, in any order.
using Steps = std::vector<Step>;

}  // namespace tombolo::testing::linearize
