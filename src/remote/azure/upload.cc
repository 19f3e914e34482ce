#include "remote/azure/upload.h"

#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/sleep.h"
#include "base/ascii.h"
#include "base/crc64.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "remote/azure/properties.h"
#include "remote/azure/sealed_source.h"

namespace tombolo::remote::azure {
namespace {

constexpr std::string_view kCrcHeader = "x-ms-content-crc64";
/// Error::detail of a Put Blob whose MD5 is not that of the bytes that arrived.
constexpr std::string_view kMd5Mismatch = "Md5Mismatch";
constexpr std::uint64_t kBlocksMax = 50'000;
constexpr std::uint64_t kBlockBytesMax = 4'000 * kMiB;

Error not_announced(const std::string& key) {
  return Error{Code::kCorrupt, fmt::format("the body of \"{}\" is not what was announced", key)};
}

enum class Seen {
  kOurs,        // the put happened
  kNotYet,      // it has not happened so far, and may be tried again
  kOther,       // it cannot happen any more: its condition is broken by somebody else's object
  kCannotTell,  // an object that may be ours
};

Seen judge(const PutRequest& request, const HeadResult& found) {
  const Condition& condition = request.condition;
  const auto nonce = request.headers.metadata.find(std::string(kNonceName));
  if (nonce != request.headers.metadata.end()) {
    // Azure keeps the case of names, others of its kind may not.
    for (const auto& [name, value] : found.headers.metadata) {
      if (equal_ignoring_case(name, kNonceName) && value == nonce->second) {
        return found.object.size == request.size ? Seen::kOurs : Seen::kCannotTell;
      }
    }
    if (condition.if_absent) return Seen::kOther;
    if (condition.if_etag.empty()) return Seen::kNotYet;
    return found.object.etag == condition.if_etag ? Seen::kNotYet : Seen::kOther;
  }
  if (condition.if_absent) return Seen::kCannotTell;
  if (!condition.if_etag.empty()) {
    return found.object.etag == condition.if_etag ? Seen::kNotYet : Seen::kCannotTell;
  }
  const bool same = request.headers.content_md5 && found.headers.content_md5 == request.headers.content_md5 &&
                    found.object.size == request.size;
  return same ? Seen::kOurs : Seen::kNotYet;
}

struct Look {
  Seen seen = Seen::kCannotTell;
  RemoteObject object;  // where seen is kOurs
};

Task<Look> look(std::shared_ptr<Caller> caller, const PutRequest& request) {
  Look out;
  auto found = co_await head_object(caller, request.key);
  if (found.ok()) {
    out.seen = judge(request, *found);
    out.object = std::move(found->object);
  } else if (found.error().code == Code::kNotFound) {
    out.seen = Seen::kNotYet;
  } else if (found.error().code == Code::kCancelled) {
    co_return std::move(found).error();
  }
  co_return out;
}

// An answer that says "created": the object, or why it is not to be believed.
Result<RemoteObject> believe(const PutRequest& request, const http::Headers& headers, bool whole_body) {
  RemoteObject object = object_of(headers, request.key, request.size);
  if (object.etag.empty()) return Error{Code::kUnavailable, "it answered 201 without an ETag"};
  const auto crc = headers.get(kCrcHeader);
  if (whole_body && crc && *crc != crc64_header(request.crc64)) {
    return Error{Code::kCorrupt, "it has other bytes than were sent: their CRC64 differs"};
  }
  return object;
}

Error unknown(const Error& error) {
  return {Code::kUnknownOutcome, error.message + "; whether the object was written is not known", kGaveUp};
}

struct CommitCall {
  Call call;
  bool whole_body = false;  // the object is the call's body, not a list of blocks
};

// The request that makes the object, tried until its outcome is known.
Task<RemoteObject> commit(std::shared_ptr<Caller> caller, const PutRequest& request, CommitCall commit) {
  Caller::Attempts attempts(*caller);
  bool maybe = false;
  while (true) {
    CO_TRY_ASSIGN(Outcome outcome, caller->try_once(commit.call, attempts.number()));
    Failure failure = std::move(outcome.failure);
    if (outcome.response) {
      auto object = believe(request, outcome.response->head.headers, commit.whole_body);
      static_cast<void>(co_await Caller::drain(*outcome.response));
      if (object.ok()) co_return object;
      failure = Failure{.error = object.error(), .retryable = false, .maybe_done = true};
      if (object.error().code == Code::kCorrupt) co_return caller->told(commit.call, attempts, failure);
    }
    if (failure.unsupported && commit.call.headers.has(kCrcHeader)) {
      caller->found_without_crc64();
      commit.call.headers.remove(kCrcHeader);
      continue;
    }
    Error error = caller->told(commit.call, attempts, failure);
    if (!maybe && commit.whole_body && failure.md5_mismatch) {
      error.detail = kMd5Mismatch;
      co_return error;
    }
    maybe = maybe || failure.maybe_done;
    if (!maybe && failure.error.code == Code::kConditionFailed) co_return error;
    if (maybe) {
      const Duration asked = failure.retry_after.value_or(Duration::zero());
      failure.retry_after.reset();
      if (asked > caller->config().retry_after_max) co_return unknown(error);
      CO_TRY(sleep_for(asked));  // a look is a request too
      CO_TRY_ASSIGN(const Look seen, look(caller, request));
      if (seen.seen == Seen::kOurs) co_return seen.object;
      if (seen.seen == Seen::kOther) co_return Error{Code::kConditionFailed, error.message, kGaveUp};
      // Another try would be answered "condition failed" by what may be our own object.
      if (seen.seen == Seen::kCannotTell) failure.retryable = false;
    }
    CO_TRY_ASSIGN(const bool again, attempts.again(std::move(failure)));
    if (again) {
      log(LogLevel::kInfo, "remote", "{}; trying again", error.message);
      continue;
    }
    if (!maybe) co_return error;
    co_return unknown(error);
  }
}

Task<RemoteObject> put_whole(std::shared_ptr<Caller> caller, const PutRequest& request, const BodyFactory& body) {
  CommitCall put;
  put.whole_body = true;
  put.call.method = "PUT";
  put.call.key = request.key;
  put.call.headers.add("x-ms-blob-type", "BlockBlob");
  // An MD5 to be kept is checked like a CRC64, and the two together are refused: 400 BothCrc64AndMsMd5HeaderPresent.
  if (caller->checks_crc64() && !request.headers.content_md5) {
    put.call.headers.add(kCrcHeader, crc64_header(request.crc64));
  }
  add_properties(put.call.headers, request.headers);
  add_condition(put.call.headers, request.condition);
  const SealedSource::Seal seal = [&request](std::uint64_t crc, std::uint64_t size) -> Result<void> {
    if (crc != request.crc64 || size != request.size) return not_announced(request.key);
    return {};
  };
  put.call.body = [&request, &body, seal] { return std::make_unique<SealedSource>(body(0, request.size), seal); };
  put.call.body_size = request.size;
  put.call.expected = {201};
  co_return co_await commit(std::move(caller), request, std::move(put));
}

// Whether the MD5 to be kept is that of the body. On the event loop, a block at a time: a service that finds an MD5
// wrong is rare.
Task<bool> has_its_own_md5(const PutRequest& request, const BodyFactory& body) {
  const std::unique_ptr<ByteSource> source = body(0, request.size);
  Md5 digest;
  while (true) {
    CO_TRY_ASSIGN(const Block block, source->next());
    if (block.empty()) break;
    digest.update(block.view());
  }
  co_return as_text(digest.finish()) == request.headers.content_md5;
}

// A large object on its way in blocks. One event loop.
struct BlockUpload {
  std::shared_ptr<Caller> caller;
  const PutRequest& request;
  const BodyFactory& body;
  std::uint64_t block_bytes;
  std::string id_prefix;  // the same for every try of a put with this nonce: uploading again replaces, never adds
  std::vector<std::uint64_t> crcs;
  std::size_t next = 0;
  Result<void> outcome;  // the first failure

  std::uint64_t length_of(std::size_t block) const { return std::min(block_bytes, request.size - block * block_bytes); }
  std::string id_of(std::size_t block) const {
    return base64_encode(as_bytes(fmt::format("{}-{:08d}", id_prefix, block)));
  }
};

Task<void> put_block(BlockUpload& upload, std::size_t block) {
  const std::uint64_t length = upload.length_of(block);
  Call call;
  call.method = "PUT";
  call.key = upload.request.key;
  call.query = "comp=block&blockid=" + percent_encode(upload.id_of(block));
  const SealedSource::Seal seal = [&upload, block, length](std::uint64_t crc, std::uint64_t size) -> Result<void> {
    if (size != length) return not_announced(upload.request.key);
    upload.crcs[block] = crc;
    return {};
  };
  call.body = [&upload, block, length, seal] {
    return std::make_unique<SealedSource>(upload.body(block * upload.block_bytes, length), seal);
  };
  call.body_size = length;
  call.expected = {201};
  CO_TRY_ASSIGN(http::Response response, upload.caller->call(std::move(call)));
  const auto crc = response.head.headers.get(kCrcHeader);
  if (crc && *crc != crc64_header(upload.crcs[block])) {
    co_return Error{Code::kCorrupt, fmt::format("remote \"{}\", \"{}\": a block arrived with another CRC64",
                                                upload.caller->config().name, upload.request.key)};
  }
  co_return co_await Caller::drain(response);
}

Task<void> put_blocks(BlockUpload& upload) {
  while (upload.outcome.ok() && upload.next < upload.crcs.size()) {
    const std::size_t block = upload.next++;
    auto done = co_await put_block(upload, block);
    if (!done.ok() && upload.outcome.ok()) upload.outcome = std::move(done);
  }
  co_return Result<void>();
}

Task<RemoteObject> put_in_blocks(std::shared_ptr<Caller> caller, const PutRequest& request, const BodyFactory& body) {
  using namespace boost::asio::experimental::awaitable_operators;
  const auto nonce = request.headers.metadata.find(std::string(kNonceName));
  const std::string secret = nonce != request.headers.metadata.end() ? nonce->second : caller->random().hex(16);
  const std::uint64_t block_bytes =
      std::max(caller->config().block_bytes, (request.size + kBlocksMax - 1) / kBlocksMax);
  if (block_bytes > kBlockBytesMax) co_return Error{Code::kTooLarge, "larger than any block blob"};
  BlockUpload upload{.caller = caller,
                     .request = request,
                     .body = body,
                     .block_bytes = block_bytes,
                     .id_prefix = hex_encode(sha256(as_bytes(secret))).substr(0, 24),
                     .crcs = {},
                     .next = 0,
                     .outcome = {}};
  upload.crcs.resize((request.size + block_bytes - 1) / block_bytes);
  static_assert(kBlocksAtOnce == 4);
  const auto ended = co_await (put_blocks(upload) && put_blocks(upload) && put_blocks(upload) && put_blocks(upload));
  static_cast<void>(ended);
  CO_CHECK(upload.outcome);

  std::uint64_t crc = 0;
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (std::size_t n = 0; n < upload.crcs.size(); ++n) {
    crc = crc64_combine(crc, upload.crcs[n], upload.length_of(n));
    list += fmt::format("<Latest>{}</Latest>", upload.id_of(n));
  }
  list += "</BlockList>";
  if (crc != request.crc64) co_return not_announced(request.key);

  CommitCall put;
  put.call.method = "PUT";
  put.call.key = request.key;
  put.call.query = "comp=blocklist";
  add_properties(put.call.headers, request.headers);
  add_condition(put.call.headers, request.condition);
  const Block text{to_bytes(list)};
  put.call.body = [text] { return std::make_unique<BlockSource>(text); };
  put.call.body_size = text.size();
  put.call.expected = {201};
  co_return co_await commit(std::move(caller), request, std::move(put));
}

}  // namespace

Task<RemoteObject> put_object(std::shared_ptr<Caller> caller, PutRequest request, BodyFactory body) {
  CO_CHECK(check_new_key(request.key));
  if (request.size <= caller->config().single_put_bytes_max) {
    auto whole = co_await put_whole(caller, request, body);
    if (whole.ok() || whole.error().detail != kMd5Mismatch) co_return whole;
    CO_TRY_ASSIGN(const bool damaged_on_the_way, has_its_own_md5(request, body));
    if (damaged_on_the_way) co_return Error{whole.error().code, whole.error().message, kGaveUp};
    // A client may have given its object any MD5: a block list keeps it as it is.
  }
  co_return co_await put_in_blocks(caller, request, body);
}

Task<bool> is_gone(std::shared_ptr<Caller> caller, std::string key) {
  const auto head = co_await head_object(std::move(caller), std::move(key));
  co_return !head.ok() && head.error().code == Code::kNotFound;
}

Task<HeadResult> head_object(std::shared_ptr<Caller> caller, std::string key) {
  CO_CHECK(check_key(key));
  Call call;
  call.method = "HEAD";
  call.key = key;
  call.expected = {200};
  CO_TRY_ASSIGN(const http::Response response, caller->call(std::move(call)));
  const http::Headers& headers = response.head.headers;
  RemoteObject object = object_of(headers, key, response.content_length.value_or(0));
  if (!response.content_length || object.etag.empty()) {
    co_return Error{Code::kUnavailable, fmt::format("remote \"{}\": the answer about \"{}\" has no ETag or no length",
                                                    caller->config().name, key)};
  }
  co_return HeadResult{std::move(object), properties_of(headers)};
}

}  // namespace tombolo::remote::azure
