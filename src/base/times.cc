#include "base/times.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace tombolo {
namespace {

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kMicros = 1'000'000;

struct Parts {
  std::chrono::year_month_day date;
  unsigned weekday;
  int hour, minute, second, micros;
};

Parts split(WallTime time) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds(time.micros)};
  const auto day = floor<days>(point);
  const hh_mm_ss<microseconds> clock{point - day};
  return {year_month_day(day),
          weekday(day).c_encoding(),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

std::optional<WallTime> join(int year, unsigned month, unsigned day, int hour, int minute, int second) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto seconds_total = sys_days(date).time_since_epoch().count() * 86400LL + hour * 3600 + minute * 60 + second;
  return WallTime{seconds_total * kMicros};
}

// `value` as exactly `width` decimal digits from `at` on. By hand, because every answer has dates and a listing has
// thousands.
void put_digits(char* at, std::size_t width, unsigned value) {
  while (width-- > 0) {
    at[width] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Exactly `width` decimal digits at `pos`.
std::optional<int> digits(std::string_view text, std::size_t pos, std::size_t width) {
  if (pos + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = pos; i < pos + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string http_date(WallTime time) {
  const Parts p = split(time);
  std::string out = "Day, 00 Mon 0000 00:00:00 GMT";
  out.replace(0, 3, kDays[p.weekday]);
  put_digits(&out[5], 2, static_cast<unsigned>(p.date.day()));
  out.replace(8, 3, kMonths[static_cast<unsigned>(p.date.month()) - 1]);
  put_digits(&out[12], 4, static_cast<unsigned>(static_cast<int>(p.date.year())));
  put_digits(&out[17], 2, static_cast<unsigned>(p.hour));
  put_digits(&out[20], 2, static_cast<unsigned>(p.minute));
  put_digits(&out[23], 2, static_cast<unsigned>(p.second));
  return out;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[7] != ' ' ||
      text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  // Whether it is the date's own weekday is not asked, as RFC 9110 leaves it to the reader.
  const std::string_view weekday = text.substr(0, 3);
  if (std::find(std::begin(kDays), std::end(kDays), weekday) == std::end(kDays)) return std::nullopt;
  unsigned month = 0;
  for (unsigned i = 0; i < 12; ++i) {
    if (text.substr(8, 3) == kMonths[i]) month = i + 1;
  }
  const auto day = digits(text, 5, 2), year = digits(text, 12, 4), hour = digits(text, 17, 2),
             minute = digits(text, 20, 2), second = digits(text, 23, 2);
  if (month == 0 || !day || !year || !hour || !minute || !second) return std::nullopt;
  return join(*year, month, static_cast<unsigned>(*day), *hour, *minute, *second);
}

std::string iso8601_7(WallTime time) {
  const Parts p = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}0Z", static_cast<int>(p.date.year()),
                     static_cast<unsigned>(p.date.month()), static_cast<unsigned>(p.date.day()), p.hour, p.minute,
                     p.second, p.micros);
}

std::string iso8601(WallTime time) {
  const Parts p = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(p.date.year()),
                     static_cast<unsigned>(p.date.month()), static_cast<unsigned>(p.date.day()), p.hour, p.minute,
                     p.second);
}

std::optional<WallTime> parse_iso8601(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (text.size() == 10) return join(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day), 0, 0, 0);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2);
  if (!hour || !minute || text[10] != 'T' || text[13] != ':' || text.back() != 'Z') return std::nullopt;
  int second = 0;
  std::int64_t micros = 0;
  if (text.size() > 17) {
    const auto parsed = digits(text, 17, 2);
    if (!parsed || text[16] != ':') return std::nullopt;
    second = *parsed;
    if (text.size() > 20) {
      const std::string_view fraction = text.substr(20, text.size() - 21);
      if (text[19] != '.' || fraction.empty() || fraction.size() > 7) return std::nullopt;
      std::int64_t unit = kMicros / 10;
      for (const char c : fraction) {
        if (c < '0' || c > '9') return std::nullopt;
        micros += (c - '0') * unit;
        unit /= 10;
      }
    } else if (text.size() != 20) {
      return std::nullopt;
    }
  } else if (text.size() != 17) {
    return std::nullopt;
  }
  auto time = join(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day), *hour, *minute, second);
  if (time) time->micros += micros;
  return time;
}

}  // namespace tombolo
