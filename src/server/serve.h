// serve: the whole life of the process, from settings to the last closed file.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tombolo::server {

inline constexpr const char* kVersion = "0.1.0";

struct ServeArguments {
  std::string config_file;                                    // empty: none
  std::vector<std::pair<std::string, std::string>> settings;  // key, text; override file and environment
};

/// Runs until SIGTERM or SIGINT; a second one ends at once. The process' exit status.
int serve(const ServeArguments& arguments);

/// Checks a stopped cell's data directory and prints the report. 0: nothing found; 1: findings, or it cannot be opened.
int fsck_stopped(const std::string& data, const std::string& depth, bool json);

}  // namespace tombolo::server
