// tombolo_unsynced: the server as it is, over files that forget what was not synced, so that kill -9 loses what power
// loss would. For tests/kill; never installed.
//
// UNSYNCED_PLANT=log|segments|directories|index plants a missing sync, which the suite has to catch.
#include <cstdlib>

#include "cli/cli.h"
#include "disk/posix/posix_disk.h"
#include "server/serve.h"
#include "testing/unsynced_disk.h"
#include "testing/unsynced_rocks_files.h"

namespace tombolo {
namespace {

Result<server::Ground> unsynced_ground(const std::string& data, Workers& workers) {
  const char* variable = std::getenv("UNSYNCED_PLANT");
  const std::string plant = variable == nullptr ? "" : variable;
  testing::ForgottenSyncs forgotten;
  if (plant == "log" || plant == "segments") {
    forgotten.files_of = plant;
    forgotten.honest = 2;  // what makes a file: otherwise the very first start fails
  } else if (plant == "directories") {
    forgotten.directories = true;
  } else if (!plant.empty() && plant != "index") {
    return Error{Code::kInvalid, "UNSYNCED_PLANT must be log, segments, directories or index"};
  }
  // Lives as long as the process: the disk that is handed out stands on it.
  static std::unique_ptr<disk::PosixDisk> machine;
  TRY_ASSIGN(machine, disk::PosixDisk::open_root(data, workers));
  const auto syncs = plant == "index" ? testing::RocksSyncs::kForgotten : testing::RocksSyncs::kHonest;
  return server::Ground{std::make_unique<testing::UnsyncedDisk>(*machine, std::move(forgotten)),
                        std::make_shared<testing::UnsyncedRocksFiles>(syncs)};
}

}  // namespace
}  // namespace tombolo

int main(int argc, char** argv) {
  using namespace tombolo;
  cli::Programs programs;
  programs.version = std::string("tombolo_unsynced ") + server::kVersion;
  programs.serve = [](const cli::ServeArguments& arguments) {
    return server::serve({arguments.config_file, arguments.settings}, unsynced_ground);
  };
  programs.fsck_stopped = [](const cli::ServeArguments& arguments, const auto& asked, const auto& progress) {
    return server::fsck_stopped({arguments.config_file, arguments.settings}, asked, progress);
  };
  return cli::run(argc, argv, programs);
}
