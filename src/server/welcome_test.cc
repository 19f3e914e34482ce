#include "server/welcome.h"

#include <gtest/gtest.h>

namespace tombolo::server {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const WelcomeFacts kFresh = {
    .version = "0.1.0", .data = "./data", .blob_url = "http://127.0.0.1:10000", .admin_url = "http://127.0.0.1:10080"};

TEST(Welcome, AFreshServerSaysHowToBegin) {
  const std::string text = welcome_text(kFresh);
  EXPECT_TRUE(has(text, "export TOMBOLO_DATA=./data\n  tombolo account create mystore\n  tombolo container create"))
      << text;
  EXPECT_TRUE(has(text, "azcopy copy './folder/*' \"$(tombolo sas mydata)\"")) << text;
  EXPECT_TRUE(has(text, "account keys mystore --only connection-string")) << text;
  EXPECT_TRUE(has(text, "http://127.0.0.1:10000") && has(text, "http://127.0.0.1:10080"));
}

TEST(Welcome, TlsListenersAreNamedBesideThePlainOnes) {
  WelcomeFacts facts = kFresh;
  facts.blob_tls_url = "https://127.0.0.1:10443";
  EXPECT_TRUE(has(welcome_text(facts), "  blob   https://127.0.0.1:10443\n"));
  EXPECT_FALSE(has(welcome_text(kFresh), "https"));
}

TEST(Welcome, WithAccountsItNamesThemAndNoKey) {
  WelcomeFacts facts = kFresh;
  facts.accounts = {"mine"};
  EXPECT_TRUE(has(welcome_text(facts), "account keys mine --only"));
  EXPECT_FALSE(has(welcome_text(facts), "account create"));
  facts.accounts = {"mine", "yours"};
  EXPECT_TRUE(has(welcome_text(facts), "--account NAME"));
  EXPECT_FALSE(has(welcome_text(facts), "AccountKey="));
}

TEST(Welcome, TheDevAccountIsReadyToPaste) {
  WelcomeFacts facts = kFresh;
  facts.data = "/tmp/my data";
  facts.accounts = {"devstoreaccount1", "mine"};
  facts.dev_account = "devstoreaccount1";
  facts.dev_connection_string = "AccountName=devstoreaccount1;AccountKey=abc==;";
  const std::string text = welcome_text(facts);
  EXPECT_TRUE(has(text, "export TOMBOLO_DATA='/tmp/my data'\n")) << text;
  EXPECT_TRUE(has(text, "export AZURE_STORAGE_CONNECTION_STRING='AccountName=devstoreaccount1;AccountKey=abc==;'"))
      << text;
}

}  // namespace
}  // namespace tombolo::server
