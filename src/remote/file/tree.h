// Tree: the directory tree of a file remote, by blocking calls. For worker threads only.
#pragma once

#include <unistd.h>

#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "remote/file/durable.h"
#include "remote/file/key_path.h"
#include "remote/file/posix.h"
#include "remote/remote.h"

namespace tombolo::remote::file {

/// The system directory marks the root of a remote: a mount point without its mount has none.
enum class Marker { kMustBeThere, kMayBeMade };

struct Opening {
  Marker marker = Marker::kMustBeThere;
  WallTime stale_before = {};  // temporary files from before this are dropped
  Durable::Sync sync = ::fsync;
};

/// Thread-safe. Every name is opened beneath the root, part by part, and links are never followed. Changes of the tree
/// are atomic among the users of one Tree; another process that writes into the tree is seen, but not excluded (only
/// put-if-absent holds across processes).
class Tree {
 public:
  /// `root` must exist and be writable. kUnavailable when it, or a marker that must be there, is missing.
  static Result<std::unique_ptr<Tree>> open(const std::string& root, Opening opening);

  struct Temporary {
    std::string name;
    Fd fd;
  };
  Result<Temporary> make_temporary(const std::string& name);
  void drop_temporary(const std::string& name);

  /// Makes a written temporary file the object `key`: stamps it with `mtime_ns`, syncs it, its sidecar and its names.
  /// kConditionFailed leaves the temporary for the caller to drop. When the last sync fails, the object is taken away
  /// again, and what it replaced is gone.
  Result<RemoteObject> place(const Temporary& temporary, const std::string& key, const RemoteHeaders& headers,
                             const Condition& condition, std::int64_t mtime_ns);

  struct Opened {
    Fd fd;
    RemoteObject object;
  };
  Result<Opened> open_object(const std::string& key);
  /// What it tells of is on the disk, names included, whoever wrote it; a sync that fails is an error.
  Result<HeadResult> head(const std::string& key);
  Result<ListPage> list(const ListRequest& request);
  Result<void> remove(const std::string& key, const Condition& condition);

 private:
  struct Place {
    Fd directory;
    std::string name;  // of the file, in `directory`
    bool exists = false;
    struct stat status = {};
  };

  Tree(Fd root, Durable::Sync sync) : root_(std::move(root)), durable_(std::move(sync)) {}
  /// Durably, or finds it there.
  Result<Fd> make_directory(int parent, const std::string& name);
  Result<Fd> open_directory(const std::vector<std::string>& names) const;
  Result<Place> locate(const std::string& key) const;  // kNotFound when a directory on the way is missing
  Result<Place> make_place(const KeyPath& path);       // requires: mutex_ held
  Result<void> write_sidecar(const std::string& key, const std::string& etag, const RemoteHeaders& headers);
  void drop_sidecar(const std::string& key, const std::string& etag);
  void take_back(const RemoteObject& object);
  Result<void> settle(const Opened& found);  // syncs what a writer that was killed may have left to do
  void prune(const KeyPath& path);           // requires: mutex_ held

  Fd root_, temporaries_, sidecars_;
  Durable durable_;
  std::shared_mutex mutex_;  // exclusive while names change, shared while one is found
};

}  // namespace tombolo::remote::file
