// How the command line speaks: tables, sizes, progress; or JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tombolo::cli {

/// "1.5 GiB"
std::string human_bytes(double bytes);
/// "2h 05m", "3m 20s", "8s"
std::string human_seconds(double seconds);

/// Prints columns aligned on the left; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);
void print_json(const nlohmann::json& json);
/// "tombolo: message" on standard error; exit status 1.
int fail(const Error& error);

/// One line that is redrawn on a terminal, or a plain line every few seconds elsewhere; nothing when quiet. Standard
/// error, so that standard output stays for the answer.
class ProgressLine {
 public:
  enum class Style { kTerminal, kPlain, kQuiet };
  ProgressLine(Style style, Clock& clock) : style_(style), clock_(clock), started_(clock.steady()) {}

  /// Style for standard error as it is.
  static Style style_here(bool json);
  /// `job` as the admin API shows it.
  void show(const nlohmann::json& job);
  void finish();

 private:
  std::string line(const nlohmann::json& job) const;

  const Style style_;
  Clock& clock_;
  const SteadyTime started_;
  SteadyTime last_{0};
  bool drawn_ = false;
};

}  // namespace tombolo::cli
