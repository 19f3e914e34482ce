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

/// The control character that begins there, U+0080 to U+009F (two bytes of UTF-8) among them; 0: none, or a NUL.
unsigned char control_at(std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x20 || c == 0x7F) return c;
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
  return c == 0xC2 && next >= 0x80 && next < 0xA0 ? static_cast<unsigned char>(next) : 0;
}
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

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char control = control_at(text, i);
    if (control == 0 && text[i] != '\0') {
      out += text[i];
      continue;
    }
    out += fmt::format("\\x{:02x}", control);
    if (control > 0x7F) ++i;
  }
  return out;
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
    const unsigned char control = control_at(dumped, i);
    if (control < 0x7F) {  // what is below 0x20 has been escaped, or is a newline between members
      out += dumped[i];
      continue;
    }
    out += fmt::format("\\u{:04x}", control);
    if (control > 0x7F) ++i;
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
