#include "remote/file/file_remote.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/crc64.h"
#include "remote/contract_test.h"
#include "remote/file/key_path.h"
#include "remote/file/sidecar.h"
#include "testing/test_folder.h"

namespace tombolo::remote::file {
namespace {

namespace fs = std::filesystem;

struct FileFixture final : RemoteFixture {
  Remote& remote() override { return *remote_; }
  boost::asio::io_context& loop() override { return loop_; }

  const TestFolder folder;
  const std::string root = folder.path();
  boost::asio::io_context loop_{1};
  Workers workers_{{.threads = 2}};
  SystemClock clock_;
  SeededRandom random_{1};
  const std::unique_ptr<FileRemote> remote_ =
      *FileRemote::open({.name = "disk", .directory = root, .marker = Marker::kMayBeMade}, workers_, clock_, random_);
};

INSTANTIATE_TEST_SUITE_P(File, RemoteContract, testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           return std::make_unique<FileFixture>();
                         }));

class FileRemoteTest : public testing::Test {
 protected:
  Result<RemoteObject> put(std::string key, std::string text, Condition condition = {}) {
    PutRequest request{.key = std::move(key),
                       .size = text.size(),
                       .crc64 = crc64(as_bytes(text)),
                       .headers = {},
                       .condition = std::move(condition)};
    return run_to_end(f_.loop_, f_.remote_->put(std::move(request), body_of(Block(to_bytes(text)))));
  }
  Result<std::string> get(const RemoteObject& object) {
    return run_to_end(f_.loop_, read(f_, {.key = object.key, .if_etag = object.etag, .length = object.size}));
  }
  static Task<std::string> read(FileFixture& fixture, GetRequest request) {
    const std::uint64_t length = request.length;
    CO_TRY_ASSIGN(auto source, fixture.remote_->get(std::move(request)));
    CO_TRY_ASSIGN(const Bytes bytes, read_all(*source, length));
    co_return std::string(as_text(bytes));
  }
  Result<HeadResult> head(const std::string& key) { return run_to_end(f_.loop_, f_.remote_->head(key)); }
  std::vector<std::string> keys(const std::string& prefix = "") {
    std::vector<std::string> out;
    ListRequest request{.prefix = prefix, .marker = {}, .limit = 3};
    do {
      const auto page = run_to_end(f_.loop_, f_.remote_->list(request));
      EXPECT_TRUE(page.ok()) << to_string(page.error());
      if (!page.ok()) break;
      for (const auto& object : page->objects) out.push_back(object.key);
      request.marker = page->next_marker;
    } while (!request.marker.empty());
    return out;
  }
  std::string slurp(const std::string& path) {
    std::ifstream in(f_.root + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& path, const std::string& text) {
    std::ofstream(f_.root + "/" + path, std::ios::binary) << text;
  }

  FileFixture f_;
};

std::vector<std::string> awkward_keys() {
  return {"a",
          "a/b",
          "a/b/c",
          "a-b",
          "a/",
          "a//",
          "/",
          "//",
          "/etc/passwd",
          "..",
          "../x",
          "a/../b",
          ".",
          "./.",
          ".tombolo",
          ".tombolo/temporary/x",
          "x/.tombolo",
          "100%",
          "%2F",
          "%_",
          "%~",
          "a%~",
          "a%+",
          std::string("nul\0byte", 8),
          "line\nfeed",
          "\xff\xfe",
          "with space",
          "back\\slash",
          std::string(240, 'n'),
          std::string(241, 'n'),
          std::string(255, 'n'),
          std::string(1'000, 'n'),
          std::string(239, 'n') + "%",
          std::string(238, 'n') + "%%z",
          std::string(240, 'n') + ".",
          std::string(240, 'n') + "..",
          std::string(240, 'n') + "../above",
          std::string(1'000, '%'),
          std::string(300, 'd') + "/" + std::string(300, 'f'),
          std::string(4'096, 'k')};
}

TEST(KeyPath, IsReversibleAndStaysBeneathTheRoot) {
  std::set<std::string> paths;
  for (const std::string& key : awkward_keys()) {
    const auto path = path_of_key(key);
    ASSERT_TRUE(path.ok()) << key;
    std::string joined, back;
    for (std::string name : path->directories) {
      EXPECT_NE(name, kSystemDirectory);
      joined += name + "/";
      EXPECT_LE(name.size(), 255u);
      const bool continues = name.ends_with(kContinues);
      if (continues) name.resize(name.size() - 2);
      EXPECT_NE(name, ".");
      EXPECT_NE(name, "..");
      EXPECT_NE(name, "");
      ASSERT_TRUE(decode_name(name)) << name;
      back += *decode_name(name) + (continues ? "" : "/");
    }
    EXPECT_LE(path->leaf.size(), 240u);
    EXPECT_NE(path->leaf, ".");
    EXPECT_NE(path->leaf, "..");
    EXPECT_EQ(back + decode_name(path->leaf).value_or("?"), key);
    EXPECT_TRUE(paths.insert(joined + path->leaf).second) << key;
  }
  EXPECT_FALSE(path_of_key("").ok());
  EXPECT_FALSE(path_of_key(std::string(4'097, 'k')).ok());
  for (const char* foreign : {"%", "%4", "%zz", "%2f", "a%", "a\nb"}) EXPECT_FALSE(decode_name(foreign)) << foreign;
}

TEST_F(FileRemoteTest, OrdinaryKeysAreOrdinaryPaths) {
  ASSERT_TRUE(put("photos/2026/sunset over sea.jpg", "jpeg").ok());
  EXPECT_EQ(slurp("photos/2026/sunset over sea.jpg"), "jpeg");
}

TEST_F(FileRemoteTest, KeepsEveryKeyApartAndListsThemInByteOrder) {
  std::vector<std::string> all = awkward_keys();
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto stored = put(all[n], std::to_string(n), {.if_absent = true});
    ASSERT_TRUE(stored.ok()) << all[n] << ": " << to_string(stored.error());
  }
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto found = head(all[n]);
    ASSERT_TRUE(found.ok()) << all[n] << ": " << to_string(found.error());
    EXPECT_EQ(*get(found->object), std::to_string(n)) << all[n];
  }
  std::vector<std::string> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(keys(), sorted);
  for (const char* prefix : {"a", "a/", "nnn", ".", "/", "zzz"}) {
    std::vector<std::string> expected;
    for (const auto& key : sorted) {
      if (key.starts_with(prefix)) expected.push_back(key);
    }
    EXPECT_EQ(keys(prefix), expected) << prefix;
  }
  for (const std::string& key : all) EXPECT_TRUE(run_to_end(f_.loop_, f_.remote_->remove(key, {})).ok());
  EXPECT_TRUE(keys().empty());
  // Emptied directories went with their last object.
  EXPECT_EQ(std::distance(fs::directory_iterator(f_.root), {}), 1);
}

TEST_F(FileRemoteTest, AnObjectKeepsItsEtagWhenItsNameBecomesADirectory) {
  const auto a = put("a", "file");
  ASSERT_TRUE(put("a/b", "below").ok());
  EXPECT_EQ(head("a")->object.etag, a->etag);
  EXPECT_EQ(*get(*a), "file");
  const auto again = put("a", "new", {.if_etag = a->etag});
  ASSERT_TRUE(again.ok()) << to_string(again.error());
  EXPECT_EQ(keys(), (std::vector<std::string>{"a", "a/b"}));
}

TEST_F(FileRemoteTest, NoticesWhatOthersDoToTheFiles) {
  const auto object = put("dir/x", "0123456789");
  write("dir/x", "abcdefghij");
  EXPECT_EQ(get(*object).error().code, Code::kChangedOutside);
  EXPECT_EQ(put("dir/x", "mine", {.if_etag = object->etag}).error().code, Code::kConditionFailed);
  write("dir/y", "copied in");
  EXPECT_EQ(keys(), (std::vector<std::string>{"dir/x", "dir/y"}));
  EXPECT_EQ(*get(head("dir/y")->object), "copied in");
  fs::remove(f_.root + "/dir/x");
  EXPECT_EQ(get(*object).error().code, Code::kNotFound);
}

TEST_F(FileRemoteTest, AChangeDuringAReadEndsIt) {
  const std::string big(1'000'000, 'b');
  const auto object = put("x", big);
  auto source = run_to_end(f_.loop_, f_.remote_->get({.key = "x", .if_etag = object->etag, .length = big.size()}));
  ASSERT_TRUE(source.ok());
  ASSERT_TRUE(run_to_end(f_.loop_, (*source)->next()).ok());
  write("x", "short");
  EXPECT_EQ(run_to_end(f_.loop_, (*source)->next()).error().code, Code::kChangedOutside);
}

TEST_F(FileRemoteTest, NeverFollowsLinksOutOfTheTree) {
  write("../outside_of_file_remote", "secret");
  fs::create_symlink("../outside_of_file_remote", f_.root + "/link");
  fs::create_directory_symlink("..", f_.root + "/up");
  EXPECT_EQ(head("link").error().code, Code::kNotFound);
  EXPECT_EQ(head("up/outside_of_file_remote").error().code, Code::kNotFound);
  EXPECT_FALSE(put("up/new", "x").ok());
  EXPECT_FALSE(fs::exists(f_.root + "/../new"));
  EXPECT_TRUE(keys().empty());
  fs::remove(f_.root + "/../outside_of_file_remote");
}

TEST_F(FileRemoteTest, AWrongBodyLeavesNothingBehind) {
  PutRequest request{.key = "k", .size = 4, .crc64 = 1, .headers = {}, .condition = {}};
  const auto stored = run_to_end(f_.loop_, f_.remote_->put(request, body_of(Block(to_bytes("body")))));
  EXPECT_EQ(stored.error().code, Code::kCorrupt);
  EXPECT_EQ(head("k").error().code, Code::kNotFound);
  EXPECT_TRUE(fs::is_empty(f_.root + "/.tombolo/temporary"));
}

TEST_F(FileRemoteTest, ADamagedSidecarIsToldAndNotGuessed) {
  RemoteHeaders headers;
  headers.content_type = "text/plain";
  PutRequest request{.key = "k", .size = 0, .crc64 = 0, .headers = headers, .condition = {}};
  ASSERT_TRUE(run_to_end(f_.loop_, f_.remote_->put(request, body_of(Block()))).ok());
  for (const auto& entry : fs::recursive_directory_iterator(f_.root + "/.tombolo/sidecars")) {
    if (entry.is_regular_file()) std::ofstream(entry.path(), std::ios::app) << "x";
  }
  EXPECT_EQ(head("k").error().code, Code::kCorrupt);
}

TEST(FileRemoteOpen, AMissingDirectoryIsAnErrorAndNotAnEmptyStore) {
  Workers workers{{.threads = 1}};
  SystemClock clock;
  SeededRandom random(1);
  FileConfig config{.name = "d", .directory = "/nowhere/at/all"};
  const auto known = FileRemote::open(config, workers, clock, random);
  EXPECT_EQ(known.error().code, Code::kUnavailable);
  EXPECT_NE(known.error().message.find("not mounted"), std::string::npos) << known.error().message;
  config.marker = Marker::kMayBeMade;
  EXPECT_EQ(FileRemote::open(config, workers, clock, random).error().code, Code::kNotFound);
}

TEST(FileRemoteOpen, AMountPointWithoutItsMountIsAnErrorAndStaysEmpty) {
  const TestFolder folder;
  Workers workers{{.threads = 1}};
  SystemClock clock;
  SeededRandom random(1);
  FileConfig config{.name = "d", .directory = folder.path()};
  const auto bare = FileRemote::open(config, workers, clock, random);
  EXPECT_EQ(bare.error().code, Code::kUnavailable);
  EXPECT_NE(bare.error().message.find("not mounted"), std::string::npos) << bare.error().message;
  EXPECT_TRUE(fs::is_empty(folder.path()));
  config.marker = Marker::kMayBeMade;
  ASSERT_TRUE(FileRemote::open(config, workers, clock, random).ok());
  config.marker = Marker::kMustBeThere;
  EXPECT_TRUE(FileRemote::open(config, workers, clock, random).ok());
  // What a backup without empty directories leaves is a remote as well.
  fs::remove_all(folder.path() + "/.tombolo");
  fs::create_directory(folder.path() + "/.tombolo");
  EXPECT_TRUE(FileRemote::open(config, workers, clock, random).ok());
}

TEST(Sidecar, HasTheFormatOfItsPage) {
  RemoteHeaders headers{
      .content_type = "text/plain; charset=utf-8",
      .content_encoding = {},
      .content_language = {},
      .content_disposition = {},
      .cache_control = "no-cache",
      .content_md5 = std::string("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16),
      .metadata = {{"color", "blue 100%"}}};
  const std::string golden =
      "tombolo-file-remote 1\n"
      "key dir/name with%0Aline\n"
      "content-type text/plain; charset=utf-8\n"
      "cache-control no-cache\n"
      "content-md5 000102030405060708090a0b0c0d0e0f\n"
      "meta color blue 100%25\n"
      "crc64 5d398cd3a03bd13f\n";
  EXPECT_EQ(encode_sidecar("dir/name with\nline", headers), golden);
  const auto back = decode_sidecar(golden, "dir/name with\nline");
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(back->content_type, headers.content_type);
  EXPECT_EQ(back->content_md5, headers.content_md5);
  EXPECT_EQ(back->metadata, headers.metadata);
  EXPECT_EQ(decode_sidecar(golden, "other").error().code, Code::kCorrupt);
  for (std::size_t n = 0; n < golden.size(); ++n) {
    std::string damaged = golden;
    damaged[n] = static_cast<char>(damaged[n] ^ 1);
    EXPECT_FALSE(decode_sidecar(damaged, "dir/name with\nline").ok()) << n;
  }
}

// With a checksum that is right: somebody else may write into the directory of a remote.
TEST(Sidecar, RefusesWhatIsNotMadeOfWholeLinesOrHasAnOddDigest) {
  for (const std::string_view body : {"key k", "key k\ncontent-type a", "content-md5 00\n", "content-md5 \n"}) {
    std::string text = "tombolo-file-remote 1\n" + std::string(body);
    text += fmt::format("crc64 {:016x}\n", crc64(as_bytes(text)));
    EXPECT_EQ(decode_sidecar(text, "k").error().code, Code::kCorrupt) << body;
  }
}

}  // namespace
}  // namespace tombolo::remote::file
