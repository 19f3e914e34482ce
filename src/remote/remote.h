// Remote: a configured external object store, as far as tombolo needs one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/byte_stream.h"
#include "base/call_site.h"
#include "base/clock.h"

namespace tombolo::remote {

/// What a remote says of one of its objects.
struct RemoteObject {
  std::string key;         // full key in the remote's bucket, opaque bytes
  std::uint64_t size = 0;  // bytes
  std::string etag;        // opaque, without quotes; identifies these bytes and headers
  std::string version_id;  // empty where the remote keeps no versions
  WallTime last_modified;
};

/// Headers and user metadata that travel with an object, both ways. Keys of `metadata` keep their case where the
/// remote does.
struct RemoteHeaders {
  std::string content_type, content_encoding, content_language, content_disposition, cache_control;
  std::optional<std::string> content_md5;  // 16 raw bytes
  std::map<std::string, std::string> metadata;
};

/// Identity of what must (or must not) be there. At most one is set.
struct Condition {
  std::string if_etag;     // act only on this ETag
  bool if_absent = false;  // act only when nothing is there
};

struct PutRequest {
  std::string key;
  std::uint64_t size = 0;   // exactly what `body` gives
  std::uint64_t crc64 = 0;  // of the whole body; sent where the remote checks it
  RemoteHeaders headers;
  Condition condition;
};

/// Makes a fresh source of exactly [offset, offset + length) of the body, for each attempt at each part: large objects
/// go in parts, several at once, each retried by itself. Called on the putting task's event loop. Requires
/// offset + length <= PutRequest::size.
using BodyFactory = std::function<std::unique_ptr<ByteSource>(std::uint64_t offset, std::uint64_t length)>;

/// The factory of a body that is in memory.
BodyFactory body_of(Block block);

struct GetRequest {
  std::string key;
  std::string if_etag;  // required: bytes of another ETag are kChangedOutside, never returned
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // > 0; offset + length <= size
  /// What came for the same range a moment ago did not verify. Counts as a retry: without one left in the budget
  /// nothing is asked, and the error is kUnavailable with kNoRetryLeft.
  bool again = false;
};

struct ListRequest {
  std::string prefix;
  std::string marker;  // from ListPage::next_marker; empty = from the start
  std::uint32_t limit = 1'000;
};

struct ListPage {
  std::vector<RemoteObject> objects;  // byte order of keys
  std::string next_marker;            // empty at the end
};

struct HeadResult {
  RemoteObject object;
  RemoteHeaders headers;
};

struct Capabilities {
  bool conditional_put = true;
  bool versions = false;
};

/// Error::detail of a remote that has tried as often and as long as is good: whoever asks for the same again at once
/// only multiplies its load.
inline constexpr std::string_view kGaveUp = "RemoteGaveUp";
/// Of a get `again` that was not made.
inline constexpr std::string_view kNoRetryLeft = "NoRetryLeft";

/// Thread-safe. Every operation has a deadline, retries what may be retried (with jitter and within a budget), and its
/// errors name the remote, the key and the attempt; those of a remote behind a network carry kGaveUp. kNotFound,
/// kConditionFailed (put, delete), kChangedOutside (get), kPermissionDenied, kUnavailable (gave up), kUnknownOutcome (a
/// put that may have happened: head() decides).
class Remote {
 public:
  virtual ~Remote() = default;
  virtual const std::string& name() const = 0;
  virtual Capabilities capabilities() const = 0;
  virtual Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site = CallSite::here()) = 0;
  /// Exactly request.length bytes, streaming; a shorter body is an error of next(), never an early end.
  virtual Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site = CallSite::here()) = 0;
  virtual Task<HeadResult> head(std::string key, CallSite site = CallSite::here()) = 0;
  virtual Task<ListPage> list(ListRequest request, CallSite site = CallSite::here()) = 0;
  /// Removing what is not there succeeds; with a condition that does not hold, kConditionFailed.
  virtual Task<void> remove(std::string key, Condition condition, CallSite site = CallSite::here()) = 0;
  /// The remote's clock minus ours, to about a second, as its latest answer told it; nothing before one, and where it
  /// has no clock of its own.
  virtual std::optional<Duration> clock_skew() const { return std::nullopt; }
};

}  // namespace tombolo::remote
