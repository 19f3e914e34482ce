#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/connection.h"

namespace tombolo::cli {
namespace {
constexpr Duration kRedrawn = std::chrono::milliseconds(200);
constexpr Duration kLineEvery = std::chrono::seconds(5);
}  // namespace

std::string human_bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string human_seconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}s", whole);
}

void print_table(const std::vector<std::vector<std::string>>& given) {
  auto rows = given;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
    }
    std::fputs((line + "\n").c_str(), stdout);
  }
}

std::string json_text(const nlohmann::json& json) {
  const std::string dumped = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  for (std::size_t i = 0; i < dumped.size(); ++i) {
    const std::size_t bytes = control_bytes(dumped, i);
    if (bytes == 0 || dumped[i] == '\n') {  // between members: those of strings have been escaped
      out += dumped[i];
      continue;
    }
    i += bytes - 1;
    out += fmt::format("\\u{:04x}", static_cast<unsigned char>(dumped[i]));
  }
  return out + "\n";
}

void print_json(const nlohmann::json& json) {
  std::fputs(json_text(json).c_str(), stdout);
}

int fail(const Error& error) {
  std::fputs(fmt::format("tombolo: {}\n", printable(error.message)).c_str(), stderr);
  return error.detail == kNoServer ? 3 : 1;
}

int fail_usage(const std::string& message) {
  std::fputs(fmt::format("tombolo: {}\n", message).c_str(), stderr);
  return 2;
}

ProgressLine::Style ProgressLine::style_here(bool json, Elsewhere elsewhere) {
  if (json) return Style::kQuiet;
  if (::isatty(STDERR_FILENO) == 1) return Style::kTerminal;
  return elsewhere == Elsewhere::kLines ? Style::kLines : Style::kQuiet;
}

std::string ProgressLine::line(const nlohmann::json& job) const {
  const auto& p = job.at("progress");
  const double done = p.at("bytes_done"), total = p.at("bytes_total");
  const double seconds = std::max(0.001, static_cast<double>((clock_.steady() - started_).count()) / 1e6);
  const double rate = done / seconds;
  std::string text = job.at("kind").get<std::string>();
  if (total > 0) {
    constexpr int kWidth = 24;
    const int filled = static_cast<int>(std::min(1.0, done / total) * kWidth);
    text += fmt::format(" [{}{}] {:3.0f}%", std::string(static_cast<std::size_t>(filled), '='),
                        std::string(static_cast<std::size_t>(kWidth - filled), ' '), std::min(1.0, done / total) * 100);
  }
  text += fmt::format("  {} objects, {}, {}/s", p.at("objects_done").get<std::uint64_t>(), human_bytes(done),
                      human_bytes(rate));
  if (total > done && rate > 0) text += fmt::format(", {} left", human_seconds((total - done) / rate));
  if (const std::uint64_t failed = p.at("objects_failed"); failed > 0) text += fmt::format(", {} failed", failed);
  return text;
}

bool ProgressLine::is_due() const {
  const SteadyTime now = clock_.steady();
  if (style_ == Style::kLines) return now - (last_.micros == 0 ? started_ : last_) >= kLineEvery;
  return last_.micros == 0 || now - last_ >= kRedrawn;
}

void ProgressLine::draw(const std::string& text) {
  last_ = clock_.steady();
  if (style_ == Style::kLines) {
    std::fputs((text + "\n").c_str(), stderr);
    return;
  }
  drawn_ = true;
  std::fputs(("\r\x1b[K" + text).c_str(), stderr);
  std::fflush(stderr);
}

void ProgressLine::show(const nlohmann::json& job) {
  if (style_ == Style::kQuiet || (!is_due() && !job.at("ended").get<bool>())) return;
  draw(line(job));
}

void ProgressLine::show(const std::string& text) {
  if (style_ != Style::kQuiet && is_due()) draw(text);
}

void ProgressLine::finish() {
  if (drawn_) std::fputs("\n", stderr);
}

}  // namespace tombolo::cli
