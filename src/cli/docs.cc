#include "cli/docs.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/help.h"

namespace tombolo::cli {
namespace {

constexpr std::string_view kPageDate = "2026-11-21";

std::string in_cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string table_of(std::span<const Parameter> parameters) {
  std::string out = "| | |\n|---|---|\n";
  for (const Parameter& parameter : parameters) {
    out += fmt::format("| `{}` | {} |\n", in_cell(spelling(parameter)), in_cell(full_help(parameter)));
  }
  return out + "\n";
}

std::string table_of(std::span<const Meaning> meanings) {
  std::string out = "| | |\n|---|---|\n";
  for (const Meaning& one : meanings) out += fmt::format("| `{}` | {} |\n", one.name, in_cell(one.meaning));
  return out + "\n";
}

std::string markdown_of(const Command& command) {
  std::string out = fmt::format("## tombolo {}\n\n{}.", command.path, command.summary);
  if (!command.details.empty()) out += fmt::format(" {}", command.details);
  out += fmt::format("\n\n    {}\n\n", usage_line(command));
  std::vector<Parameter> own = command.arguments;
  own.insert(own.end(), command.options.begin(), command.options.end());
  if (!own.empty()) out += table_of(own);
  for (const Example& example : command.examples) {
    out += fmt::format("{}:\n\n```sh{}\n{}\n```\n\n", example.what, example.runs ? "" : " no-run", example.line);
  }
  return out;
}

// roff reads a backslash, and a dot or a quote that begins a line, as its own; a hyphen would become a dash.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '`') {
      out += '"';  // as code is quoted in Markdown
    } else if (text.substr(i).starts_with("…")) {
      out += "...";
      i += std::string_view("…").size() - 1;
    } else {
      out += c;
    }
  }
  return out;
}

std::string paragraph(std::string_view text) {
  return roff(filled(text, 0));
}

std::string items(std::span<const Parameter> parameters) {
  std::string out;
  for (const Parameter& parameter : parameters) {
    out += fmt::format(".TP\n\\fB{}\\fR", roff(parameter.name));
    if (!parameter.value.empty()) out += fmt::format(" \\fI{}\\fR", roff(parameter.value));
    out += "\n" + paragraph(full_help(parameter));
  }
  return out;
}

std::string items(std::span<const Meaning> meanings) {
  std::string out;
  for (const Meaning& one : meanings) out += fmt::format(".TP\n\\fB{}\\fR\n{}", roff(one.name), paragraph(one.meaning));
  return out;
}

std::string manual_of(const Command& command) {
  std::string out =
      fmt::format(".SS \"tombolo {}\"\n.nf\n{}.fi\n.PP\n", roff(command.path), paragraph(usage_line(command)));
  out += paragraph(fmt::format("{}. {}", command.summary, command.details));
  out += items(command.arguments) + items(command.options);
  return out;
}

}  // namespace

std::string markdown_page() {
  std::string out =
      "# Commands\n\n"
      "This page is what `tombolo help --markdown` prints; `man tombolo` says the same. Its examples are run by the\n"
      "tests in this order, in a folder that holds `pictures/`; those marked `no-run` need what only you have.\n\n"
      "Every command but `serve`, `completion` and `help` talks to a running server, and takes:\n\n";
  out += table_of(server_options());
  out +=
      "With `--json` the answer on standard output is one JSON document. Errors are words on standard error, always: "
      "what\nfailed, and what to do next. Progress goes to standard error: a line that is redrawn on a terminal, "
      "nothing\notherwise.\n\nExit status:\n\n";
  out += table_of(exit_statuses()) + "Environment:\n\n" + table_of(variables());
  for (const Command& command : commands()) out += markdown_of(command);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

std::string manual_page() {
  std::string out = fmt::format(
      ".TH TOMBOLO 1 {} tombolo \"User commands\"\n.SH NAME\ntombolo \\- one durable namespace over local flash and "
      "object storage\n.SH SYNOPSIS\n.B tombolo\n.I COMMAND\n.RI [ argument ...]\n.RI [ option ...]\n"
      ".SH DESCRIPTION\n{}.SH COMMANDS\n",
      kPageDate,
      paragraph(
          "tombolo serves Azure Blob from local flash and keeps cold bytes in an object store or a directory. One "
          "command, serve, is the server; the others ask it."));
  for (const Command& command : commands()) out += manual_of(command);
  out += ".SH OPTIONS\nOf every command that asks a server:\n" + items(server_options());
  out += "Of every command:\n" + items(common_options());
  out += ".SH EXIT STATUS\n" + items(exit_statuses()) + ".SH ENVIRONMENT\n" + items(variables());
  out += ".SH EXAMPLES\n";
  for (const Command& command : commands()) {
    for (const Example& example : command.examples) {
      out += fmt::format("{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n.PP\n", roff(example.what), roff(example.line));
    }
  }
  while (out.ends_with(".PP\n")) out.resize(out.size() - 4);
  return out;
}

}  // namespace tombolo::cli
