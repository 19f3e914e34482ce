// Walking the directories of a file remote.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "remote/file/posix.h"
#include "remote/remote.h"

namespace tombolo::remote::file {

/// Every name in the directory, without "." and "..", in no order.
Result<void> walk_names(int directory, const std::function<void(const std::string&)>& visit);

/// One page of a listing: the tree depth-first, which is byte order of keys when each directory's names are sorted with
/// "/" behind those of directories. Holds one directory open at a time, and the names of those on the way in memory.
class ListWalk {
 public:
  using OpenDirectory = std::function<Result<Fd>(const std::vector<std::string>& names)>;
  using Describe = std::function<RemoteObject(const std::string& key, const struct stat& status)>;

  ListWalk(const ListRequest& request, OpenDirectory open) : request_(request), open_(std::move(open)) {}
  Result<ListPage> run(Describe describe);

 private:
  struct Item {
    std::string part;  // of the key, behind the directory's; directories end in "/"
    bool is_directory = false;
    std::vector<std::string> names;  // below the directory that is being visited; more than one in long segments
    struct stat status = {};
  };

  Result<void> visit(const std::vector<std::string>& directory, const std::string& base);
  Result<void> collect(const std::vector<std::string>& directory, const std::vector<std::string>& below,
                       const std::string& part, std::vector<Item>& out);
  /// False when the page is full and the next marker set.
  bool add(const std::string& key, const struct stat& status);
  bool may_hold(const std::string& base) const;
  bool done() const { return !page_.next_marker.empty(); }

  const ListRequest& request_;
  const OpenDirectory open_;
  Describe describe_;
  ListPage page_;
};

}  // namespace tombolo::remote::file
