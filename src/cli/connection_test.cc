#include "cli/connection.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace tombolo::cli {
namespace {

using boost::asio::ip::tcp;

TEST(Connection, SaysWhereToLookWhenTheServerIsThereAndDoesNotAnswer) {
  boost::asio::io_context loop;
  tcp::acceptor silent(loop, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  ::setenv("TOMBOLO_ADMIN_TOKEN", "0", 1);
  Target target;
  target.url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  auto connection = Connection::open(target);
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  connection->wait_for_answers(std::chrono::milliseconds(50));
  for (const auto& [answer, then] : {std::pair(connection->get("status"), "; ask again"),
                                     std::pair(connection->remove("jobs/1"), "look before you ask again")}) {
    ASSERT_FALSE(answer.ok());
    EXPECT_NE(answer.error().message.find("is there, but busy"), std::string::npos) << answer.error().message;
    EXPECT_NE(answer.error().message.find(then), std::string::npos) << answer.error().message;
    EXPECT_NE(answer.error().detail, kNoServer);
  }
  ::unsetenv("TOMBOLO_ADMIN_TOKEN");
}

TEST(Connection, AsksForTheInstalledServerOnlyWhereNothingElseIsSaid) {
  for (const char* name : {"TOMBOLO_ADMIN_TOKEN", "TOMBOLO_ADMIN_URL", "TOMBOLO_DATA"}) ::unsetenv(name);
  Target target;
  target.installed_data = [] { return std::string("/nowhere/installed"); };
  const auto names_it = [&target] {
    const auto connection = Connection::open(target);
    return !connection.ok() && connection.error().message.find("/nowhere/installed") != std::string::npos;
  };
  EXPECT_TRUE(names_it());
  target.url = "http://198.51.100.1:10080";  // not this machine: its token is none of that server's business
  EXPECT_FALSE(names_it());
  target.url.clear();
  target.data = "/nowhere/named";
  EXPECT_FALSE(names_it());
}

}  // namespace
}  // namespace tombolo::cli
