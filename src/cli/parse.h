// parse: from words to an Invocation, or to a sentence that says what to write instead.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace tombolo::cli {

/// --help behind `path`, which may be empty, a group or a command.
struct HelpWanted {
  std::string path;
};
struct VersionWanted {};
using Parsed = std::variant<Invocation, HelpWanted, VersionWanted>;

/// `words` without the program's name. Options may stand anywhere, as "--option value" or "--option=value"; "--" ends
/// them. kInvalid: wrong usage; its message ends with what to do.
Result<Parsed> parse(const std::vector<std::string_view>& words, const Programs& programs);

}  // namespace tombolo::cli
