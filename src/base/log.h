// The log: structured lines on standard error, one logger for the process.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace tombolo {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kNone };  // kNone: nothing at all, for simulations

/// Default: kInfo. Thread-safe.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
/// `area` is the folder that speaks ("kv", "remote"). Never pass a secret.
void log_line(LogLevel level, std::string_view area, std::string_view text);

template <class... Args>
void log(LogLevel level, std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, area, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tombolo
