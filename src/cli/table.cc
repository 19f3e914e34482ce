// The one table of commands. A new command is one entry here and one function; parser, help, completion and docs
// follow.
#include "cli/commands.h"

namespace tombolo::cli {
namespace {

const Parameter kAccountOption = {.name = "--account",
                                  .value = "ACCOUNT",
                                  .help = "Storage account; may be left out when there is only one",
                                  .kind = Kind::kAccount};
const Parameter kDetachOption = {.name = "--detach", .help = "Print the job's id and return at once"};
const Parameter kMoved = {.name = "CONTAINER[/PREFIX]",
                          .help = "A container, or the objects in it whose names begin with PREFIX",
                          .need = Need::kRequired,
                          .kind = Kind::kContainer};

const Parameter kConfigOption = {.name = "--config",
                                 .value = "FILE",
                                 .help = "TOML file; docs/configuration.md names every key",
                                 .kind = Kind::kFile};
const Parameter kSetOption = {.name = "--set",
                              .value = "KEY=VALUE",
                              .help = "Any setting of the config file, for example cache.bytes=1GiB; may be repeated",
                              .repeats = true};

const Parameter kEndpointOption = {.name = "--endpoint",
                                   .value = "WHERE",
                                   .help = "azure: URL of the account's Blob service; file: a directory that exists",
                                   .kind = Kind::kDirectory};
const Parameter kBucketOption = {
    .name = "--bucket", .value = "CONTAINER", .help = "azure: the container; it must exist"};
const Parameter kPrefixOption = {
    .name = "--prefix", .value = "PREFIX/", .help = "Put before every key there; ends in /"};
const Parameter kRemoteAccountOption = {
    .name = "--remote-account", .value = "ACCOUNT", .help = "azure: the account's name"};

Parameter required(Parameter parameter) {
  parameter.need = Need::kRequired;
  return parameter;
}

Parameter container_name(Kind kind) {
  return {.name = "NAME",
          .help = "3 to 63 lower-case letters, digits and single hyphens",
          .need = Need::kRequired,
          .kind = kind};
}

Parameter remote_name(Kind kind) {
  return {.name = "NAME", .help = "1 to 63 lower-case letters, digits, '-'", .need = Need::kRequired, .kind = kind};
}

std::vector<Command> all_commands() {
  return {
      {.path = "serve",
       .summary = "Run the server; it listens on loopback unless told otherwise",
       .details = "Everything lies in one directory, which one server uses at a time. Runs until SIGTERM, SIGINT or "
                  "Ctrl-C; running requests are finished first.",
       .options = {{.name = "--data",
                    .value = "DIR",
                    .help = "Directory that holds everything; made when missing",
                    .kind = Kind::kDirectory},
                   kConfigOption,
                   {.name = "--listen",
                    .value = "ADDRESS:PORT",
                    .help = "Where clients connect",
                    .default_text = "127.0.0.1:10000"},
                   {.name = "--admin-listen",
                    .value = "ADDRESS:PORT",
                    .help = "Admin API, health and metrics",
                    .default_text = "127.0.0.1:10080"},
                   {.name = "--dev",
                    .help = "Add the emulator's account devstoreaccount1 with its published key; loopback only"},
                   kSetOption,
                   {.name = "--help-settings", .help = "Print every setting with its default and effect, and exit"}},
       .examples = {{.what = "A server for this machine, and which one the commands below talk to",
                     .line = "tombolo serve --data ./data &\nexport TOMBOLO_DATA=./data"},
                    {.what = "More memory for hot reads, and a line for every request",
                     .line = "tombolo serve --data /srv/tombolo --set cache.bytes=4GiB --set server.access_log=true",
                     .runs = false}},
       .local = serve},
      {.path = "account create",
       .summary = "Create an account with two fresh keys",
       .arguments = {{.name = "NAME", .help = "3 to 24 lower-case letters and digits", .need = Need::kRequired}},
       .examples = {{.what = "An account", .line = "tombolo account create mystore"}},
       .online = account_create},
      {.path = "account list",
       .summary = "List accounts",
       .examples = {{.what = "Which accounts there are", .line = "tombolo account list"}},
       .online = account_list},
      {.path = "account keys",
       .summary = "Show an account's keys and connection string",
       .arguments = {{.name = "NAME", .help = "The account", .need = Need::kRequired, .kind = Kind::kAccount}},
       .options = {{.name = "--only",
                    .value = "WHAT",
                    .help = "Print this alone, for scripts",
                    .choices = {"key1", "key2", "endpoint", "connection-string"}}},
       .examples = {{.what = "For SDKs and the Azure CLI",
                     .line = "export AZURE_STORAGE_CONNECTION_STRING=\"$(tombolo account keys mystore --only "
                             "connection-string)\""}},
       .online = account_keys},
      {.path = "container create",
       .summary = "Create a container (AzCopy does not)",
       .arguments = {container_name(Kind::kText)},
       .options = {kAccountOption},
       .examples = {{.what = "A container", .line = "tombolo container create photos"}},
       .online = container_create},
      {.path = "container list",
       .summary = "List containers",
       .options = {kAccountOption},
       .examples = {{.what = "Which containers there are", .line = "tombolo container list"}},
       .online = container_list},
      {.path = "container delete",
       .summary = "Delete a container and all it holds",
       .details = "Where standard input is a terminal it asks first.",
       .arguments = {container_name(Kind::kContainer)},
       .options = {kAccountOption, {.name = "--yes", .help = "Do not ask"}},
       .examples = {{.what = "One that is not needed",
                     .line = "tombolo container create scratch\ntombolo container delete scratch"}},
       .online = container_delete},
      {.path = "sas",
       .summary = "Print a URL with a shared access signature, ready for `azcopy copy`",
       .details = "Whoever has the URL may do what its permissions say until it expires.",
       .arguments = {{.name = "CONTAINER[/BLOB]",
                      .help = "A container, or one blob by its whole name; left out: the whole account",
                      .kind = Kind::kContainer}},
       .options = {kAccountOption,
                   {.name = "--permissions",
                    .value = "LETTERS",
                    .help = "Of: r read, a add, c create, w write, d delete, l list; left out: all that fit"},
                   {.name = "--hours",
                    .value = "N",
                    .help = "How long it is valid, at most 8784 (a year)",
                    .kind = Kind::kNumber,
                    .default_text = "24"},
                   {.name = "--ip", .value = "ADDRESS", .help = "Address or range a.b.c.d-e.f.g.h it may be used from"},
                   {.name = "--https-only", .help = "Refused over plain http"}},
       .examples = {{.what = "Upload a folder",
                     .line = "azcopy copy \"./pictures/*\" \"$(tombolo sas photos)\" --from-to=LocalBlob --recursive"},
                    {.what = "A link to read with for an hour",
                     .line = "tombolo sas photos --permissions rl --hours 1"}},
       .online = sas},
      {.path = "remote add",
       .summary = "Add a remote",
       .details = "Secrets come through the environment, because arguments are seen by everybody on the machine: "
                  "TOMBOLO_REMOTE_KEY (account key) or TOMBOLO_REMOTE_SAS. They are sealed with the data directory's "
                  "root.key and never shown again.",
       .arguments = {remote_name(Kind::kText)},
       .options = {{.name = "--kind",
                    .value = "KIND",
                    .help = "azure (a container of Azure Blob) or file (a directory)",
                    .need = Need::kRequired,
                    .choices = {"azure", "file"}},
                   required(kEndpointOption),
                   kBucketOption,
                   kPrefixOption,
                   kRemoteAccountOption},
       .examples = {{.what = "A directory, for example on a larger disk",
                     .line = "mkdir -p ./archive\ntombolo remote add archive --kind file --endpoint \"$PWD/archive\""},
                    {.what = "A container of Azure Blob; `read` keeps the key out of the shell's history, the "
                             "parentheses out of the commands that follow",
                     .line =
                         "(read -rs TOMBOLO_REMOTE_KEY && export TOMBOLO_REMOTE_KEY\ntombolo remote add cold --kind "
                         "azure --endpoint https://ACCOUNT.blob.core.windows.net --bucket CONTAINER "
                         "--remote-account ACCOUNT)",
                     .runs = false}},
       .online = remote_add},
      {.path = "remote update",
       .summary = "Change a remote: new credentials, another address",
       .details =
           "What is not named stays as it is. Secrets come through the environment, as with `tombolo remote add`, and "
           "only with --credentials: a variable that is set without it is refused. "
           "Objects that lie in the remote are looked for at the new address from then on, and running offloads go on "
           "there with their next object.",
       .arguments = {remote_name(Kind::kRemote)},
       .options = {kEndpointOption,
                   kBucketOption,
                   kPrefixOption,
                   kRemoteAccountOption,
                   {.name = "--credentials",
                    .help = "Replace its credential by TOMBOLO_REMOTE_KEY or TOMBOLO_REMOTE_SAS of the environment"}},
       .examples = {{.what = "The directory has moved",
                     .line = "mkdir -p ./archive2\ntombolo remote update archive --endpoint \"$PWD/archive2\""},
                    {.what = "A new key; the parentheses keep it out of the commands that follow",
                     .line = "(read -rs TOMBOLO_REMOTE_KEY && export TOMBOLO_REMOTE_KEY\ntombolo remote update cold "
                             "--credentials)",
                     .runs = false}},
       .online = remote_update},
      {.path = "remote list",
       .summary = "List remotes and their health",
       .examples = {{.what = "Where cold bytes can go, and whether it answers", .line = "tombolo remote list"}},
       .online = remote_list},
      {.path = "remote test",
       .summary = "Try everything that tombolo needs of a remote, measure it, and say what cold reads will cost",
       .details =
           "Permissions and conditions one by one, then latencies, throughput and the difference of the clocks, "
           "on objects of its own that it removes. A remote that was down when the server started is in use again "
           "when it can be reached. docs/remotes.md explains what it says.",
       .arguments = {remote_name(Kind::kRemote)},
       .options = {{.name = "--bytes",
                    .value = "SIZE",
                    .help = "How much is written and read back at most, up to 1GiB; 0: nothing is measured",
                    .kind = Kind::kSize,
                    .default_text = "8MiB"},
                   {.name = "--seconds",
                    .value = "N",
                    .help = "How long it measures at most, up to 600",
                    .kind = Kind::kNumber,
                    .default_text = "20"}},
       .examples = {{.what = "Before the first offload", .line = "tombolo remote test archive"}},
       .online = remote_test},
      {.path = "offload",
       .summary = "Copy objects to a remote, as plain objects there",
       .details =
           "Every copy is read back and verified. What changes meanwhile is left alone. Interrupting the command "
           "leaves the job running; `tombolo jobs` shows it.",
       .arguments = {kMoved},
       .options = {{.name = "--to",
                    .value = "REMOTE",
                    .help = "Name of the remote",
                    .need = Need::kRequired,
                    .kind = Kind::kRemote},
                   {.name = "--evict", .help = "Drop the local copy once the remote's has been verified"},
                   kAccountOption,
                   kDetachOption},
       .examples = {{.what = "Make room on flash; clients read on as before",
                     .line = "tombolo offload photos --to archive --evict"}},
       .online = offload},
      {.path = "recall",
       .summary = "Bring the bytes of cold objects back to flash",
       .details = "The copy in the remote stays.",
       .arguments = {kMoved},
       .options = {kAccountOption, kDetachOption},
       .examples = {{.what = "Before a job that reads everything", .line = "tombolo recall photos"}},
       .online = recall},
      {.path = "jobs",
       .summary = "List jobs, follow one, or cancel one",
       .options =
           {{.name = "--follow", .value = "ID", .help = "Show a job's progress until it ends", .kind = Kind::kJob},
            {.name = "--cancel", .value = "ID", .help = "Stop a job; what it has done stays", .kind = Kind::kJob}},
       .examples = {{.what = "What runs and what ran", .line = "tombolo jobs"}},
       .online = jobs},
      {.path = "status",
       .summary = "The whole at a glance",
       .examples = {{.what = "For people, and for programs", .line = "tombolo status\ntombolo status --json"}},
       .online = status},
      {.path = "tls show",
       .summary = "Show the certificate that new connections are shown",
       .examples = {{.what = "Whose it is, and until when", .line = "tombolo tls show", .runs = false}},
       .online = tls_show},
      {.path = "tls reload",
       .summary = "Read the certificate and its key again; connections go on",
       .details =
           "A pair that does not fit, cannot be read or is out of date is refused, and the old one stays. SIGHUP "
           "does the same. docs/tls.md says how to set TLS up.",
       .examples = {{.what = "After a renewal", .line = "tombolo tls reload", .runs = false}},
       .online = tls_reload},
      {.path = "fsck",
       .summary = "Check every row against bytes and remotes; with --data DIR also where no server runs",
       .details =
           "Where no server runs, pass the --config and --set that it is served with as well: they name the CAs that "
           "remotes are trusted by, and the audit log, where --repair is recorded. "
           "Says on standard error how far it is: on a terminal all the time, elsewhere every five seconds, with "
           "--json "
           "never. --depth all also searches every remote, below its prefix, for objects that tombolo wrote and no row "
           "names (remote-without-row). What others wrote there is left alone and not reported; a remote with over "
           "10,000 such objects is not searched to its end, and the answer names it (\"not searched\"): give tombolo a "
           "prefix of its own. --repair writes what does not verify on flash anew from its copy in the remote, and the "
           "other way round, puts rows right that follow from others, and moves segment files that no row knows to "
           "set-aside/ in the data directory; then everything is looked at again. Nothing that could be the last copy "
           "of anything is erased or overwritten. The status is 0 when nothing is left to find.",
       .options = {{.name = "--depth",
                    .value = "DEPTH",
                    .help =
                        "rows: rows and files; bytes: also every local byte; all: also every remote byte and object",
                    .choices = {"rows", "bytes", "all"},
                    .default_text = "bytes"},
                   {.name = "--repair", .help = "Heal what another copy or a rule can heal; what is left is findings"},
                   kConfigOption,
                   kSetOption},
       .examples = {{.what = "Every local byte", .line = "tombolo fsck"},
                    {.what = "Every byte, healing what can be healed", .line = "tombolo fsck --depth all --repair"}},
       .local = fsck,
       .asks_server_itself = true},
      {.path = "completion",
       .summary = "Print a script that completes commands, options and names in a shell",
       .arguments = {{.name = "SHELL",
                      .help = "bash, zsh or fish",
                      .need = Need::kRequired,
                      .choices = {"bash", "zsh", "fish"}}},
       .examples = {{.what = "In this bash; a line in ~/.bashrc makes it last",
                     .line = "source <(tombolo completion bash)"},
                    {.what = "zsh, and fish",
                     .line = "tombolo completion zsh > \"${fpath[1]}/_tombolo\"\ntombolo completion fish > "
                             "~/.config/fish/completions/tombolo.fish",
                     .runs = false}},
       .local = completion},
      {.path = "help",
       .summary = "Explain a command, or all of them",
       .arguments = {{.name = "COMMAND", .help = "Its words; left out: an overview", .repeats = true}},
       .options = {{.name = "--markdown", .help = "All commands as one page: docs/cli.md"},
                   {.name = "--man", .help = "All commands as a manual page: docs/tombolo.1"}},
       .examples = {{.what = "One command", .line = "tombolo help remote add"}},
       .local = help},
  };
}

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> all = all_commands();
  return all;
}

std::span<const Group> groups() {
  static const std::vector<Group> all = {{"account", "Storage accounts and their keys"},
                                         {"container", "Containers of an account"},
                                         {"remote", "External object stores for cold bytes"},
                                         {"tls", "The server's certificate"}};
  return all;
}

std::span<const Parameter> server_options() {
  static const std::vector<Parameter> all = {
      {.name = "--data",
       .value = "DIR",
       .help = "Data directory of the server to talk to [TOMBOLO_DATA]; when nothing says which server: that of "
               "/etc/tombolo/tombolo.toml",
       .kind = Kind::kDirectory},
      {.name = "--admin", .value = "URL", .help = "Its admin URL, where it runs elsewhere [TOMBOLO_ADMIN_URL]"},
      {.name = "--ca-file",
       .value = "FILE",
       .help = "PEM file of the CA that an https admin URL's certificate is from [TOMBOLO_CA_FILE]",
       .kind = Kind::kFile},
      {.name = "--json", .help = "Answer in JSON"}};
  return all;
}

std::span<const Parameter> common_options() {
  static const std::vector<Parameter> all = {{.name = "--help", .help = "Explain the command, and exit"},
                                             {.name = "--version", .help = "Print the version, and exit"}};
  return all;
}

std::span<const Meaning> exit_statuses() {
  static const std::vector<Meaning> all = {
      {"0", "done"},
      {"1",
       "it could not be done, or not all of it (a job with failed objects, findings of fsck, a remote that fails "
       "its test); standard error or the answer says why and what to do next"},
      {"2", "wrong usage: nothing was tried"},
      {"3", "no tombolo server answers at that address: nothing was done"}};
  return all;
}

std::span<const Meaning> variables() {
  static const std::vector<Meaning> all = {
      {"TOMBOLO_DATA", "data directory of the server to talk to, for --data"},
      {"TOMBOLO_ADMIN_URL", "admin URL of that server, for --admin"},
      {"TOMBOLO_ADMIN_TOKEN", "what to show it; otherwise the file admin.token in the data directory"},
      {"TOMBOLO_CA_FILE", "who is trusted for an https admin URL besides the system's CAs, for --ca-file"},
      {"TOMBOLO_REMOTE_KEY", "`tombolo remote add`, and `update --credentials`: the remote's account key"},
      {"TOMBOLO_REMOTE_SAS", "`tombolo remote add`, and `update --credentials`: a shared access signature instead"},
      {"TOMBOLO_SERVER_LISTEN, …", "`tombolo serve`: every setting of docs/configuration.md"}};
  return all;
}

}  // namespace tombolo::cli
