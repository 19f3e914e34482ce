#include "cli/command.h"

#include <algorithm>

#include "base/sizes.h"

namespace tombolo::cli {

const Command* find_command(std::string_view path) {
  for (const Command& command : commands()) {
    if (command.path == path) return &command;
  }
  return nullptr;
}

std::vector<std::string_view> words_after(std::string_view path) {
  std::vector<std::string_view> words;
  for (const Command& command : commands()) {
    std::string_view rest = command.path;
    if (!path.empty()) {
      if (!rest.starts_with(path) || rest.size() == path.size() || rest[path.size()] != ' ') continue;
      rest.remove_prefix(path.size() + 1);
    }
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

const Parameter* find_option(const Command& command, std::string_view name) {
  const auto in = [name](std::span<const Parameter> options) -> const Parameter* {
    const auto found = std::find_if(options.begin(), options.end(), [name](const auto& o) { return o.name == name; });
    return found == options.end() ? nullptr : &*found;
  };
  if (const Parameter* own = in(command.options)) return own;
  if (command.takes_globals()) {
    if (const Parameter* shared = in(server_options())) return shared;
  }
  return in(common_options());
}

std::vector<std::string_view> option_names(const Command& command) {
  std::vector<std::string_view> names;
  for (const Parameter& option : command.options) names.push_back(option.name);
  if (command.takes_globals()) {
    for (const Parameter& option : server_options()) names.push_back(option.name);
  }
  for (const Parameter& option : common_options()) names.push_back(option.name);
  return names;
}

std::string Invocation::text(std::string_view name) const {
  if (const auto found = values_.find(name); found != values_.end()) return found->second.back();
  for (const auto* list : {&command_->arguments, &command_->options}) {
    for (const Parameter& parameter : *list) {
      if (parameter.name == name) return std::string(parameter.default_text);
    }
  }
  return {};
}

std::uint64_t Invocation::number(std::string_view name) const {
  const auto parsed = parse_size(text(name));
  return parsed.ok() ? *parsed : 0;
}

std::vector<std::string> Invocation::all(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

Target Invocation::target() const {
  const auto installed = [programs = programs_]() -> std::string {
    if (!programs->data_of_config) return {};
    const auto data = programs->data_of_config(std::string(kInstalledConfig));
    return data.ok() ? *data : "";
  };
  return {.data = text("--data"), .url = text("--admin"), .ca_file = text("--ca-file"), .installed_data = installed};
}

}  // namespace tombolo::cli
