#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/docs.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

constexpr std::size_t kColumns = 79;

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string section(std::string_view heading, const Rows& rows) {
  if (rows.empty()) return {};
  std::size_t width = 0;
  for (const auto& [name, help] : rows) width = std::max(width, name.size());
  std::string out = fmt::format("\n{}:\n", heading);
  for (const auto& [name, help] : rows) {
    out += fmt::format("  {:<{}}  {}", name, width, filled(help, width + 4));
  }
  return out;
}

Rows rows_of(std::span<const Parameter> parameters) {
  Rows rows;
  for (const Parameter& parameter : parameters) rows.emplace_back(spelling(parameter), full_help(parameter));
  return rows;
}

Rows rows_of(std::span<const Meaning> meanings) {
  Rows rows;
  for (const Meaning& one : meanings) rows.emplace_back(one.name, one.meaning);
  return rows;
}

std::string of_command(const Command& command) {
  std::string out = fmt::format("Usage: {}\n\n{}\n", usage_line(command), filled(command.summary, 0));
  out.pop_back();
  if (!command.details.empty()) out += "\n" + filled(command.details, 0);
  out += section("Arguments", rows_of(command.arguments)) + section("Options", rows_of(command.options));
  if (command.takes_globals()) out += section("Which server, and how it answers", rows_of(server_options()));
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const Example& example : command.examples) {
    out += fmt::format("  # {}\n", example.what);
    std::string_view lines = example.line;
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      out += fmt::format("  {}\n", lines.substr(0, end));
      lines.remove_prefix(std::min(lines.size(), end + 1));
    }
  }
  return out;
}

std::string of_group(std::string_view name) {
  Rows rows;
  for (const Command& command : commands()) {
    if (command.path.starts_with(std::string(name) + " ")) {
      rows.emplace_back(command.path.substr(name.size() + 1), command.summary);
    }
  }
  std::string out = fmt::format("Usage: tombolo {} COMMAND\n", name);
  out += section("Commands", rows);
  return out + fmt::format("\n`tombolo help {} COMMAND` explains one, with examples.\n", name);
}

std::string of_everything() {
  Rows rows;
  for (const Command& command : commands()) rows.emplace_back(command.path, command.summary);
  return "tombolo: one durable namespace over local flash and object storage\n\nUsage: tombolo COMMAND …\n" +
         section("Commands", rows) + section("Which server, and how it answers", rows_of(server_options())) +
         section("Environment", rows_of(variables())) + section("Exit status", rows_of(exit_statuses())) +
         "\n`tombolo help COMMAND` explains one, with examples.\n";
}

}  // namespace

std::string filled(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (column > indent && column + 1 + word.size() > kColumns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) out += ' ';
    out += word;
    column += word.size() + (column > indent ? 1 : 0);
    text.remove_prefix(std::min(text.size(), space + 1));
  }
  return out + "\n";
}

std::string spelling(const Parameter& parameter) {
  return parameter.is_flag() ? std::string(parameter.name) : fmt::format("{} {}", parameter.name, parameter.value);
}

std::string full_help(const Parameter& parameter) {
  std::string text(parameter.help);
  if (!parameter.choices.empty()) {
    std::string all;
    for (const std::string_view choice : parameter.choices) all += (all.empty() ? "" : ", ") + std::string(choice);
    // Where the words already name every choice, they are not said twice.
    const bool named = std::all_of(parameter.choices.begin(), parameter.choices.end(),
                                   [&](std::string_view choice) { return text.find(choice) != std::string::npos; });
    if (!named) text += fmt::format(": {}", all);
  }
  if (!parameter.default_text.empty()) text += fmt::format(" [{}]", parameter.default_text);
  if (parameter.need == Need::kRequired && !parameter.value.empty()) text += " (required)";
  return text;
}

std::string usage_line(const Command& command) {
  std::string line = fmt::format("tombolo {}", command.path);
  const auto put = [&line](const std::string& text, Need need) {
    line += need == Need::kRequired ? " " + text : " [" + text + "]";
  };
  for (const Parameter& argument : command.arguments) put(std::string(argument.name), argument.need);
  for (const Parameter& option : command.options) put(spelling(option), option.need);
  return line;
}

std::string help_text(std::string_view path) {
  if (path.empty()) return of_everything();
  const Command* command = find_command(path);
  return command != nullptr ? of_command(*command) : of_group(path);
}

int help(const Invocation& invocation) {
  if (invocation.has("--markdown") || invocation.has("--man")) {
    const std::string page = invocation.has("--man") ? manual_page() : markdown_page();
    std::fputs(page.c_str(), stdout);
    return 0;
  }
  std::string path;
  for (const std::string& word : invocation.all("COMMAND")) {
    const auto next = words_after(path);
    if (std::find(next.begin(), next.end(), word) == next.end()) {
      const std::string hint = did_you_mean(word, next);
      return fail_usage(fmt::format("there is no command \"{}{}{}\"{}", path, path.empty() ? "" : " ", word,
                                    hint.empty() ? "; `tombolo help` lists them all" : hint));
    }
    path += (path.empty() ? "" : " ") + word;
  }
  std::fputs(help_text(path).c_str(), stdout);
  return 0;
}

}  // namespace tombolo::cli
