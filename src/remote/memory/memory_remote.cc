#include "remote/memory/memory_remote.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/crc64.h"

namespace tombolo::remote {

namespace {
constexpr std::size_t kObjectBytesMax = 1024 * 1024 * 1024;  // a test that needs more holds it elsewhere
}

Result<void> MemoryRemote::check(const std::string& key, const Condition& condition) const {
  const auto it = objects_.find(key);
  if (condition.if_absent && it != objects_.end()) {
    return Error{Code::kConditionFailed, fmt::format("{}: \"{}\" exists", name_, key)};
  }
  if (!condition.if_etag.empty() && (it == objects_.end() || it->second.object.etag != condition.if_etag)) {
    return Error{Code::kConditionFailed, fmt::format("{}: \"{}\" is not the object expected", name_, key)};
  }
  return {};
}

void MemoryRemote::store(const std::string& key, Bytes bytes, RemoteHeaders headers) {
  RemoteObject object{.key = key,
                      .size = bytes.size(),
                      .etag = fmt::format("m{:x}", ++last_etag_),
                      .version_id = {},
                      .last_modified = clock_.wall()};
  objects_[key] = Stored{std::make_shared<const Bytes>(std::move(bytes)), std::move(object), std::move(headers)};
}

Task<RemoteObject> MemoryRemote::put(PutRequest request, BodyFactory body, CallSite) {
  auto source = body(0, request.size);
  CO_TRY_ASSIGN(Bytes bytes, read_all(*source, kObjectBytesMax));
  if (bytes.size() != request.size || crc64(bytes) != request.crc64) {
    co_return Error{Code::kInvalid,
                    fmt::format("{}: the body of \"{}\" is not what was announced", name_, request.key)};
  }
  const std::lock_guard lock(mutex_);
  ++puts_;
  CO_CHECK(check(request.key, request.condition));
  store(request.key, std::move(bytes), std::move(request.headers));
  co_return objects_.at(request.key).object;
}

Task<std::unique_ptr<ByteSource>> MemoryRemote::get(GetRequest request, CallSite) {
  ASSERT(!request.if_etag.empty() && request.length > 0);
  const std::lock_guard lock(mutex_);
  ++gets_;
  const auto it = objects_.find(request.key);
  if (it == objects_.end()) co_return Error{Code::kNotFound, fmt::format("{}: no object \"{}\"", name_, request.key)};
  if (it->second.object.etag != request.if_etag) {
    co_return Error{Code::kChangedOutside, fmt::format("{}: \"{}\" was changed outside tombolo", name_, request.key)};
  }
  if (request.offset + request.length > it->second.bytes->size()) {
    co_return Error{Code::kOutOfRange, fmt::format("{}: \"{}\" is shorter than the range asked", name_, request.key)};
  }
  bytes_read_ += request.length;
  const auto& owner = it->second.bytes;
  co_return std::make_unique<BlockSource>(Block(owner, BytesView(*owner).subspan(request.offset, request.length)));
}

Task<HeadResult> MemoryRemote::head(std::string key, CallSite) {
  const std::lock_guard lock(mutex_);
  const auto it = objects_.find(key);
  if (it == objects_.end()) co_return Error{Code::kNotFound, fmt::format("{}: no object \"{}\"", name_, key)};
  co_return HeadResult{it->second.object, it->second.headers};
}

Task<ListPage> MemoryRemote::list(ListRequest request, CallSite) {
  const std::lock_guard lock(mutex_);
  ListPage page;
  for (auto it = objects_.lower_bound(std::max(request.prefix, request.marker)); it != objects_.end(); ++it) {
    if (!it->first.starts_with(request.prefix)) break;
    if (page.objects.size() == request.limit) {
      page.next_marker = it->first;
      break;
    }
    page.objects.push_back(it->second.object);
  }
  co_return page;
}

Task<void> MemoryRemote::remove(std::string key, Condition condition, CallSite) {
  const std::lock_guard lock(mutex_);
  if (!objects_.contains(key)) co_return Result<void>{};
  CO_CHECK(check(key, condition));
  objects_.erase(key);
  co_return Result<void>{};
}

std::size_t MemoryRemote::count() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}
std::uint64_t MemoryRemote::puts() const {
  const std::lock_guard lock(mutex_);
  return puts_;
}
std::uint64_t MemoryRemote::gets() const {
  const std::lock_guard lock(mutex_);
  return gets_;
}
std::uint64_t MemoryRemote::bytes_read() const {
  const std::lock_guard lock(mutex_);
  return bytes_read_;
}
Bytes MemoryRemote::contents(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return *objects_.at(key).bytes;
}
void MemoryRemote::replace(const std::string& key, Bytes bytes) {
  const std::lock_guard lock(mutex_);
  store(key, std::move(bytes), {});
}
void MemoryRemote::rot(const std::string& key, Bytes bytes) {
  const std::lock_guard lock(mutex_);
  objects_.at(key).bytes = std::make_shared<const Bytes>(std::move(bytes));
}

}  // namespace tombolo::remote
