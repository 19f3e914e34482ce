// serve: the whole life of the process, from settings to the last closed file.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "async/workers.h"
#include "base/result.h"
#include "disk/disk.h"
#include "server/version.h"

namespace rocksdb {
class FileSystem;
}

namespace tombolo::server {

struct ServeArguments {
  std::string config_file;                                    // empty: none
  std::vector<std::pair<std::string, std::string>> settings;  // key, text; override file and environment
};

/// What a data directory's files lie on.
struct Ground {
  std::unique_ptr<disk::Disk> disk;                  // rooted in the data directory
  std::shared_ptr<rocksdb::FileSystem> index_files;  // null: the machine's
};
/// `workers` outlive what is made.
using MakeGround = Result<Ground> (*)(const std::string& data, Workers& workers);
Result<Ground> machine_ground(const std::string& data, Workers& workers);

/// Runs until SIGTERM or SIGINT, a second one of which ends at once, or until the cell has stopped for good: then with
/// a failing status, so that whoever watches the process starts it again. The process' exit status. Only test binaries
/// pass another ground: one that forgets what was not synced.
int serve(const ServeArguments& arguments, MakeGround make_ground = machine_ground);

/// server.data of a TOML file; kNotFound when it cannot be read, kInvalid when it is none.
Result<std::string> data_of_config(const std::string& config_file);

/// Checks the data directory of a cell that `arguments` would serve, and that is stopped: `asked` and the answer are
/// those of the admin API's fsck; `progress` is shown the counts until then. A repair is recorded in the audit log;
/// where that fails after it was made, the answer says why in `not_recorded`.
Result<nlohmann::json> fsck_stopped(const ServeArguments& arguments, const nlohmann::json& asked,
                                    const std::function<void(const nlohmann::json&)>& progress);

}  // namespace tombolo::server
