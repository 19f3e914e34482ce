#include "tiering/native_copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc64.h"
#include "base/planted_bugs.h"
#include "store/gen_source.h"
#include "tiering/native_key.h"

namespace tombolo::tiering {
namespace {

constexpr int kTriesMax = 6;         // of look and PUT, each answered by a state that somebody else may change
constexpr int kBrokenBodiesMax = 3;  // in a row, without a byte between them

bool may_have_happened(const Error& error) {
  // A remote that gave up knows: it would have said kUnknownOutcome.
  if (error.detail == remote::kGaveUp) return error.code == Code::kUnknownOutcome;
  return error.code == Code::kUnknownOutcome || error.code == Code::kUnavailable || error.code == Code::kDeadline;
}

/// What a PUT was answered settles it, when a look has not found our object: another PUT is somebody else's decision.
bool is_final(const Error& refused) {
  if (refused.code == Code::kConditionFailed) return false;  // by something that may have gone meanwhile
  return refused.code != Code::kUnknownOutcome || refused.detail == remote::kGaveUp;
}

remote::BodyFactory body_of_gen(store::Services& services, const NativeCopy& copy) {
  if (copy.gen.length == 0) return remote::body_of(Block());
  return [&services, tenant = copy.tenant, gen = copy.gen.id, asked = copy.stop_asked](
             std::uint64_t offset, std::uint64_t length) -> std::unique_ptr<ByteSource> {
    store::OpenGen what;
    what.tenant = tenant;
    what.gen = gen;
    what.offset = offset;
    what.length = length;
    what.caching = store::Caching::kNone;
    return std::make_unique<StoppableSource>(store::gen_source_later(services, std::move(what)), asked);
  };
}

/// Adds what a body gives to `crc` and to `at`, up to `end`.
Task<void> read_body(remote::Remote& remote, remote::GetRequest request, std::uint64_t& at, std::uint64_t& crc) {
  const std::uint64_t end = request.offset + request.length;
  CO_TRY_ASSIGN(const std::unique_ptr<ByteSource> body, remote.get(std::move(request)));
  while (at < end) {
    CO_TRY_ASSIGN(const Block block, body->next());
    if (block.empty()) co_return Error{Code::kUnavailable, remote.name() + ": a body ended early"};
    if (block.size() > end - at) co_return Error{Code::kUnavailable, remote.name() + ": a body went on too long"};
    crc = crc64(block.view(), crc);
    at += block.size();
  }
  co_return Result<void>{};
}

/// Of no bytes there is no read that would prove the ETag of a HEAD. One of a byte too many does: If-Match comes first.
Task<void> require_empty(remote::Remote& remote, std::string key, std::string etag) {
  remote::GetRequest request;
  request.key = key;
  request.if_etag = std::move(etag);
  request.length = 1;
  const auto body = co_await remote.get(std::move(request));
  if (!body.ok() && body.error().code == Code::kOutOfRange) co_return Result<void>{};
  if (!body.ok() && body.error().code == Code::kNotFound) co_return Error{Code::kCorrupt, body.error().message};
  if (!body.ok()) co_return body.error();
  CO_TRY_ASSIGN(const Block block, (*body)->next());
  if (block.empty()) co_return Result<void>{};
  co_return Error{Code::kCorrupt, fmt::format("remote \"{}\": \"{}\" is not empty", remote.name(), key)};
}

/// `nonce`: what the object that is there carries.
Error foreign(const NativeCopy& copy, const std::string& nonce) {
  if (!nonce.empty()) {  // another name that the remote keeps under the same one, or another tombolo's
    return {Code::kAlreadyExists,
            fmt::format("remote \"{}\": \"{}\" was written by tombolo, for another object; it is left as it is: use "
                        "another prefix or another remote",
                        copy.remote->name(), copy.key),
            "ForeignObject"};
  }
  return {
      Code::kAlreadyExists,
      fmt::format("remote \"{}\" has an object \"{}\" that tombolo did not write; it is left as it is: move it away "
                  "or use another prefix",
                  copy.remote->name(), copy.key),
      "ForeignObject"};
}

struct Found {
  std::optional<remote::RemoteObject> verified;  // there, ours, the gen's bytes
  remote::Condition put_when;                    // otherwise: the condition under which to write
};

Task<Found> look(store::Services& services, const NativeCopy& copy) {
  Found found;
  const auto head = co_await copy.remote->head(copy.key);
  if (!head.ok() && head.error().code != Code::kNotFound) co_return head.error();
  if (!head.ok()) {
    found.put_when.if_absent = true;
    co_return found;
  }
  const std::string nonce = nonce_of(head->headers);
  if (!same_origin(nonce, copy.nonce)) co_return foreign(copy, nonce);
  if (planted(PlantedBug::adopt_without_comparing)) {
    found.verified = head->object;
    co_return found;
  }
  auto verified = co_await verify_copy(copy.remote, copy.key, head->object.etag, copy.gen,
                                       services.limits.cold_get_bytes_max, copy.stop_asked);
  if (verified.ok()) {
    found.verified = *std::move(verified);
    co_return found;
  }
  if (verified.error().code != Code::kCorrupt) co_return verified.error();
  found.put_when.if_etag = head->object.etag;
  co_return found;
}

}  // namespace

Task<remote::RemoteObject> verify_copy(std::shared_ptr<remote::Remote> remote, std::string key, std::string etag,
                                       meta::Gen gen, std::uint64_t step_bytes_max, StopAsked stop_asked) {
  auto head = co_await remote->head(key);
  if (!head.ok() && head.error().code == Code::kNotFound) {
    co_return Error{Code::kCorrupt, fmt::format("remote \"{}\" has no object \"{}\"", remote->name(), key)};
  }
  if (!head.ok()) co_return head.error();
  if (head->object.etag != etag) {
    co_return Error{Code::kChangedOutside,
                    fmt::format("remote \"{}\": \"{}\" was changed outside tombolo", remote->name(), key)};
  }
  if (head->object.size != gen.length) {
    co_return Error{Code::kCorrupt, fmt::format("remote \"{}\": \"{}\" has {} bytes instead of {}", remote->name(), key,
                                                head->object.size, gen.length)};
  }
  if (gen.length == 0) {
    CO_TRY(require_empty(*remote, key, etag));
  }
  std::uint64_t crc = 0;
  int broken = 0;
  for (std::uint64_t at = 0; at < gen.length;) {
    CO_CHECK(go_on(stop_asked));
    const std::uint64_t before = at;
    remote::GetRequest request;
    request.key = key;
    request.if_etag = etag;
    request.offset = at;
    request.length = std::min(gen.length - at, step_bytes_max);
    const auto read = co_await read_body(*remote, std::move(request), at, crc);
    if (read.ok()) continue;
    broken = at > before ? 1 : broken + 1;
    if (read.error().code == Code::kNotFound || read.error().code == Code::kOutOfRange) {
      co_return Error{Code::kCorrupt, read.error().message};
    }
    const bool may_pass = read.error().code == Code::kUnavailable && read.error().detail != remote::kGaveUp;
    if (!may_pass || broken == kBrokenBodiesMax) co_return read.error();
  }
  if (crc != gen.crc64) {
    co_return Error{Code::kCorrupt,
                    fmt::format("remote \"{}\": \"{}\" gives back other bytes than were sent", remote->name(), key)};
  }
  co_return head->object;
}

Task<void> check_copy(std::shared_ptr<remote::Remote> remote, meta::NativePlace place, std::uint64_t length) {
  const auto head = co_await remote->head(place.key);
  if (!head.ok() && head.error().code != Code::kNotFound) co_return head.error();
  if (head.ok() && head->object.etag == place.etag && head->object.size == length) co_return Result<void>{};
  co_return Error{Code::kChangedOutside,
                  fmt::format("remote \"{}\": \"{}\" was {} outside tombolo; what is on flash stays there",
                              remote->name(), place.key, head.ok() ? "changed" : "deleted")};
}

Task<remote::RemoteObject> ensure_copy(store::Services& services, NativeCopy copy) {
  remote::Condition when;
  when.if_etag = copy.replace_etag;
  when.if_absent = copy.replace_etag.empty();
  bool look_now = copy.look_first;
  std::optional<Error> refused;  // the last PUT's
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (look_now) {
      auto found = co_await look(services, copy);
      if (!found.ok() && found.error().code == Code::kChangedOutside) continue;  // it changed while being read
      if (!found.ok()) co_return found.error();
      if (found->verified) co_return *std::move(found->verified);
      if (refused && is_final(*refused)) co_return *std::move(refused);
      when = found->put_when;
    }
    remote::PutRequest request;
    request.key = copy.key;
    request.size = copy.gen.length;
    request.crc64 = copy.gen.crc64;
    request.headers = copy.headers;
    request.condition = when;
    const remote::BodyFactory body = body_of_gen(services, copy);
    const auto put = co_await copy.remote->put(std::move(request), body);
    if (put.ok() && planted(PlantedBug::evict_before_verify)) {
      co_return remote::RemoteObject{.key = copy.key, .size = copy.gen.length, .etag = put->etag};
    }
    if (put.ok()) {
      co_return co_await verify_copy(copy.remote, copy.key, put->etag, copy.gen, services.limits.cold_get_bytes_max,
                                     copy.stop_asked);
    }
    refused = put.error();
    if (refused->code != Code::kConditionFailed && !may_have_happened(*refused)) co_return *std::move(refused);
    look_now = true;
  }
  co_return Error{Code::kUnavailable,
                  fmt::format("remote \"{}\": \"{}\" keeps changing while it is being written{}{}", copy.remote->name(),
                              copy.key, refused ? ": " : "", refused ? refused->message : "")};
}

}  // namespace tombolo::tiering
