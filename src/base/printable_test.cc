#include "base/printable.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"

namespace tombolo {
namespace {

TEST(Printable, NamesThatClientsChoseCommandNoTerminal) {
  EXPECT_EQ(printable("a b/\xC3\xA4\xE2\x82\xAC"), "a b/\xC3\xA4\xE2\x82\xAC");
  EXPECT_EQ(printable("x\n1  done\x1b]0;\x07\x7f"), "x\\x0a1  done\\x1b]0;\\x07\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m\xC2\xA7"),
            "\\x9b31m\xC2\xA7");
}

TEST(Log, NamesThatClientsChoseForgeNoLine) {
  testing::internal::CaptureStderr();
  log(LogLevel::kWarn, "test", "object \"{}\" is gone", "a\n2026-11-28 error: forged\x1b[2J");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1) << written;
  EXPECT_NE(written.find("\"a\\x0a2026-11-28 error: forged\\x1b[2J\" is gone"), std::string::npos) << written;
}

}  // namespace
}  // namespace tombolo
