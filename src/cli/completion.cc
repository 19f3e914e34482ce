// tombolo completion: scripts for shells, from the table of commands.
//
// All three work alike: walk over the words typed so far, skip options and their values, keep what is the path of a
// command or of a group, then offer what the table has behind it. Names (containers, remotes, accounts, jobs) are asked
// of the running server, silently: no server, no names.
#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "cli/commands.h"

namespace tombolo::cli {
namespace {

std::string joined(const std::vector<std::string_view>& words, std::string_view between = " ") {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : std::string(between)) + std::string(word);
  return text;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// Every path that words may have reached: groups and commands.
std::vector<std::string> paths() {
  std::vector<std::string> all;
  for (const Group& group : groups()) all.emplace_back(group.name);
  for (const Command& command : commands()) all.emplace_back(command.path);
  return all;
}

// Every option that takes a value, once; one name means the same everywhere.
std::vector<Parameter> valued_options() {
  std::vector<Parameter> all;
  std::set<std::string_view> seen;
  const auto take = [&](std::span<const Parameter> options) {
    for (const Parameter& option : options) {
      if (!option.is_flag() && seen.insert(option.name).second) all.push_back(option);
    }
  };
  take(server_options());
  for (const Command& command : commands()) take(command.options);
  return all;
}

// The command that lists such names, or nothing.
std::string_view lister(Kind kind) {
  switch (kind) {
    case Kind::kAccount:
      return "account list";
    case Kind::kContainer:
      return "container list";
    case Kind::kRemote:
      return "remote list";
    case Kind::kJob:
      return "jobs";
    case Kind::kText:
    case Kind::kNumber:
    case Kind::kSize:
    case Kind::kFile:
    case Kind::kDirectory:
      return "";
  }
  return "";
}

struct Offers {
  std::string words(const std::vector<std::string_view>& all) const {
    return fmt::format(fmt::runtime(of_words), joined(all));
  }
  std::string of(const Parameter& parameter) const {
    if (!parameter.choices.empty()) return words(parameter.choices);
    if (const std::string_view list = lister(parameter.kind); !list.empty())
      return fmt::format(fmt::runtime(of_names), list);
    if (parameter.kind == Kind::kFile) return of_files;
    return parameter.kind == Kind::kDirectory ? of_directories : nothing;
  }

  // In the shell's own words; {} takes what is offered.
  std::string of_words, of_names, of_files, of_directories, nothing;
};

// `case` arms that bash and zsh read alike.
struct Arms {
  std::string valued, paths, values, words, options;
};

Arms arms(const Offers& offers) {
  Arms out;
  std::vector<std::string_view> names;
  const std::vector<Parameter> valued = valued_options();
  for (const Parameter& option : valued) {
    names.push_back(option.name);
    out.values += fmt::format("      {}) {} ;;\n", option.name, offers.of(option));
  }
  out.valued = joined(names, " | ");
  for (const std::string& path : paths()) out.paths += (out.paths.empty() ? "'" : " | '") + path + "'";
  out.words = fmt::format("      '') {} ;;\n", offers.words(words_after("")));
  for (const Group& group : groups()) {
    out.words += fmt::format("      {}) {} ;;\n", in_quotes(group.name), offers.words(words_after(group.name)));
  }
  for (const Command& command : commands()) {
    out.options += fmt::format("      {}) {} ;;\n", in_quotes(command.path), offers.words(option_names(command)));
    if (command.path == "help") {
      out.words += fmt::format("      {}) {} ;;\n", in_quotes(command.path), offers.words(words_after("")));
    } else if (!command.arguments.empty()) {
      out.words += fmt::format("      {}) {} ;;\n", in_quotes(command.path), offers.of(command.arguments.front()));
    }
  }
  std::vector<std::string_view> shared;
  for (const auto options : {server_options(), common_options()}) {
    for (const Parameter& option : options) shared.push_back(option.name);
  }
  out.options += fmt::format("      *) {} ;;\n", offers.words(shared));
  return out;
}

std::string bash() {
  const Arms all = arms({.of_words = "COMPREPLY=($(compgen -W '{}' -- \"$cur\"))",
                         .of_names = "COMPREPLY=($(compgen -W \"$(_tombolo_names {})\" -- \"$cur\"))",
                         .of_files = "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))",
                         .of_directories = "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))",
                         .nothing = ":"});
  return fmt::format(R"(# bash completion for tombolo, printed by `tombolo completion bash`.
_tombolo_names() {{
  command tombolo "$@" 2>/dev/null </dev/null | tail -n +2 | cut -d ' ' -f 1
}}

_tombolo() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} at=1 arguments=0 path='' taken='' word
  COMPREPLY=()
  for ((; at < COMP_CWORD; at++)); do
    word=${{COMP_WORDS[at]}}
    if [[ $word == '=' ]]; then continue; fi
    if [[ -n $taken ]]; then taken=''; continue; fi
    case $word in
      {}) taken=$word ;;
      -*) ;;
      *)
        case "${{path:+$path }}$word" in
          {}) path="${{path:+$path }}$word" ;;
          *) arguments=$((arguments + 1)) ;;
        esac
        ;;
    esac
  done
  if [[ $cur == '=' ]]; then cur=''; fi
  if [[ -n $taken ]]; then
    case $taken in
{}    esac
  elif [[ $cur == -* ]]; then
    case $path in
{}    esac
  elif ((arguments == 0)); then
    case $path in
{}    esac
  fi
}}

complete -F _tombolo tombolo
)",
                     all.valued, all.paths, all.values, all.options, all.words);
}

std::string zsh() {
  const Arms all = arms({.of_words = "compadd -- {}",
                         .of_names = "compadd -- ${{(f)\"$(_tombolo_names {})\"}}",
                         .of_files = "_files",
                         .of_directories = "_files -/",
                         .nothing = ":"});
  return fmt::format(R"(#compdef tombolo
# zsh completion for tombolo, printed by `tombolo completion zsh`.
_tombolo_names() {{
  command tombolo "$@" 2>/dev/null </dev/null | tail -n +2 | cut -d ' ' -f 1
}}

_tombolo() {{
  local at arguments=0 cur="${{words[CURRENT]}}" reached='' taken='' word
  for ((at = 2; at < CURRENT; at++)); do
    word="${{words[at]}}"
    if [[ -n $taken ]]; then taken=''; continue; fi
    case $word in
      ({}) taken=$word ;;
      (-*) ;;
      (*)
        case "${{reached:+$reached }}$word" in
          ({}) reached="${{reached:+$reached }}$word" ;;
          (*) arguments=$((arguments + 1)) ;;
        esac
        ;;
    esac
  done
  if [[ -n $taken ]]; then
    case $taken in
{}    esac
  elif [[ $cur == -* ]]; then
    case $reached in
{}    esac
  elif ((arguments == 0)); then
    case $reached in
{}    esac
  fi
}}

if [[ $funcstack[1] == _tombolo ]]; then
  _tombolo "$@"
else
  compdef _tombolo tombolo
fi
)",
                     all.valued, all.paths, all.values, all.options, all.words);
}

std::string fish_values(const Parameter& parameter) {
  if (!parameter.choices.empty()) return fmt::format(" -x -a {}", in_quotes(joined(parameter.choices)));
  if (const std::string_view list = lister(parameter.kind); !list.empty()) {
    return fmt::format(" -x -a '(__tombolo_names {})'", list);
  }
  if (parameter.kind == Kind::kDirectory) return " -x -a '(__fish_complete_directories)'";
  return parameter.kind == Kind::kFile ? " -r -F" : " -x";
}

std::string fish() {
  std::vector<std::string_view> valued;
  const std::vector<Parameter> options = valued_options();
  for (const Parameter& option : options) valued.push_back(option.name);
  std::string known;
  for (const std::string& path : paths()) known += " " + in_quotes(path);
  std::string out = fmt::format(R"(# fish completion for tombolo, printed by `tombolo completion fish`.
function __tombolo_names
    command tombolo $argv 2>/dev/null </dev/null | tail -n +2 | cut -d ' ' -f 1
end

function __tombolo_at
    set -l reached ''
    set -l skip 0
    set -l typed (commandline -opc)
    for word in $typed[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case {}
                set skip 1
            case '-*'
            case '*'
                set -l next (string trim -- "$reached $word")
                if contains -- $next{}
                    set reached $next
                end
        end
    end
    test "$reached" = "$argv[1]"
end

complete -c tombolo -f
)",
                                joined(valued), known);
  const auto at = [](std::string_view path) {
    return fmt::format("complete -c tombolo -n \"__tombolo_at {}\"", in_quotes(path));
  };
  const auto summary_of = [](std::string_view path) {
    if (const Command* command = find_command(path)) return command->summary;
    for (const Group& group : groups()) {
      if (group.name == path) return group.summary;
    }
    return std::string_view();
  };
  std::vector<std::string_view> starts = {""};
  for (const Group& group : groups()) starts.push_back(group.name);
  for (const std::string_view start : starts) {
    for (const std::string_view word : words_after(start)) {
      const std::string path = start.empty() ? std::string(word) : fmt::format("{} {}", start, word);
      out += fmt::format("{} -a {} -d {}\n", at(start), in_quotes(word), in_quotes(summary_of(path)));
    }
  }
  for (const Command& command : commands()) {
    for (const std::string_view name : option_names(command)) {
      const Parameter& option = *find_option(command, name);
      out += fmt::format("{} -l {}{} -d {}\n", at(command.path), name.substr(2),
                         option.is_flag() ? "" : fish_values(option), in_quotes(option.help));
    }
    if (command.arguments.empty()) continue;
    const Parameter& first = command.arguments.front();
    if (command.path == "help") {
      out += fmt::format("{} -a {}\n", at(command.path), in_quotes(joined(words_after(""))));
    } else if (const std::string values = fish_values(first); values != " -x") {
      out += at(command.path) + values + "\n";
    }
  }
  return out;
}

}  // namespace

int completion(const Invocation& invocation) {
  const std::string shell = invocation.text("SHELL");
  const std::string script = shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
  std::fputs(script.c_str(), stdout);
  return 0;
}

}  // namespace tombolo::cli
