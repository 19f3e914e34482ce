// Text that others chose, names of objects say, on its way to a terminal or into a line of a log.
#pragma once

#include <string>
#include <string_view>

namespace tombolo {

/// How many bytes a control character takes that begins there, U+0080 to U+009F (two bytes of UTF-8) among them; 0:
/// none does.
std::size_t control_bytes(std::string_view text, std::size_t at);

/// Control characters become "\x1b" and the like; all else stays.
std::string printable(std::string_view text);

}  // namespace tombolo
