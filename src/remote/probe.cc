#include "remote/probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc64.h"
#include "base/digest.h"

namespace tombolo::remote {
namespace {

constexpr std::size_t kProbeBytes = 64 * 1024;
constexpr std::uint64_t kRangeOffset = 20'001, kRangeLength = 30'003;

class Probe {
 public:
  Probe(Remote& remote, ProbeOptions options, Clock& clock, Random& random)
      : remote_(remote), clock_(clock), nonce_(random.hex(8)), key_(options.prefix + ".tombolo-probe-" + nonce_) {
    Bytes bytes(kProbeBytes);
    random.fill(bytes);
    bytes_ = Block(std::move(bytes));
  }

  Task<std::vector<ProbeStep>> run();

 private:
  Task<void> write(Condition condition);
  Task<void> read_range(std::string etag);
  Task<void> describe();
  Task<void> list();
  Task<void> list_nothing();
  Task<void> gone();
  /// Runs one step; `expected`: the error that is the right answer.
  Task<bool> step(Checked checked, std::string what, Task<void> task, std::optional<Code> expected = std::nullopt);
  /// The three rights that can be tried without an object. Whether writing one may be tried.
  Task<bool> without_object();
  Task<void> with_object();

  Remote& remote_;
  Clock& clock_;
  const std::string nonce_, key_;
  Block bytes_;
  RemoteObject object_;
  std::vector<ProbeStep> steps_;
};

Task<void> Probe::write(Condition condition) {
  PutRequest request;
  request.key = key_;
  request.size = bytes_.size();
  request.crc64 = crc64(bytes_.view());
  request.headers.content_type = "application/octet-stream";
  request.headers.content_md5 = std::string(as_text(md5(bytes_.view())));  // as offload sends one
  request.headers.metadata["tombolo_nonce"] = nonce_;
  request.condition = std::move(condition);
  CO_TRY_ASSIGN(object_, remote_.put(std::move(request), body_of(bytes_)));
  co_return Result<void>{};
}

Task<void> Probe::read_range(std::string etag) {
  GetRequest request;
  request.key = key_;
  request.if_etag = std::move(etag);
  request.offset = kRangeOffset;
  request.length = kRangeLength;
  CO_TRY_ASSIGN(const auto source, remote_.get(std::move(request)));
  CO_TRY_ASSIGN(const Bytes bytes, read_all(*source, kRangeLength));
  if (!std::ranges::equal(bytes, bytes_.view().subspan(kRangeOffset, kRangeLength))) {
    co_return Error{Code::kCorrupt, "the bytes are not those that were written"};
  }
  co_return Result<void>{};
}

Task<void> Probe::describe() {
  CO_TRY_ASSIGN(const HeadResult head, remote_.head(key_));
  if (head.object.size != bytes_.size()) co_return Error{Code::kCorrupt, fmt::format("size {}", head.object.size)};
  if (head.object.etag != object_.etag) co_return Error{Code::kCorrupt, "another ETag than the write gave"};
  const auto nonce = head.headers.metadata.find("tombolo_nonce");
  if (nonce == head.headers.metadata.end() || nonce->second != nonce_) {
    co_return Error{Code::kUnsupported, "metadata does not come back as it went in"};
  }
  co_return Result<void>{};
}

Task<void> Probe::list() {
  ListRequest request;
  request.prefix = key_;
  CO_TRY_ASSIGN(const ListPage page, remote_.list(std::move(request)));
  for (const RemoteObject& object : page.objects) {
    if (object.key == key_ && object.size == bytes_.size() && object.etag == object_.etag) co_return Result<void>{};
  }
  co_return Error{Code::kCorrupt, "the object is not in the listing as it was written"};
}

Task<void> Probe::gone() {
  const auto head = co_await remote_.head(key_);
  if (head.ok()) co_return Error{Code::kCorrupt, "the object is still there"};
  if (head.error().code != Code::kNotFound) co_return head.error();
  co_return Result<void>{};
}

Task<bool> Probe::step(Checked checked, std::string what, Task<void> task, std::optional<Code> expected) {
  const SteadyTime before = clock_.steady();
  const auto done = co_await std::move(task);
  ProbeStep told{.what = std::move(what), .checked = checked, .took = clock_.steady() - before, .problem = {}};
  if (expected) {
    told.ok = !done.ok() && done.error().code == *expected;
    if (done.ok()) told.problem = "it was done, and had to be refused";
    if (!done.ok() && !told.ok) told.problem = done.error().message;
  } else {
    told.ok = done.ok();
    if (!done.ok()) told.problem = done.error().message;
  }
  const bool ok = told.ok;
  steps_.push_back(std::move(told));
  co_return ok;
}

Task<void> Probe::list_nothing() {
  ListRequest request;
  request.prefix = key_;
  request.limit = 1;
  CO_TRY(remote_.list(std::move(request)));
  co_return Result<void>{};
}

// A remote that does not answer as itself ends the probe: whatever else is asked would fail, or wait, in the same way.
// Only a refusal of the one operation lets the others be tried.
Task<bool> Probe::without_object() {
  const Condition whatever{};
  CO_TRY_ASSIGN(const bool listed, step(Checked::kList, "list what is not there", list_nothing()));
  CO_TRY_ASSIGN(const bool looked, step(Checked::kHead, "look for what is not there", gone()));
  if (!listed && !looked) co_return false;
  co_return co_await step(Checked::kDelete, "delete what is not there", remote_.remove(key_, whatever));
}

Task<void> Probe::with_object() {
  const std::string first = object_.etag;
  const Condition absent{.if_etag = {}, .if_absent = true}, at_first{.if_etag = first};
  CO_TRY(step(Checked::kIfNoneMatch, "refuse to write it once more", write(absent), Code::kConditionFailed));
  CO_TRY(step(Checked::kHead, "describe it, with its metadata", describe()));
  CO_TRY(step(Checked::kGet, "read a range of it", read_range(first)));
  CO_TRY(step(Checked::kList, "list it", list()));
  CO_TRY(step(Checked::kPut, "overwrite the version that is there", write(at_first)));
  const Condition at_second{.if_etag = object_.etag};
  CO_TRY(step(Checked::kIfMatch, "refuse to read the version that was", read_range(first), Code::kChangedOutside));
  CO_TRY(step(Checked::kIfMatch, "refuse to overwrite the version that was", write(at_first), Code::kConditionFailed));
  CO_TRY(step(Checked::kIfMatch, "refuse to delete the version that was", remote_.remove(key_, at_first),
              Code::kConditionFailed));
  CO_TRY(step(Checked::kDelete, "delete the version that is there", remote_.remove(key_, at_second)));
  co_return Result<void>{};
}

Task<std::vector<ProbeStep>> Probe::run() {
  CO_TRY_ASSIGN(const bool removable, without_object());
  if (!removable) co_return std::move(steps_);
  const Condition absent{.if_etag = {}, .if_absent = true}, whatever{};
  CO_TRY_ASSIGN(const bool written, step(Checked::kPut, "write an object that is not there", write(absent)));
  if (written) {
    CO_TRY(with_object());
  }
  // Also after a write that failed: it may have happened.
  const auto removed = co_await remote_.remove(key_, whatever);
  if (written) {
    CO_TRY(step(Checked::kDelete, "find nothing where it was", gone()));
  }
  if (!removed.ok()) {
    steps_.push_back({.what = fmt::format("clean up \"{}\"", key_),
                      .checked = Checked::kDelete,
                      .problem = to_string(removed.error())});
  }
  co_return std::move(steps_);
}

}  // namespace

std::string_view name_of(Checked checked) {
  switch (checked) {
    case Checked::kList:
      return "list";
    case Checked::kHead:
      return "head";
    case Checked::kDelete:
      return "delete";
    case Checked::kPut:
      return "put";
    case Checked::kGet:
      return "get";
    case Checked::kIfNoneMatch:
      return "if_none_match";
    case Checked::kIfMatch:
      return "if_match";
  }
  return "";
}

Task<std::vector<ProbeStep>> probe(Remote& remote, ProbeOptions options, Clock& clock, Random& random) {
  Probe run(remote, std::move(options), clock, random);
  co_return co_await run.run();
}

}  // namespace tombolo::remote
