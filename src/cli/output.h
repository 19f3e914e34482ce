// How the command line speaks: tables, sizes, progress; or JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/printable.h"
#include "base/result.h"

namespace tombolo::cli {

/// "1.5 GiB"
std::string human_bytes(double bytes);
/// "2h 05m", "3m 20s", "8s"
std::string human_seconds(double seconds);

/// Prints columns aligned on the left; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);
/// Indented, with a newline. What is no UTF-8 is replaced, and control characters are escaped, those above 0x7E too: it
/// may end on a terminal.
std::string json_text(const nlohmann::json& json);
void print_json(const nlohmann::json& json);
/// "tombolo: message" on standard error; exit status 1, or 3 when no server answered.
int fail(const Error& error);
/// The same for wrong usage; exit status 2.
int fail_usage(const std::string& message);

/// One line that is redrawn on a terminal; elsewhere nothing, or a line of its own every five seconds. Standard error,
/// so that standard output stays for the answer.
class ProgressLine {
 public:
  enum class Style { kTerminal, kLines, kQuiet };
  enum class Elsewhere { kQuiet, kLines };
  ProgressLine(Style style, Clock& clock) : style_(style), clock_(clock), started_(clock.steady()) {}

  /// A terminal on standard error, and words wanted: drawn; without a terminal, as `elsewhere` says; otherwise quiet.
  static Style style_here(bool json, Elsewhere elsewhere = Elsewhere::kQuiet);
  /// `job` as the admin API shows it.
  void show(const nlohmann::json& job);
  void show(const std::string& text);
  void finish();

 private:
  std::string line(const nlohmann::json& job) const;
  bool is_due() const;
  void draw(const std::string& text);

  const Style style_;
  Clock& clock_;
  const SteadyTime started_;
  SteadyTime last_{0};
  bool drawn_ = false;
};

}  // namespace tombolo::cli
