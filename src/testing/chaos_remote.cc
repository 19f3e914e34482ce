#include "testing/chaos_remote.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/sleep.h"
#include "base/crc64.h"
#include "base/units.h"

namespace tombolo::testing {

using remote::kGaveUp;

namespace {

constexpr std::uint64_t kBodyBytesMax = 256 * kMiB;
constexpr Duration kStep = std::chrono::milliseconds(5);
constexpr std::string_view kTheirs = "somebody else's bytes";
constexpr std::string_view kOtherEtag = "another-etag";

struct Name {
  RemoteFault fault;
  std::string_view name;
};
constexpr Name kNames[kRemoteFaults] = {{RemoteFault::kDown, "down"},
                                        {RemoteFault::kRefused, "refused"},
                                        {RemoteFault::kSlow, "slow"},
                                        {RemoteFault::kStalled, "stalled"},
                                        {RemoteFault::kTruncating, "truncating"},
                                        {RemoteFault::kWrongBytes, "wrong bytes"},
                                        {RemoteFault::kWrongEtag, "wrong ETag"},
                                        {RemoteFault::kDoneSaid500, "done, said 500"},
                                        {RemoteFault::kClaimed, "said done, was not"},
                                        {RemoteFault::kStaleList, "stale list"},
                                        {RemoteFault::kChangedOutside, "changed outside"},
                                        {RemoteFault::kForbidden, "403"},
                                        {RemoteFault::kNotFound, "404"},
                                        {RemoteFault::kThrottled, "429 with Retry-After"},
                                        {RemoteFault::kBusy, "503"}};

bool is_one_of(std::optional<RemoteFault> fault, std::initializer_list<RemoteFault> these) {
  return fault && std::find(these.begin(), these.end(), *fault) != these.end();
}

/// Nothing is done, and the caller is told so.
bool refuses(std::optional<RemoteFault> fault) {
  return is_one_of(fault, {RemoteFault::kDown, RemoteFault::kRefused, RemoteFault::kForbidden, RemoteFault::kNotFound,
                           RemoteFault::kThrottled, RemoteFault::kBusy});
}

/// It is done, and the answer is lost.
bool loses_answer(std::optional<RemoteFault> fault) {
  return is_one_of(fault, {RemoteFault::kStalled, RemoteFault::kTruncating, RemoteFault::kDoneSaid500});
}

}  // namespace

std::string_view name_of(RemoteFault fault) {
  return kNames[static_cast<unsigned>(fault)].name;
}

std::string_view name_of(RemoteOp op) {
  constexpr std::string_view names[] = {"put", "get", "head", "list", "delete"};
  return names[static_cast<unsigned>(op)];
}

ChaosRemote::ChaosRemote(std::shared_ptr<remote::Remote> inner, ChaosOptions options)
    : inner_(std::move(inner)), options_(options), random_(options.seed) {}

Task<void> ChaosRemote::add(ChaosRule rule) {
  if (rule.fault == RemoteFault::kStaleList) {
    std::vector<remote::RemoteObject> all;
    remote::ListRequest request;
    do {
      CO_TRY_ASSIGN(remote::ListPage page, inner_->list(request));
      std::move(page.objects.begin(), page.objects.end(), std::back_inserter(all));
      request.marker = page.next_marker;
    } while (!request.marker.empty());
    const std::lock_guard lock(mutex_);
    listed_before_ = std::move(all);
  }
  const std::lock_guard lock(mutex_);
  rules_.push_back(std::move(rule));
  co_return Result<void>{};
}

void ChaosRemote::heal() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  ++era_;
}

bool ChaosRemote::has_rules() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(rules_.begin(), rules_.end(), [](const ChaosRule& rule) { return rule.times != 0; });
}

std::uint64_t ChaosRemote::calls(RemoteOp op) const {
  const std::lock_guard lock(mutex_);
  return calls_[static_cast<unsigned>(op)];
}
std::uint64_t ChaosRemote::faults(RemoteFault fault) const {
  const std::lock_guard lock(mutex_);
  return faults_[static_cast<unsigned>(fault)];
}
std::uint64_t ChaosRemote::era() const {
  const std::lock_guard lock(mutex_);
  return era_;
}

std::optional<RemoteFault> ChaosRemote::decide(RemoteOp op, const std::string& key) {
  const std::lock_guard lock(mutex_);
  ++calls_[static_cast<unsigned>(op)];
  for (ChaosRule& rule : rules_) {
    if (rule.times == 0 || (rule.op && *rule.op != op) || !key.starts_with(rule.key_prefix)) continue;
    constexpr std::uint64_t kOdds = 1'000'000;
    if (rule.probability < 1 && static_cast<double>(random_.below(kOdds)) >= rule.probability * kOdds) continue;
    if (rule.times > 0) --rule.times;
    ++faults_[static_cast<unsigned>(rule.fault)];
    return rule.fault;
  }
  return std::nullopt;
}

Error ChaosRemote::failed(RemoteFault fault, RemoteOp op, const std::string& key) const {
  const bool done = loses_answer(fault) || fault == RemoteFault::kDown;
  Code code = op == RemoteOp::kPut && done ? Code::kUnknownOutcome : Code::kUnavailable;
  if (fault == RemoteFault::kForbidden) code = Code::kPermissionDenied;
  if (fault == RemoteFault::kNotFound && (op == RemoteOp::kGet || op == RemoteOp::kHead)) code = Code::kNotFound;
  return {code, fmt::format("remote \"{}\", {} \"{}\": {}", name(), name_of(op), key, name_of(fault)), kGaveUp};
}

Task<void> ChaosRemote::stall(std::uint64_t since) {
  for (Duration waited{0}; waited < options_.stall && era() == since; waited += kStep) {
    CO_TRY(sleep_for(std::min(kStep, options_.stall - waited)));
  }
  co_return Result<void>{};
}

Task<void> ChaosRemote::change_outside(std::string key) {
  const auto there = co_await inner_->head(key);
  if (there.ok() && there->headers.metadata.contains("theirs")) co_return Result<void>{};
  remote::PutRequest request;
  request.key = std::move(key);
  request.size = kTheirs.size();
  request.crc64 = crc64(as_bytes(kTheirs));
  request.headers.metadata["theirs"] = "1";
  const remote::BodyFactory body = remote::body_of(Block(to_bytes(kTheirs)));
  CO_TRY(inner_->put(std::move(request), body));
  co_return Result<void>{};
}

Task<remote::RemoteObject> ChaosRemote::put(remote::PutRequest request, remote::BodyFactory body, CallSite site) {
  const auto fault = decide(RemoteOp::kPut, request.key);
  const std::uint64_t since = era();
  const std::string key = request.key;
  if (refuses(fault)) co_return failed(*fault, RemoteOp::kPut, key);
  if (fault == RemoteFault::kSlow) {
    CO_TRY(sleep_for(options_.slow));
  }
  if (fault == RemoteFault::kChangedOutside) {
    CO_TRY(change_outside(key));
  }
  if (fault == RemoteFault::kClaimed) {
    co_return remote::RemoteObject{
        .key = key, .size = request.size, .etag = std::string(kOtherEtag), .version_id = {}, .last_modified = {}};
  }
  if (fault == RemoteFault::kWrongBytes && request.size > 0) {
    const auto source = body(0, request.size);
    CO_TRY_ASSIGN(Bytes bytes, read_all(*source, kBodyBytesMax));
    bytes[bytes.size() / 2] ^= std::byte{1};
    request.crc64 = crc64(bytes);
    body = remote::body_of(Block(std::move(bytes)));
  }
  CO_TRY_ASSIGN(remote::RemoteObject stored, inner_->put(std::move(request), std::move(body), site));
  if (fault == RemoteFault::kStalled) {
    CO_TRY(stall(since));
  }
  if (loses_answer(fault)) co_return failed(*fault, RemoteOp::kPut, key);
  if (fault == RemoteFault::kWrongEtag) stored.etag = kOtherEtag;
  co_return stored;
}

/// Half of a body, and then what the fault has for the rest.
class ChaosRemote::Body final : public ByteSource {
 public:
  Body(ChaosRemote& owner, RemoteFault fault, std::string key, Block half)
      : owner_(owner), fault_(fault), key_(std::move(key)), half_(std::move(half)), since_(owner.era()) {}
  Task<Block> next() override {
    if (!half_.empty()) {
      Block first = std::move(half_);
      half_ = Block();
      co_return first;
    }
    if (fault_ == RemoteFault::kStalled) {
      CO_TRY(owner_.stall(since_));
    }
    co_return owner_.failed(fault_, RemoteOp::kGet, key_);
  }

 private:
  ChaosRemote& owner_;
  const RemoteFault fault_;
  const std::string key_;
  Block half_;
  const std::uint64_t since_;
};

Task<std::unique_ptr<ByteSource>> ChaosRemote::get(remote::GetRequest request, CallSite site) {
  const auto fault = decide(RemoteOp::kGet, request.key);
  const std::string key = request.key;
  if (refuses(fault) || fault == RemoteFault::kDoneSaid500) co_return failed(*fault, RemoteOp::kGet, key);
  if (fault == RemoteFault::kSlow) {
    CO_TRY(sleep_for(options_.slow));
  }
  if (fault == RemoteFault::kChangedOutside) {
    CO_TRY(change_outside(key));
  }
  if (fault == RemoteFault::kWrongEtag) {
    co_return Error{Code::kChangedOutside, fmt::format("remote \"{}\": \"{}\" has another ETag", name(), key), kGaveUp};
  }
  const std::uint64_t length = request.length;
  CO_TRY_ASSIGN(auto source, inner_->get(std::move(request), site));
  if (!is_one_of(fault, {RemoteFault::kStalled, RemoteFault::kTruncating, RemoteFault::kWrongBytes})) co_return source;
  CO_TRY_ASSIGN(Bytes bytes, read_all(*source, length));
  if (fault == RemoteFault::kWrongBytes) {
    bytes[bytes.size() / 2] ^= std::byte{2};  // another bit than a put's, or two lies would make a truth
    co_return std::make_unique<BlockSource>(Block(std::move(bytes)));
  }
  bytes.resize(bytes.size() / 2);
  co_return std::make_unique<Body>(*this, *fault, key, Block(std::move(bytes)));
}

Task<remote::HeadResult> ChaosRemote::head(std::string key, CallSite site) {
  const auto fault = decide(RemoteOp::kHead, key);
  const std::uint64_t since = era();
  if (fault == RemoteFault::kStalled) {
    CO_TRY(stall(since));
  }
  if (refuses(fault) || loses_answer(fault)) co_return failed(*fault, RemoteOp::kHead, key);
  if (fault == RemoteFault::kSlow) {
    CO_TRY(sleep_for(options_.slow));
  }
  if (fault == RemoteFault::kChangedOutside) {
    CO_TRY(change_outside(key));
  }
  CO_TRY_ASSIGN(remote::HeadResult head, inner_->head(std::move(key), site));
  if (fault == RemoteFault::kWrongEtag) head.object.etag = kOtherEtag;
  co_return head;
}

Task<remote::ListPage> ChaosRemote::list(remote::ListRequest request, CallSite site) {
  const auto fault = decide(RemoteOp::kList, request.prefix);
  const std::uint64_t since = era();
  if (fault == RemoteFault::kStalled) {
    CO_TRY(stall(since));
  }
  if (refuses(fault) || loses_answer(fault)) co_return failed(*fault, RemoteOp::kList, request.prefix);
  if (fault == RemoteFault::kSlow) {
    CO_TRY(sleep_for(options_.slow));
  }
  if (fault == RemoteFault::kStaleList) {
    const std::lock_guard lock(mutex_);
    remote::ListPage page;
    for (const remote::RemoteObject& object : listed_before_) {
      if (!object.key.starts_with(request.prefix) || object.key < request.marker) continue;
      if (page.objects.size() == request.limit) {
        page.next_marker = object.key;
        break;
      }
      page.objects.push_back(object);
    }
    co_return page;
  }
  CO_TRY_ASSIGN(remote::ListPage page, inner_->list(std::move(request), site));
  if (fault == RemoteFault::kWrongEtag) {
    for (remote::RemoteObject& object : page.objects) object.etag = kOtherEtag;
  }
  co_return page;
}

Task<void> ChaosRemote::remove(std::string key, remote::Condition condition, CallSite site) {
  const auto fault = decide(RemoteOp::kRemove, key);
  const std::uint64_t since = era();
  if (fault == RemoteFault::kClaimed || fault == RemoteFault::kNotFound) co_return Result<void>{};
  if (refuses(fault)) co_return failed(*fault, RemoteOp::kRemove, key);
  if (fault == RemoteFault::kSlow) {
    CO_TRY(sleep_for(options_.slow));
  }
  if (fault == RemoteFault::kChangedOutside) {
    CO_TRY(change_outside(key));
  }
  CO_TRY(inner_->remove(key, std::move(condition), site));
  if (fault == RemoteFault::kStalled) {
    CO_TRY(stall(since));
  }
  if (loses_answer(fault)) co_return failed(*fault, RemoteOp::kRemove, key);
  co_return Result<void>{};
}

}  // namespace tombolo::testing
