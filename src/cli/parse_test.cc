#include "cli/parse.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/docs.h"
#include "cli/help.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

const Programs kPrograms;

Result<Parsed> parsed(std::vector<std::string_view> words) {
  return parse(words, kPrograms);
}

Invocation good(std::vector<std::string_view> words) {
  auto result = parsed(std::move(words));
  EXPECT_TRUE(result.ok()) << result.error().message;
  return std::get<Invocation>(*result);
}

std::string refused(std::vector<std::string_view> words) {
  const auto result = parsed(std::move(words));
  EXPECT_FALSE(result.ok());
  return result.ok() ? "" : result.error().message;
}

testing::AssertionResult says(const std::string& message, std::string_view wanted) {
  if (message.find(wanted) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "\"" << message << "\" does not say \"" << wanted << "\"";
}

TEST(Output, JsonTakesAnyBytesAndCommandsNoTerminal) {
  const std::string text = json_text({{"what",
                                       "a\xFF\xC3\xA4\x1b\x7f\xC2\x9B"
                                       "31m"}});
  EXPECT_TRUE(says(text, "a\xEF\xBF\xBD\xC3\xA4\\u001b\\u007f\\u009b31m")) << text;
  EXPECT_EQ(nlohmann::json::parse(text).at("what"),
            "a\xEF\xBF\xBD\xC3\xA4\x1b\x7f\xC2\x9B"
            "31m");
}

TEST(Parse, OptionsStandAnywhere) {
  for (const std::vector<std::string_view>& words :
       {std::vector<std::string_view>{"--data", "d", "offload", "box/p", "--to", "cold", "--evict", "--json"},
        {"offload", "--to=cold", "--json", "--evict", "--data=d", "box/p"},
        {"--json", "offload", "--evict", "--data", "d", "--to", "cold", "--", "box/p"}}) {
    const Invocation invocation = good(words);
    EXPECT_EQ(invocation.command().path, "offload");
    EXPECT_EQ(invocation.text("CONTAINER[/PREFIX]"), "box/p");
    EXPECT_EQ(invocation.text("--to"), "cold");
    EXPECT_TRUE(invocation.has("--evict") && invocation.json());
    EXPECT_FALSE(invocation.has("--detach"));
    EXPECT_EQ(invocation.target().data, "d");
  }
}

TEST(Parse, OptionsOfAGroupMayStandBeforeItsCommand) {
  EXPECT_EQ(good({"container", "--account", "mine", "list"}).text("--account"), "mine");
}

TEST(Parse, TheLastValueCountsAndRepeatedOnesAreAllKept) {
  EXPECT_EQ(good({"sas", "--hours", "1", "--hours", "2"}).number("--hours"), 2u);
  EXPECT_EQ(good({"serve", "--set", "a=1", "--set", "b=2"}).all("--set"), (std::vector<std::string>{"a=1", "b=2"}));
}

TEST(Parse, DefaultsAreThere) {
  EXPECT_EQ(good({"sas"}).number("--hours"), 24u);
  EXPECT_EQ(good({"fsck"}).text("--depth"), "bytes");
}

TEST(Parse, AfterTwoHyphensNothingIsAnOption) {
  EXPECT_EQ(good({"account", "create", "--", "--json"}).text("NAME"), "--json");
}

TEST(Parse, HelpAndVersionNeedNothingElse) {
  EXPECT_EQ(std::get<HelpWanted>(*parsed({"remote", "add", "--help"})).path, "remote add");
  EXPECT_EQ(std::get<HelpWanted>(*parsed({"remote", "-h"})).path, "remote");
  EXPECT_EQ(std::get<HelpWanted>(*parsed({"--help"})).path, "");
  EXPECT_TRUE(std::holds_alternative<VersionWanted>(*parsed({"--version"})));
}

TEST(Parse, ARefusalSaysWhatToWrite) {
  EXPECT_TRUE(says(refused({}), "tombolo help"));
  EXPECT_TRUE(says(refused({"stauts"}), "did you mean \"status\"?"));
  EXPECT_TRUE(says(refused({"frobnicate"}), "`tombolo help` lists them all"));
  EXPECT_TRUE(says(refused({"remote"}), "add, update, list, test"));
  EXPECT_TRUE(says(refused({"remote", "tets", "x"}), "did you mean \"test\"?"));
  EXPECT_TRUE(says(refused({"remote", "frobnicate"}), "it has add, update"));
  EXPECT_TRUE(says(refused({"offload", "box", "--too", "x"}), "did you mean \"--to\"?"));
  EXPECT_TRUE(says(refused({"offload", "box", "--evict"}), "needs --to REMOTE: Name of the remote"));
  EXPECT_TRUE(says(refused({"offload", "box", "--to"}), "--to REMOTE"));
  EXPECT_TRUE(says(refused({"offload", "a", "b", "--to", "c"}), "one word too many"));
  EXPECT_TRUE(says(refused({"sas", "--hours", "many"}), "--hours \"many\" is not a whole number"));
  EXPECT_TRUE(says(refused({"fsck", "--depth", "byte"}), "did you mean \"bytes\"?"));
  EXPECT_TRUE(says(refused({"jobs", "--follow", ""}), "--follow is empty"));
  EXPECT_TRUE(says(refused({"account", "create", ""}), "NAME is empty"));
  EXPECT_TRUE(says(refused({"status", "--json=yes"}), "takes no value"));
  EXPECT_TRUE(says(refused({"serve", "--json"}), "`tombolo serve` has no option --json"));
  EXPECT_TRUE(says(refused({"--json", "serve"}), "`tombolo serve` has no option --json"));
}

// The completion skips options by name alone, and so does the parser before it knows the command.
TEST(Table, OneOptionNameMeansTheSameEverywhere) {
  std::map<std::string_view, std::pair<std::string_view, Kind>> seen;
  for (const Command& command : commands()) {
    for (const Parameter& option : command.options) {
      const auto [at, fresh] = seen.try_emplace(option.name, option.value, option.kind);
      EXPECT_EQ(at->second, std::pair(option.value, option.kind)) << command.path << " " << option.name;
    }
  }
}

TEST(Table, EveryCommandIsWholeAndExplained) {
  std::set<std::string_view> paths;
  for (const Command& command : commands()) {
    EXPECT_TRUE(paths.insert(command.path).second) << command.path;
    EXPECT_NE(command.online == nullptr, command.local == nullptr) << command.path;
    EXPECT_FALSE(command.summary.empty() || command.examples.empty()) << command.path;
    bool optional_before = false;
    for (const Parameter& argument : command.arguments) {
      EXPECT_FALSE(optional_before && argument.need == Need::kRequired) << command.path;
      optional_before = optional_before || argument.need == Need::kOptional;
      EXPECT_FALSE(argument.help.empty()) << command.path;
    }
    for (const Parameter& option : command.options) EXPECT_FALSE(option.help.empty()) << command.path << option.name;
    const std::string help = help_text(command.path);
    EXPECT_TRUE(says(help, command.summary.substr(0, 10)));
    for (const std::string_view name : option_names(command)) {
      const bool said_everywhere = name == "--help" || name == "--version";
      EXPECT_TRUE(said_everywhere || says(help, name));
    }
    EXPECT_TRUE(says(markdown_page(), "## tombolo " + std::string(command.path)));
  }
  for (const Group& group : groups()) EXPECT_FALSE(words_after(group.name).empty()) << group.name;
}

}  // namespace
}  // namespace tombolo::cli
