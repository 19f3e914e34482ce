// What `tombolo help` prints, from the table of commands.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace tombolo::cli {

/// "tombolo offload CONTAINER[/PREFIX] --to REMOTE [--evict] …"
std::string usage_line(const Command& command);
/// Words filled into lines of at most 79 columns that begin at `indent`, ending in a newline; the first one continues a
/// line that is there.
std::string filled(std::string_view text, std::size_t indent);
/// "--to REMOTE"
std::string spelling(const Parameter& parameter);
/// The parameter's help with what else must be known of it: required, its choices, its default.
std::string full_help(const Parameter& parameter);

/// Of a command, of a group ("remote"), or of everything ("").
std::string help_text(std::string_view path);

}  // namespace tombolo::cli
