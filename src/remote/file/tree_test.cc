#include "remote/file/tree.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "testing/test_folder.h"

namespace tombolo::remote::file {
namespace {

namespace fs = std::filesystem;

std::string path_of(int fd) {
  return fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
}

/// A tree whose syncs are recorded, and fail where a test says so.
class TreeTest : public testing::Test {
 protected:
  std::unique_ptr<Tree> open() {
    auto tree = Tree::open(root_, {.marker = Marker::kMayBeMade, .sync = [this](int fd) { return sync(fd); }});
    EXPECT_TRUE(tree.ok());
    synced_.clear();
    return *std::move(tree);
  }
  int sync(int fd) {
    const std::string path = path_of(fd);
    if (path == failing_) {
      failing_.clear();  // the kernel tells it once
      errno = EIO;
      return -1;
    }
    synced_.push_back(path);
    return 0;
  }
  bool has_synced(const std::string& below_root) const {
    return std::find(synced_.begin(), synced_.end(), root_ + below_root) != synced_.end();
  }
  Result<RemoteObject> put(Tree& tree, const std::string& key, const Condition& condition = {.if_absent = true}) {
    const std::string name = "t" + std::to_string(++puts_);
    TRY_ASSIGN(const auto temporary, tree.make_temporary(name));
    EXPECT_EQ(::write(temporary.fd.get(), "bytes", 5), 5);
    RemoteHeaders headers;
    headers.metadata["nonce"] = "ours";
    auto placed = tree.place(temporary, key, headers, condition, 1'700'000'000'000'000'000 + puts_);
    if (!placed.ok()) tree.drop_temporary(name);
    return placed;
  }

  const TestFolder folder_;
  const std::string root_ = fs::canonical(folder_.path()).string();
  std::vector<std::string> synced_;
  std::string failing_;
  int puts_ = 0;
};

TEST_F(TreeTest, AHeadSyncsWhatAKilledWriterOwed) {
  const auto object = put(*open(), "a/b/c");
  const auto tree = open();
  const auto found = tree->head("a/b/c");
  ASSERT_TRUE(found.ok()) << to_string(found.error());
  EXPECT_EQ(found->object.etag, object->etag);
  for (const char* path : {"", "/a", "/a/b", "/a/b/c", "/.tombolo/sidecars"}) EXPECT_TRUE(has_synced(path)) << path;
  synced_.clear();
  EXPECT_TRUE(tree->head("a/b/c").ok());
  EXPECT_TRUE(synced_.empty()) << "what was synced once is remembered";
}

TEST_F(TreeTest, NoFileIsLostWhereADirectoryIsNeeded) {
  const auto tree = open();
  ASSERT_TRUE(put(*tree, "a").ok());
  fs::copy_file(root_ + "/a", root_ + "/a%~");
  std::ofstream(root_ + "/a%~", std::ios::app) << "more";
  const auto refused = put(*tree, "a/b");
  EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
  EXPECT_NE(refused.error().message.find("both there"), std::string::npos) << refused.error().message;
  EXPECT_EQ(fs::file_size(root_ + "/a%~"), 9u);
  EXPECT_EQ(fs::file_size(root_ + "/a"), 5u);

  fs::remove(root_ + "/a%~");
  fs::create_hard_link(root_ + "/a", root_ + "/a%~");  // one file, which a crash of the file system can leave
  EXPECT_TRUE(put(*tree, "a/b").ok());
  EXPECT_TRUE(tree->head("a").ok());
}

TEST_F(TreeTest, AHeadOfWhatWasJustPutSyncsNothing) {
  const auto tree = open();
  ASSERT_TRUE(put(*tree, "a/b").ok());
  synced_.clear();
  EXPECT_TRUE(tree->head("a/b").ok());
  EXPECT_TRUE(synced_.empty());
}

TEST_F(TreeTest, APutSyncsDirectoriesThatAKilledWriterMade) {
  const auto tree = open();
  fs::create_directories(root_ + "/a/b");
  ASSERT_TRUE(put(*tree, "a/b/c").ok());
  for (const char* path : {"", "/a", "/a/b"}) EXPECT_TRUE(has_synced(path)) << path;
  synced_.clear();
  ASSERT_TRUE(put(*tree, "a/b/d").ok());
  EXPECT_FALSE(has_synced("") || has_synced("/a"));
  EXPECT_TRUE(has_synced("/a/b"));
}

TEST_F(TreeTest, ANameWhoseSyncFailedIsTakenBackAndWrittenAnew) {
  const auto tree = open();
  ASSERT_TRUE(put(*tree, "a/before").ok());
  failing_ = root_ + "/a";
  EXPECT_EQ(put(*tree, "a/b").error().code, Code::kUnavailable);
  EXPECT_EQ(tree->head("a/b").error().code, Code::kNotFound);
  ASSERT_TRUE(put(*tree, "a/b").ok());
  EXPECT_TRUE(tree->head("a/b").ok());
  EXPECT_TRUE(tree->head("a/before").ok()) << "its own sync succeeded";
}

TEST_F(TreeTest, AReplacementWhoseSyncFailedIsTakenBack) {
  const auto tree = open();
  const auto old = put(*tree, "k");
  failing_ = root_;
  EXPECT_EQ(put(*tree, "k", {.if_etag = old->etag}).error().code, Code::kUnavailable);
  EXPECT_EQ(tree->head("k").error().code, Code::kNotFound);
  EXPECT_TRUE(put(*tree, "k").ok());
}

TEST_F(TreeTest, ADirectoryWhoseSyncFailedIsTakenBackAndMadeAnew) {
  const auto tree = open();
  failing_ = root_;
  EXPECT_EQ(put(*tree, "a/b").error().code, Code::kUnavailable);
  EXPECT_FALSE(fs::exists(root_ + "/a"));
  synced_.clear();
  ASSERT_TRUE(put(*tree, "a/b").ok());
  EXPECT_TRUE(has_synced(""));
}

TEST_F(TreeTest, AfterAFailedSyncWhatIsOnlyFoundIsNotBelieved) {
  ASSERT_TRUE(put(*open(), "a/owed").ok());
  for (const char* failing : {"", "/a", "/a/owed"}) {
    const auto tree = open();
    ASSERT_TRUE(put(*tree, "new").ok() && tree->remove("new", {}).ok());
    failing_ = root_ + failing;
    EXPECT_EQ(tree->head("a/owed").error().code, Code::kUnavailable) << failing;
    EXPECT_EQ(tree->head("a/owed").error().code, Code::kUnavailable) << failing << ": the second sync succeeds";
    EXPECT_TRUE(tree->open_object("a/owed").ok()) << "its bytes can be read";
    // A new name, in directories that were synced before, is written and synced by itself.
    EXPECT_TRUE(put(*tree, "new").ok());
    EXPECT_TRUE(tree->head("new").ok());
    EXPECT_TRUE(tree->remove("new", {}).ok());
  }
  const auto tree = open();
  failing_ = root_ + "/a";
  EXPECT_FALSE(put(*tree, "a/mine").ok());
  EXPECT_EQ(tree->head("a/owed").error().code, Code::kUnavailable) << "the put was told of what it owed";
  EXPECT_TRUE(open()->head("a/owed").ok());
}

}  // namespace
}  // namespace tombolo::remote::file
