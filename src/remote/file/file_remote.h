// FileRemote: a directory tree as a remote. Ordinary keys are ordinary paths in it (docs/protocols/remotes.md).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "async/workers.h"
#include "base/random.h"
#include "remote/file/tree.h"
#include "remote/remote.h"

namespace tombolo::remote::file {

struct FileConfig {
  std::string name;                      // the remote's
  std::string directory;                 // must exist: a missing mount is an error, not an empty store
  Marker marker = Marker::kMustBeThere;  // kMayBeMade where somebody has just named this directory as the place
};

/// Conditions are atomic among all operations of one FileRemote; across processes only put with if_absent is. An object
/// that another program writes or changes gets another ETag. A put is durable, names included, when it returns. File
/// calls run on the workers and cannot be cancelled or timed out: over a hanging network mount they hang.
class FileRemote final : public Remote {
 public:
  /// Blocks, and hangs where the mount does: for workers. kUnavailable when the directory or its marker is missing.
  /// What it is given outlives it and the sources that it hands out.
  static Result<std::unique_ptr<FileRemote>> open(FileConfig config, Workers& workers, Clock& clock, Random& random);

  const std::string& name() const override { return config_.name; }
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site = {}) override;
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site = {}) override;
  Task<HeadResult> head(std::string key, CallSite site = {}) override;
  Task<ListPage> list(ListRequest request, CallSite site = {}) override;
  Task<void> remove(std::string key, Condition condition, CallSite site = {}) override;

 private:
  FileRemote(FileConfig config, std::unique_ptr<Tree> tree, Workers& workers, Clock& clock, Random& random);
  std::int64_t next_mtime_ns();
  Error told(Error cause) const;
  template <class T>
  Result<T> told(Result<T> result) const {
    if (result.ok()) return result;
    return told(std::move(result).error());
  }

  const FileConfig config_;
  const std::unique_ptr<Tree> tree_;
  Workers& workers_;
  Clock& clock_;
  Random& random_;
  std::atomic<std::int64_t> last_mtime_ns_{0};
};

}  // namespace tombolo::remote::file
