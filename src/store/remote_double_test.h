// A remote in the test's memory, with the ways in which a real one goes wrong.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "base/bytes.h"
#include "remote/remote.h"

namespace tombolo::store::testing {

/// Thread-safe. Reads only; objects are planted by the test.
class RemoteDouble final : public remote::Remote {
 public:
  explicit RemoteDouble(std::string name) : name_(std::move(name)) {}

  /// Gives the ETag.
  std::string plant(const std::string& key, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    const std::string etag = fmt::format("e{}", ++etags_);
    objects_[key] = {std::move(bytes), etag};
    return etag;
  }
  /// Changes a byte in place: same ETag, rotten bytes.
  void flip(const std::string& key, std::size_t offset) {
    const std::lock_guard lock(mutex_);
    objects_.at(key).bytes[offset] ^= std::byte{1};
  }
  void drop(const std::string& key) {
    const std::lock_guard lock(mutex_);
    objects_.erase(key);
  }
  /// The next `bodies` bodies have another byte `offset` bytes behind their start.
  void flip_bodies(int bodies, std::size_t offset) {
    flips_left_ = bodies;
    flip_at_ = offset;
  }
  /// Runs before each get.
  void before_get(std::function<Task<void>()> hook) { before_get_ = std::move(hook); }
  /// No retry is left for a get `again`.
  void refuse_again() { refuses_again_ = true; }
  /// The next `bodies` bodies break off after `bytes` bytes.
  void break_bodies(int bodies, std::size_t bytes) {
    breaks_left_ = bodies;
    break_after_ = bytes;
  }

  std::uint64_t gets() const { return gets_; }
  std::uint64_t gets_again() const { return gets_again_; }
  std::uint64_t bytes_asked() const { return bytes_asked_; }
  /// Handed out by bodies so far: shows that reading streams.
  std::uint64_t bytes_given() const { return *bytes_given_; }
  void reset_counts() {
    gets_ = 0;
    gets_again_ = 0;
    bytes_asked_ = 0;
    *bytes_given_ = 0;
  }

  const std::string& name() const override { return name_; }
  remote::Capabilities capabilities() const override { return {}; }
  Task<std::unique_ptr<ByteSource>> get(remote::GetRequest request, CallSite) override {
    ++gets_;
    if (before_get_) {
      CO_TRY(before_get_());
    }
    if (request.again) ++gets_again_;
    if (request.again && refuses_again_) co_return Error{Code::kUnavailable, "no retry left", remote::kNoRetryLeft};
    bytes_asked_ += request.length;
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(request.key);
    if (found == objects_.end()) co_return Error{Code::kNotFound, "no such object"};
    if (found->second.etag != request.if_etag) co_return Error{Code::kChangedOutside, "another ETag"};
    const BytesView all = found->second.bytes;
    if (request.offset + request.length > all.size()) co_return Error{Code::kOutOfRange, "past the end"};
    std::size_t breaks_after = request.length;
    if (breaks_left_ > 0) {
      --breaks_left_;
      breaks_after = std::min<std::size_t>(breaks_after, break_after_);
    }
    Bytes bytes = to_bytes(all.subspan(request.offset, request.length));
    if (flips_left_ > 0 && flip_at_ < bytes.size()) {
      --flips_left_;
      bytes[flip_at_] ^= std::byte{1};
    }
    co_return std::make_unique<Body>(std::move(bytes), breaks_after, bytes_given_);
  }
  Task<remote::RemoteObject> put(remote::PutRequest, remote::BodyFactory, CallSite) override {
    co_return Error{Code::kUnsupported, "the double is read-only"};
  }
  Task<remote::HeadResult> head(std::string, CallSite) override {
    co_return Error{Code::kUnsupported, "the double only gives bodies"};
  }
  Task<remote::ListPage> list(remote::ListRequest, CallSite) override {
    co_return Error{Code::kUnsupported, "the double only gives bodies"};
  }
  Task<void> remove(std::string, remote::Condition, CallSite) override {
    co_return Error{Code::kUnsupported, "the double is read-only"};
  }

 private:
  struct Object {
    Bytes bytes;
    std::string etag;
  };
  /// Odd steps, so that granules straddle blocks.
  class Body final : public ByteSource {
   public:
    Body(Bytes bytes, std::size_t breaks_after, std::shared_ptr<std::atomic<std::uint64_t>> given)
        : all_(std::move(bytes)), breaks_after_(breaks_after), given_(std::move(given)) {}
    Task<Block> next() override {
      if (at_ == all_.size()) co_return Block();
      if (at_ == breaks_after_) co_return Error{Code::kUnavailable, "the connection broke"};
      const std::size_t length = std::min<std::size_t>(50'001, breaks_after_ - at_);
      const Block out = all_.slice(at_, length);
      at_ += length;
      *given_ += length;
      co_return out;
    }

   private:
    Block all_;
    std::size_t at_ = 0;
    std::size_t breaks_after_;
    std::shared_ptr<std::atomic<std::uint64_t>> given_;
  };

  const std::string name_;
  std::function<Task<void>()> before_get_;
  std::mutex mutex_;
  std::map<std::string, Object> objects_;
  int etags_ = 0;
  std::atomic<int> breaks_left_{0};
  std::size_t break_after_ = 0;
  std::atomic<int> flips_left_{0};
  std::size_t flip_at_ = 0;
  std::atomic<bool> refuses_again_{false};
  std::atomic<std::uint64_t> gets_{0}, gets_again_{0}, bytes_asked_{0};
  std::shared_ptr<std::atomic<std::uint64_t>> bytes_given_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace tombolo::store::testing
