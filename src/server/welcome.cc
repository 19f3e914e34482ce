#include "server/welcome.h"

#include <fmt/format.h>

namespace tombolo::server {
namespace {

// As one word of a shell.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string welcome_text(const WelcomeFacts& facts) {
  std::string text = fmt::format("tombolo {} serves {}\n  blob   {}\n  admin  {}  (also /healthz, /metrics)\n",
                                 facts.version, facts.data, facts.blob_url, facts.admin_url);
  if (!facts.blob_tls_url.empty()) text += fmt::format("  blob   {}\n", facts.blob_tls_url);
  if (!facts.admin_tls_url.empty()) text += fmt::format("  admin  {}\n", facts.admin_tls_url);
  if (!facts.dev_account.empty()) {
    text += fmt::format("  dev    account {} with the emulator's published key: for tests only\n", facts.dev_account);
  }
  text += fmt::format("\nIn another terminal:\n  export TOMBOLO_DATA={}\n", shell_word(facts.data));
  const std::string account = !facts.dev_account.empty()   ? facts.dev_account
                              : facts.accounts.size() == 1 ? facts.accounts.front()
                                                           : "";
  if (facts.accounts.empty()) {
    text += "  tombolo account create mystore\n";
  } else if (account.empty()) {
    text += fmt::format("  tombolo account list    # {} accounts: pass --account NAME to the lines below\n",
                        facts.accounts.size());
  }
  text += "  tombolo container create mydata\n";
  text += "  azcopy copy './folder/*' \"$(tombolo sas mydata)\" --from-to=LocalBlob --recursive\n";
  if (!facts.dev_connection_string.empty()) {
    text += fmt::format("  export AZURE_STORAGE_CONNECTION_STRING={}\n", shell_word(facts.dev_connection_string));
  } else {
    const std::string name = !account.empty() ? account : facts.accounts.empty() ? "mystore" : "NAME";
    text += fmt::format(
        "  export AZURE_STORAGE_CONNECTION_STRING=\"$(tombolo account keys {} --only connection-string)\"\n", name);
  }
  return text + "`tombolo help` lists all commands. Ctrl-C or SIGTERM stops the server.\n";
}

}  // namespace tombolo::server
