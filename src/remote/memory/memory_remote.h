// MemoryRemote: a remote in process memory, the twin that shows what the others must do. For tests.
#pragma once

#include <map>
#include <mutex>

#include "remote/remote.h"

namespace tombolo::remote {

class MemoryRemote final : public Remote {
 public:
  MemoryRemote(std::string name, Clock& clock) : name_(std::move(name)), clock_(clock) {}

  const std::string& name() const override { return name_; }
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site = {}) override;
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site = {}) override;
  Task<HeadResult> head(std::string key, CallSite site = {}) override;
  Task<ListPage> list(ListRequest request, CallSite site = {}) override;
  Task<void> remove(std::string key, Condition condition, CallSite site = {}) override;

  // What a test may look at and do behind tombolo's back, as another client of the bucket would.
  std::size_t count() const;
  std::uint64_t puts() const;
  std::uint64_t gets() const;
  std::uint64_t bytes_read() const;
  Bytes contents(const std::string& key) const;
  /// Replaces the bytes and gives the object a new ETag.
  void replace(const std::string& key, Bytes bytes);
  /// Changes the bytes and keeps the ETag: rot.
  void rot(const std::string& key, Bytes bytes);

 private:
  struct Stored {
    std::shared_ptr<const Bytes> bytes;
    RemoteObject object;
    RemoteHeaders headers;
  };
  Result<void> check(const std::string& key, const Condition& condition) const;  // requires: mutex_ held
  void store(const std::string& key, Bytes bytes, RemoteHeaders headers);        // requires: mutex_ held

  const std::string name_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Stored> objects_;
  std::uint64_t last_etag_ = 0, puts_ = 0, gets_ = 0, bytes_read_ = 0;
};

}  // namespace tombolo::remote
