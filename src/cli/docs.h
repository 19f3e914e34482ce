// The table of commands as pages: docs/cli.md and docs/tombolo.1 are what these give.
#pragma once

#include <string>

namespace tombolo::cli {

std::string markdown_page();
/// In man(7).
std::string manual_page();

}  // namespace tombolo::cli
