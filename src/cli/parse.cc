#include "cli/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "base/sizes.h"

namespace tombolo::cli {
namespace {

struct Given {
  const Parameter* option;  // of some command below the words so far: they all mean the same by one name
  std::string name, value;
};

Error usage(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

std::string joined(const std::vector<std::string_view>& words, std::string_view between) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : std::string(between)) + std::string(word);
  return text;
}

bool below(const Command& command, std::string_view path) {
  return path.empty() || command.path == path || (command.path.starts_with(path) && command.path[path.size()] == ' ');
}

// How the option is spelt: whether a value follows must be known before the command is.
const Parameter* spelt(std::string_view path, std::string_view name) {
  for (const Command& command : commands()) {
    if (!below(command, path)) continue;
    if (const Parameter* option = find_option(command, name)) return option;
  }
  return nullptr;
}

Error unknown_option(std::string_view path, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    if (!below(command, path) || (path.empty() && !command.takes_globals())) continue;
    for (const std::string_view known : option_names(command)) names.push_back(known);
  }
  const std::string hint = did_you_mean(name, names);
  const std::string where = path.empty() ? "tombolo" : fmt::format("tombolo {}", path);
  return usage(fmt::format("`{}` has no option {}{} `{} --help` lists its options", where, name,
                           hint.empty() ? ";" : hint, where));
}

Error unknown_word(std::string_view path, std::string_view word) {
  const auto words = words_after(path);
  const std::string hint = did_you_mean(word, words);
  const std::string what = path.empty() ? fmt::format("there is no command \"{}\"", word)
                                        : fmt::format("`tombolo {}` has no \"{}\"", path, word);
  if (!hint.empty()) return usage(what + hint);
  if (path.empty()) return usage(what + "; `tombolo help` lists them all");
  return usage(fmt::format("{}: it has {}", what, joined(words, ", ")));
}

Result<void> check(const Parameter& parameter, std::string_view value) {
  const auto bad = [&](std::string_view wanted) {
    return usage(fmt::format("{} \"{}\" is not {}", parameter.name, value, wanted));
  };
  if (value.empty()) return usage(fmt::format("{} is empty: is a variable of your shell not set?", parameter.name));
  if (!parameter.choices.empty() &&
      std::find(parameter.choices.begin(), parameter.choices.end(), value) == parameter.choices.end()) {
    return usage(fmt::format("{} \"{}\" is not one of {}{}", parameter.name, value, joined(parameter.choices, ", "),
                             did_you_mean(value, parameter.choices)));
  }
  if (parameter.kind == Kind::kSize) {
    if (const auto size = parse_size(value); !size.ok()) return bad(size.error().message);
  }
  if (parameter.kind == Kind::kNumber) {
    const bool digits = !value.empty() && value.size() <= 18 &&
                        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return bad("a whole number");
  }
  return {};
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string_view>& words) : words_(words) {}

  Result<Parsed> run(const Programs& programs) {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      if (!ended_ && word == "--") {
        ended_ = true;
      } else if (!ended_ && word.size() > 1 && word.front() == '-') {
        TRY(option(word));
      } else if (command_ == nullptr) {
        TRY(descend(word));
      } else {
        arguments_.emplace_back(word);
      }
    }
    if (version_) return Parsed{VersionWanted{}};
    if (help_) return Parsed{HelpWanted{path_}};
    return finish(programs);
  }

 private:
  Result<void> descend(std::string_view word) {
    const auto next = words_after(path_);
    if (std::find(next.begin(), next.end(), word) == next.end()) return unknown_word(path_, word);
    path_ += (path_.empty() ? "" : " ") + std::string(word);
    command_ = find_command(path_);
    return {};
  }

  Result<void> option(std::string_view word) {
    if (word == "-h") word = "--help";
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view name = word.substr(0, equals);
    if (name == "--help" || name == "--version") {
      (name == "--help" ? help_ : version_) = true;
      return {};
    }
    const Parameter* found = command_ != nullptr ? find_option(*command_, name) : spelt(path_, name);
    if (found == nullptr) return unknown_option(path_, name);
    Given given{.option = found, .name = std::string(name), .value = {}};
    if (found->is_flag()) {
      if (equals != std::string_view::npos) return usage(fmt::format("{} takes no value", name));
    } else if (equals != std::string_view::npos) {
      given.value = word.substr(equals + 1);
    } else if (at_ < words_.size()) {
      given.value = words_[at_++];
    } else {
      return usage(fmt::format("{} needs a value: {} {}", name, name, found->value));
    }
    given_.push_back(std::move(given));
    return {};
  }

  Result<Parsed> finish(const Programs& programs) {
    if (command_ == nullptr && path_.empty()) return usage("say what to do; `tombolo help` lists the commands");
    if (command_ == nullptr) {
      return usage(fmt::format("`tombolo {}` needs one more word: {}", path_, joined(words_after(path_), ", ")));
    }
    Invocation made(*command_, programs);
    for (Given& given : given_) {
      const Parameter* option = find_option(*command_, given.name);
      if (option == nullptr) return unknown_option(path_, given.name);
      if (!option->is_flag()) {
        TRY(check(*option, given.value));
      }
      made.add(given.name, std::move(given.value));
    }
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      const auto& wanted = command_->arguments;
      const bool repeats = !wanted.empty() && wanted.back().repeats;
      if (i >= wanted.size() && !repeats) {
        return usage(
            fmt::format("\"{}\" is one word too many for `tombolo {}`: quote what has spaces in it; "
                        "`tombolo {} --help` shows what it takes",
                        arguments_[i], path_, path_));
      }
      const Parameter& parameter = wanted[std::min(i, wanted.size() - 1)];
      TRY(check(parameter, arguments_[i]));
      made.add(parameter.name, arguments_[i]);
    }
    for (const auto* list : {&command_->arguments, &command_->options}) {
      for (const Parameter& parameter : *list) {
        if (parameter.need == Need::kOptional || made.has(parameter.name)) continue;
        return usage(fmt::format("`tombolo {}` needs {}{}{}: {}", path_, parameter.name,
                                 parameter.value.empty() ? "" : " ", parameter.value, parameter.help));
      }
    }
    return Parsed{std::move(made)};
  }

  const std::vector<std::string_view>& words_;
  std::size_t at_ = 0;
  bool ended_ = false, help_ = false, version_ = false;
  std::string path_;
  const Command* command_ = nullptr;
  std::vector<Given> given_;
  std::vector<std::string> arguments_;
};

}  // namespace

Result<Parsed> parse(const std::vector<std::string_view>& words, const Programs& programs) {
  return Parser(words).run(programs);
}

}  // namespace tombolo::cli
