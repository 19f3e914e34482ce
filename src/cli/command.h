// Command: what a command is called, takes and does, as data. The parser, the help, the completion of shells and the
// documentation all read the one table of them (table.cc).
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/connection.h"

namespace tombolo::cli {

class Invocation;

enum class Kind {
  kText,
  kNumber,     // a whole number
  kSize,       // a whole number with KiB, MiB, GiB or TiB
  kFile,       // shells complete file names
  kDirectory,  // shells complete directories
  kAccount,    // these four: shells ask the running server for names
  kContainer,
  kRemote,
  kJob,
};
enum class Need { kOptional, kRequired };

/// An argument ("NAME") or an option ("--to").
struct Parameter {
  std::string_view name;
  std::string_view value = {};  // options: what to write behind it; empty: a flag
  std::string_view help = {};
  Need need = Need::kOptional;
  Kind kind = Kind::kText;
  std::vector<std::string_view> choices = {};  // the only values there are; empty: any of the kind
  std::string_view default_text = {};
  bool repeats = false;  // each one counts; otherwise the last does

  bool is_flag() const { return value.empty(); }
};

struct Example {
  std::string_view what;  // for whom it is
  std::string_view line;  // one line or several
  bool runs = true;       // false: needs what only its reader has; documentation shows it and does not run it
};

struct Command {
  std::string_view path;     // "remote add"
  std::string_view summary;  // one line
  std::string_view details = {};
  std::vector<Parameter> arguments = {};
  std::vector<Parameter> options = {};
  std::vector<Example> examples = {};
  /// One of the two. `online` gets the server that the command line names; an error that it gives is printed.
  Result<int> (*online)(const Invocation&, Connection&) = nullptr;
  int (*local)(const Invocation&) = nullptr;

  bool takes_globals() const { return online != nullptr || asks_server_itself; }
  bool asks_server_itself = false;  // a local command that connects where it wants to
};

/// Commands that share their first word: "remote".
struct Group {
  std::string_view name, summary;
};

/// In the order of the documentation: as a newcomer needs them.
std::span<const Command> commands();
std::span<const Group> groups();
/// Options of every command that asks a server.
std::span<const Parameter> server_options();
/// --help and --version.
std::span<const Parameter> common_options();

struct Meaning {
  std::string_view name, meaning;
};
/// The process' exit statuses.
std::span<const Meaning> exit_statuses();
/// Environment variables that the command line reads.
std::span<const Meaning> variables();

/// The command of that path, or null.
const Command* find_command(std::string_view path);
/// The words that may follow `path` ("" or the name of a group), in the table's order.
std::vector<std::string_view> words_after(std::string_view path);
/// An option that the command takes, its own or one of all; null when it does not.
const Parameter* find_option(const Command& command, std::string_view name);
/// Everything after "--" that the command takes.
std::vector<std::string_view> option_names(const Command& command);

/// A command line that has been understood: the command and the values of its parameters, all of the right kind.
class Invocation {
 public:
  Invocation(const Command& command, const Programs& programs) : command_(&command), programs_(&programs) {}

  const Command& command() const { return *command_; }
  const Programs& programs() const { return *programs_; }
  void add(std::string_view name, std::string value) { values_[std::string(name)].push_back(std::move(value)); }

  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  /// The last value given, or the default.
  std::string text(std::string_view name) const;
  /// Requires a parameter of the kind kNumber or kSize with a value or a default.
  std::uint64_t number(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;

  bool json() const { return has("--json"); }
  Target target() const;

 private:
  const Command* command_;
  const Programs* programs_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace tombolo::cli
