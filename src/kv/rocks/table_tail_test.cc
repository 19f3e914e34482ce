#include "kv/rocks/table_tail.h"

#include <gtest/gtest.h>

#include "kv/rocks/plain_db.h"
#include "testing/test_folder.h"

namespace tombolo::kv {
namespace {

class TableTail : public testing::Test {
 protected:
  TableTail() {
    const auto db = open_plain_db(folder_.path());
    for (int n = 0; n < 100; ++n) EXPECT_TRUE(db->Put({}, std::to_string(n), std::string(100, 'v')).ok());
    EXPECT_TRUE(db->Flush({}).ok());
    std::vector<std::string> names;
    EXPECT_TRUE(env_.GetChildren(folder_.path(), &names).ok());
    for (const std::string& name : names) {
      if (name.ends_with(".sst")) file_ = folder_.path() + "/" + name;
    }
    EXPECT_TRUE(rocksdb::ReadFileToString(&env_, file_, &whole_).ok());
  }
  Result<void> check_with_flip(std::size_t byte, int bit) {
    std::string damaged = whole_;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
    EXPECT_TRUE(rocksdb::WriteStringToFile(&env_, damaged, file_).ok());
    return check_table_tails(env_, folder_.path());
  }

  const TestFolder folder_;
  rocksdb::Env& env_ = *rocksdb::Env::Default();
  std::string file_, whole_;
};

TEST_F(TableTail, IsSoundAsRocksDbWritesIt) {
  EXPECT_TRUE(check_table_tails(env_, folder_.path()).ok());
  EXPECT_TRUE(check_table_tails(env_, folder_.path() + "/nowhere").ok());
}

TEST_F(TableTail, TheBitThatEndsTheProcessIsRefusedWithTheFilesName) {
  int refused = 0;
  for (std::size_t byte = whole_.size() - std::min<std::size_t>(whole_.size(), 2'000); byte < whole_.size(); ++byte) {
    const auto checked = check_with_flip(byte, 7);
    if (checked.ok()) continue;
    ++refused;
    EXPECT_EQ(checked.error().code, Code::kCorrupt);
    EXPECT_NE(checked.error().message.find(file_), std::string::npos);
  }
  EXPECT_GE(refused, 1);
  EXPECT_LE(refused, 6) << "no other bit is looked at, but for those that say where it is";
}

TEST_F(TableTail, HalfATableIsForRocksDbToTell) {
  for (const std::size_t size : {0u, 1u, 52u, 53u, 500u}) {
    EXPECT_TRUE(rocksdb::WriteStringToFile(&env_, whole_.substr(0, size), file_).ok());
    EXPECT_TRUE(check_table_tails(env_, folder_.path()).ok()) << size;
  }
}

}  // namespace
}  // namespace tombolo::kv
