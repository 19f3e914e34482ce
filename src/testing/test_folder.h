// A folder of one test's own on the machine's disk.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace tombolo {

/// Empty, and gone with this. Declare it before what works in it.
class TestFolder {
 public:
  TestFolder() : path_(::testing::TempDir() + "tombolo-test-XXXXXX") { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tombolo
