// Operation: one step of a model sequence, and its line of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::testing::model {

//  enumerator, word, what it does. Simple ones first.
#define TOMBOLO_MODEL_OPERATIONS(X)                                                                              \
  X(kGet, "get", "reads <key>")                                                                                  \
  X(kRange, "range", "reads <number> bytes of <key> from <size>")                                                \
  X(kList, "list", "lists; number=1: names with staged blocks too; size: entries a page")                        \
  X(kBlocks, "blocks", "the block list of <key>")                                                                \
  X(kPut, "put", "puts <size> bytes of <seed> under <key>")                                                      \
  X(kDelete, "delete", "deletes <key>")                                                                          \
  X(kMetadata, "metadata", "sets metadata <seed> on <key>")                                                      \
  X(kHeaders, "headers", "sets headers <seed> on <key>")                                                         \
  X(kStage, "stage", "stages block <text> of <key>: <size> bytes of <seed>")                                     \
  X(kCommit, "commit", "commits <text> on <key>: 'la' is the latest of block a, 'c' committed, 'u' uncommitted") \
  X(kSleep, "sleep", "lets <number> milliseconds pass")                                                          \
  X(kFlush, "flush", "flushes the index, trims the log")                                                         \
  X(kGc, "gc", "one pass of the collector")                                                                      \
  X(kCompact, "compact", "the open segment gets no more runs, then as gc")                                       \
  X(kOffload, "offload", "copies what begins with <text> to the remote")                                         \
  X(kEvict, "evict", "the same, and drops it from flash")                                                        \
  X(kRecall, "recall", "brings back what begins with <text>")                                                    \
  X(kFsck, "fsck", "checks all rows and bytes")                                                                  \
  X(kClock, "clock", "the wall clock is <number> - 1800 seconds off")                                            \
  X(kFailRead, "fail-read", "the <number>-th read fails")                                                        \
  X(kFailChange, "fail-change", "the <number>-th change of the disk fails: <text> unavailable or no_space")      \
  X(kFailSync, "fail-sync", "the <number>-th sync fails: <text> kept, reverted or late")                         \
  X(kFull, "full", "only <number> bytes more fit on the disk")                                                   \
  X(kSpace, "space", "space is back")                                                                            \
  X(kRemoteFault, "remote-fault", "<text> (fault:operation), <number> times")                                    \
  X(kHeal, "heal", "no more faults of disk or remote")                                                           \
  X(kRestart, "restart", "a clean stop, and a start")                                                            \
  X(kCrash, "crash", "dies now; <text> kill, lost, kept or torn")                                                \
  X(kCrashAt, "crash-at", "dies around the <number>-th change: <text>, with :after once it is done")             \
  X(kStrike, "strike", "<text> (fault:death@place) at the <number>-th step from that place, recoveries included")

enum class Kind : std::uint8_t {
#define X(name, word, doc) name,
  TOMBOLO_MODEL_OPERATIONS(X)
#undef X
};

enum class Precondition : std::uint8_t {
  kNone,
  kAbsent,   // If-None-Match: *
  kPresent,  // If-Match: *
  kCurrent,  // If-Match: the ETag that was last seen of the key
  kStale,    // If-Match: one that it had before
};

inline constexpr unsigned kKeys = 6;
/// "a", "b/0", "b/1", "b/2", "c", "d"
std::string name_of_key(unsigned key);

/// What its fields mean is the operation's matter.
struct Operation {
  Kind kind = Kind::kGet;
  unsigned key = 0;  // below kKeys
  std::uint64_t size = 0, number = 0, seed = 0;
  Precondition condition = Precondition::kNone;
  std::string text;                   // without spaces
  std::vector<std::uint32_t> nested;  // crashes: of the recoveries after it, each dies around this change
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// "put key=1 size=4097 seed=7 if=absent"; what is at its default is left out.
std::string to_text(const Operation& operation);
/// kInvalid with a sentence.
Result<Operation> parse_operation(std::string_view line);
/// A line each; empty lines and those that begin with '#' are skipped.
Result<std::vector<Operation>> parse_trace(std::string_view text);
std::string to_text(const std::vector<Operation>& operations);

}  // namespace tombolo::testing::model
