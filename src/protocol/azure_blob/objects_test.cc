// Blobs through the protocol: what is written is what is read, and what is told of it.
#include "base/crc64.h"
#include "base/encoding.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/rig_test.h"
#include "store/cold_test.h"

namespace tombolo::azure_blob::testing {
namespace {

class Objects : public ::testing::Test, public BlobRig {};

std::string text_of(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += std::to_string(i) + ",";
  out.resize(size);
  return out;
}

TEST_F(Objects, PutBlobKeepsBytesHeadersAndMetadata) {
  const std::string bytes = text_of(100'000);
  const Answered put = ask({"PUT", "/box/dir/b",
                            plus(kBlock, {{"x-ms-blob-content-type", "text/csv"},
                                          {"x-ms-blob-content-encoding", "identity"},
                                          {"x-ms-blob-content-language", "en"},
                                          {"x-ms-blob-content-disposition", "attachment; filename=\"x\""},
                                          {"x-ms-blob-cache-control", "no-cache"},
                                          {"Content-MD5", md5_text(md5(as_bytes(bytes)))},
                                          {"x-ms-meta-Hdi_IsFolder", "false"}}),
                            bytes});
  ASSERT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(put.header("Content-MD5"), md5_text(md5(as_bytes(bytes))));
  EXPECT_EQ(put.header("x-ms-content-crc64"), crc64_text(crc64(as_bytes(bytes))));
  const std::string etag = put.header("ETag");
  EXPECT_TRUE(etag.starts_with("\"0x") && etag.size() == 20) << etag;

  const Answered get = ask({"GET", "/box/dir/b"});
  const Answered head = ask({"HEAD", "/box/dir/b"});
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, bytes);
  EXPECT_EQ(head.body, "");
  for (const Answered& answer : {get, head}) {
    EXPECT_EQ(answer.content_length, bytes.size());
    EXPECT_EQ(answer.header("Content-Type"), "text/csv");
    EXPECT_EQ(answer.header("Content-Encoding"), "identity");
    EXPECT_EQ(answer.header("Content-Language"), "en");
    EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=\"x\"");
    EXPECT_EQ(answer.header("Cache-Control"), "no-cache");
    EXPECT_EQ(answer.header("Content-MD5"), md5_text(md5(as_bytes(bytes))));
    EXPECT_EQ(answer.header("ETag"), etag);
    EXPECT_EQ(answer.header("Last-Modified"), put.header("Last-Modified"));
    EXPECT_EQ(answer.header("x-ms-blob-type"), "BlockBlob");
    EXPECT_EQ(answer.header("Accept-Ranges"), "bytes");
    EXPECT_EQ(answer.header("x-ms-access-tier"), "Hot");
    EXPECT_EQ(answer.header("x-ms-lease-state"), "available");
    bool kept_case = false;
    for (const auto field : answer.headers)
      kept_case |= field.name == "x-ms-meta-Hdi_IsFolder" && field.value == "false";
    EXPECT_TRUE(kept_case);
  }
}

TEST_F(Objects, TheMd5ToBeKeptIsTheOneThatIsChecked) {
  const std::string right = md5_text(md5(as_bytes("hello"))), wrong = md5_text(md5(as_bytes("other")));
  const Answered put =
      ask({"PUT", "/box/b", plus(kBlock, {{"Content-MD5", wrong}, {"x-ms-blob-content-md5", right}}), "hello"});
  EXPECT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(ask({"HEAD", "/box/b"}).header("Content-MD5"), right);
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {{"x-ms-blob-content-md5", wrong}}), "hello"}).code(), "Md5Mismatch");
}

TEST_F(Objects, AnEmptyBlobIsABlob) {
  ASSERT_EQ(ask({"PUT", "/box/empty", kBlock}).status, 201);
  const Answered get = ask({"GET", "/box/empty"});
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.content_length, 0U);
  EXPECT_EQ(get.header("Content-MD5"), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(get.header("Content-Type"), "application/octet-stream");
}

TEST_F(Objects, RangesAreExact) {
  const std::string bytes = text_of(50'000);
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, bytes}).status, 201);
  const std::string md5_all = md5_text(md5(as_bytes(bytes)));
  const struct {
    std::string header, range, content_range;
    std::size_t offset, length;
  } cases[] = {
      {"Range", "bytes=0-0", "bytes 0-0/50000", 0, 1},
      {"Range", "bytes=100-", "bytes 100-49999/50000", 100, 49'900},
      {"x-ms-range", "bytes=16380-32770", "bytes 16380-32770/50000", 16'380, 16'391},
      {"x-ms-range", "bytes=49999-99999", "bytes 49999-49999/50000", 49'999, 1},
      {"x-ms-range", "bytes=0-49999", "bytes 0-49999/50000", 0, 50'000},
  };
  for (const auto& row : cases) {
    const Answered part = ask({"GET", "/box/b", {{row.header, row.range}}});
    EXPECT_EQ(part.status, 206) << row.range;
    EXPECT_EQ(part.header("Content-Range"), row.content_range);
    EXPECT_EQ(part.body, bytes.substr(row.offset, row.length)) << row.range;
    EXPECT_EQ(part.header("x-ms-blob-content-md5"), md5_all);
    EXPECT_EQ(part.header("Content-MD5"), "") << "that would be the range's";
  }
  const Answered both = ask({"GET", "/box/b", {{"Range", "bytes=0-9"}, {"x-ms-range", "bytes=5-6"}}});
  EXPECT_EQ(both.body, bytes.substr(5, 2));
  const Answered multi = ask({"GET", "/box/b", {{"Range", "bytes=0-1,5-6"}}});
  EXPECT_EQ(multi.status, 200);
  EXPECT_EQ(multi.body, bytes);

  const Answered with_md5 =
      ask({"GET", "/box/b", {{"Range", "bytes=7-20000"}, {"x-ms-range-get-content-md5", "true"}}});
  EXPECT_EQ(with_md5.body, bytes.substr(7, 19'994));
  EXPECT_EQ(with_md5.header("Content-MD5"), md5_text(md5(as_bytes(with_md5.body))));
  const Answered with_crc =
      ask({"GET", "/box/b", {{"Range", "bytes=7-20000"}, {"x-ms-range-get-content-crc64", "true"}}});
  EXPECT_EQ(with_crc.body, with_md5.body);
  EXPECT_EQ(with_crc.header("x-ms-content-crc64"), crc64_text(crc64(as_bytes(with_crc.body))));
}

TEST_F(Objects, ARangePastTheEndIsAnsweredWithTheLength) {
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, "12345"}).status, 201);
  const Answered past = ask({"GET", "/box/b", {{"x-ms-range", "bytes=5-"}}});
  EXPECT_EQ(past.status, 416);
  EXPECT_EQ(past.header("Content-Range"), "bytes */5");
}

// The Java SDK's second request for an empty blob, after 416.
TEST_F(Objects, WhatIsNoRangeIsAnsweredWithEverything) {
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, "12345"}).status, 201);
  ASSERT_EQ(ask({"PUT", "/box/empty", kBlock}).status, 201);
  EXPECT_EQ(ask({"GET", "/box/empty", {{"x-ms-range", "bytes=0-0"}}}).status, 416);
  for (const char* header : {"x-ms-range", "Range"}) {
    EXPECT_EQ(ask({"GET", "/box/empty", {{header, "bytes=0--1"}}}).status, 200) << header;
    const Answered whole = ask({"GET", "/box/b", {{header, "bytes=4-2"}}});
    EXPECT_EQ(whole.status, 200) << header;
    EXPECT_EQ(whole.body, "12345") << header;
    EXPECT_EQ(whole.header("Content-Range"), "") << header;
    // The checksum of a range that is ignored is ignored too.
    for (const char* digest : {"x-ms-range-get-content-md5", "x-ms-range-get-content-crc64"}) {
      EXPECT_EQ(ask({"GET", "/box/empty", {{header, "bytes=0--1"}, {digest, "true"}}}).status, 200) << digest;
      const Answered checked = ask({"GET", "/box/b", {{header, "bytes=0--1"}, {digest, "true"}}});
      EXPECT_EQ(checked.status, 200) << digest;
      EXPECT_EQ(checked.body, "12345") << digest;
      EXPECT_EQ(checked.header("Content-MD5"), md5_text(md5(as_bytes(std::string("12345"))))) << "the blob's";
      EXPECT_EQ(checked.header("x-ms-content-crc64"), "");
      EXPECT_EQ(ask({"GET", "/box/b", {{digest, "true"}}}).code(), "InvalidHeaderValue") << digest;
      EXPECT_EQ(ask({"GET", "/box/b", {{header, ""}, {digest, "true"}}}).code(), "InvalidHeaderValue") << digest;
    }
  }
}

TEST_F(Objects, IfRangeWantsTheRestOfOneVersionOnly) {
  const Answered old = ask({"PUT", "/box/b", kBlock, "a longer one"});
  const auto rest = [&](std::string_view of, std::string range) {
    return ask({"GET", "/box/b", {{"Range", std::move(range)}, {"If-Range", std::string(of)}}});
  };
  for (const char* name : {"ETag", "Last-Modified"}) {
    EXPECT_EQ(rest(old.header(name), "bytes=2-").body, "longer one") << name;
    EXPECT_EQ(rest(old.header(name), "bytes=99-").status, 416) << name;
  }
  rig.clock.advance(std::chrono::seconds(2));
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, "another"}).status, 201);
  for (const std::string& of : {old.header("ETag"), old.header("Last-Modified"), std::string("W/\"weak\"")}) {
    for (const char* range : {"bytes=2-", "bytes=9-"}) {
      const Answered whole = rest(of, range);
      EXPECT_EQ(whole.status, 200) << of;
      EXPECT_EQ(whole.body, "another") << of;
      EXPECT_EQ(whole.header("Content-Range"), "");
    }
  }
}

TEST_F(Objects, AChecksumOfARangeIsGivenUpTo4MiB) {
  const std::string bytes = text_of(4 * kMiB + 1);
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, bytes}).status, 201);
  const Answered most = ask({"GET", "/box/b", {{"Range", "bytes=1-"}, {"x-ms-range-get-content-md5", "true"}}});
  EXPECT_EQ(most.header("Content-MD5"), md5_text(md5(as_bytes(bytes).subspan(1))));
  EXPECT_TRUE(most.body == bytes.substr(1));
  EXPECT_EQ(ask({"GET", "/box/b", {{"Range", "bytes=0-"}, {"x-ms-range-get-content-md5", "true"}}}).code(),
            "OutOfRangeInput");
}

TEST_F(Objects, AChecksumOfAColdRangeAsksTheRemoteOnce) {
  const auto cloud = std::make_shared<store::testing::RemoteDouble>("cloud");
  rig.remotes.set("cloud", cloud);
  const std::string bytes = text_of(5 * kMiB);
  ASSERT_EQ(ask({"PUT", "/box/b", kBlock, bytes}).status, 201);
  store::testing::make_cold(rig, *cloud, *rig.head("b"), to_bytes(bytes));
  const Asked checked{"GET", "/box/b", {{"Range", "bytes=10-4194313"}, {"x-ms-range-get-content-md5", "true"}}};
  // It breaks off behind the first block, when nothing was promised yet.
  cloud->break_bodies(1, 500'000);
  cloud->before_get([n = 0]() mutable -> Task<void> {
    if (++n > 1) co_return Error{Code::kUnavailable, "away"};
    co_return Result<void>{};
  });
  const Answered failed = ask(checked);
  EXPECT_EQ(failed.status, 503);
  EXPECT_FALSE(failed.aborted);
  EXPECT_GT(cloud->gets(), 1u);
  cloud->before_get({});
  cloud->reset_counts();
  const Answered answer = ask(checked);
  EXPECT_EQ(answer.status, 206);
  EXPECT_TRUE(answer.body == bytes.substr(10, 4 * kMiB));
  EXPECT_EQ(answer.header("Content-MD5"), md5_text(md5(as_bytes(answer.body))));
  EXPECT_EQ(cloud->gets(), 1u);
}

TEST_F(Objects, ConditionsAreKept) {
  const std::string first = ask({"PUT", "/box/b", kBlock, "one"}).header("ETag");
  rig.clock.advance(std::chrono::seconds(2));
  const std::string bare = first.substr(1, first.size() - 2);
  EXPECT_EQ(ask({"GET", "/box/b", {{"If-Match", first}}}).status, 200);
  EXPECT_EQ(ask({"GET", "/box/b", {{"If-Match", bare}}}).status, 200);
  const Answered unchanged = ask({"GET", "/box/b", {{"If-None-Match", first}}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.code(), "ConditionNotMet");
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.header("ETag"), first);
  const std::string modified = ask({"HEAD", "/box/b"}).header("Last-Modified");
  for (const char* method : {"GET", "HEAD"}) {
    const Answered old = ask({method, "/box/b", {{"If-Modified-Since", modified}}});
    EXPECT_EQ(old.status, 304);
    EXPECT_EQ(old.header("ETag"), first);
    EXPECT_EQ(old.header("Last-Modified"), modified);
  }
  EXPECT_EQ(ask({"GET", "/box/b", {{"If-Unmodified-Since", modified}}}).status, 200);

  // Writes know no 304.
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {{"If-None-Match", first}}), "two"}).status, 412);
  EXPECT_EQ(ask({"PUT", "/box/b?comp=metadata", {{"If-Modified-Since", modified}}}).status, 412);
  EXPECT_EQ(ask({"DELETE", "/box/b", {{"If-Modified-Since", modified}}}).status, 412);
  const Answered second = ask({"PUT", "/box/b", plus(kBlock, {{"If-Match", first}}), "two"});
  EXPECT_EQ(second.status, 201);
  EXPECT_NE(second.header("ETag"), first);
  EXPECT_EQ(ask({"GET", "/box/b", {{"If-Match", first}}}).status, 412);
  EXPECT_EQ(ask({"DELETE", "/box/b", {{"If-Match", first}}}).status, 412);
  EXPECT_EQ(ask({"DELETE", "/box/b", {{"If-Match", second.header("ETag")}}}).status, 202);
  EXPECT_EQ(ask({"PUT", "/box/b", plus(kBlock, {{"If-None-Match", "*"}}), "three"}).status, 201);
}

// If-Match && If-Unmodified-Since && (If-None-Match || If-Modified-Since).
TEST_F(Objects, EveryConditionOfAReadCounts) {
  const std::string etag = ask({"PUT", "/box/b", kBlock, "one"}).header("ETag"), other = "\"0x0000000000000001\"";
  const std::string now = ask({"HEAD", "/box/b"}).header("Last-Modified"), before = "Sun, 06 Nov 1994 08:49:37 GMT";
  const struct {
    Fields conditions;
    int status;
  } cases[] = {
      {{{"If-Match", etag}, {"If-Unmodified-Since", now}}, 200},
      {{{"If-Match", etag}, {"If-Unmodified-Since", before}}, 412},
      {{{"If-Match", other}, {"If-Unmodified-Since", now}}, 412},
      {{{"If-None-Match", etag}, {"If-Modified-Since", now}}, 304},
      {{{"If-None-Match", etag}, {"If-Modified-Since", before}}, 200},
      {{{"If-None-Match", other}, {"If-Modified-Since", now}}, 200},
      {{{"If-None-Match", other}, {"If-Modified-Since", before}}, 200},
      {{{"If-Match", etag}, {"If-None-Match", etag}}, 304},
      {{{"If-Match", other}, {"If-None-Match", other}}, 412},
      {{{"If-Unmodified-Since", before}, {"If-None-Match", other}}, 412},
  };
  for (const auto& row : cases) {
    for (const std::string target : {"/box/b", "/box/b?comp=metadata"}) {
      for (const char* method : {"GET", "HEAD"}) {
        const Answered answer = ask({method, target, row.conditions});
        EXPECT_EQ(answer.status, row.status) << method << target << ::testing::PrintToString(row.conditions);
        EXPECT_TRUE(row.status == 412 || answer.header("ETag") == etag);
      }
    }
  }
  // Of a write, an ETag makes its date void.
  EXPECT_EQ(ask({"PUT", "/box/b?comp=metadata", {{"If-Match", etag}, {"If-Unmodified-Since", before}}}).status, 200);
}

TEST_F(Objects, SettingMetadataReplacesItAndMovesTheETag) {
  const Answered put =
      ask({"PUT", "/box/b", plus(kBlock, {{"x-ms-meta-a", "1"}, {"Content-Type", "text/plain"}}), "x"});
  const Answered set = ask({"PUT", "/box/b?comp=metadata", {{"x-ms-meta-B", "2"}}});
  ASSERT_EQ(set.status, 200);
  EXPECT_NE(set.header("ETag"), put.header("ETag"));
  const Answered got = ask({"GET", "/box/b?comp=metadata"});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("ETag"), set.header("ETag"));
  EXPECT_EQ(got.header("x-ms-meta-B"), "2");
  EXPECT_EQ(got.header("x-ms-meta-a"), "");
  EXPECT_EQ(got.body, "");
  EXPECT_EQ(ask({"HEAD", "/box/b"}).header("Content-Type"), "text/plain");
}

TEST_F(Objects, SettingPropertiesClearsWhatIsNotGiven) {
  ask({"PUT", "/box/b", plus(kBlock, {{"x-ms-blob-cache-control", "no-cache"}, {"x-ms-meta-a", "1"}}), "x"});
  const std::string given = md5_text(md5(as_bytes("given")));
  ASSERT_EQ(ask({"PUT",
                 "/box/b?comp=properties",
                 {{"x-ms-blob-content-type", "text/html"}, {"x-ms-blob-content-md5", given}}})
                .status,
            200);
  Answered head = ask({"HEAD", "/box/b"});
  EXPECT_EQ(head.header("Content-Type"), "text/html");
  EXPECT_EQ(head.header("Content-MD5"), given);
  EXPECT_EQ(head.header("Cache-Control"), "");
  EXPECT_EQ(head.header("x-ms-meta-a"), "1");
  ASSERT_EQ(ask({"PUT", "/box/b?comp=properties"}).status, 200);
  head = ask({"HEAD", "/box/b"});
  EXPECT_FALSE(head.headers.has("Content-Type"));
  EXPECT_EQ(head.header("Content-MD5"), "");
  EXPECT_TRUE(ask({"GET", "/box?restype=container&comp=list"}).holds("<Content-Type />"));
}

TEST_F(Objects, DeletingSnapshotsOnlyLeavesTheBlob) {
  ask({"PUT", "/box/b", kBlock, "x"});
  EXPECT_EQ(ask({"DELETE", "/box/b", {{"x-ms-delete-snapshots", "only"}}}).status, 202);
  EXPECT_EQ(ask({"HEAD", "/box/b"}).status, 200);
  EXPECT_EQ(ask({"DELETE", "/box/b", {{"x-ms-delete-snapshots", "include"}}}).status, 202);
  EXPECT_EQ(ask({"HEAD", "/box/b"}).status, 404);
}

TEST_F(Objects, AccountInformationIsGivenAtEveryLevel) {
  for (const std::string target : {"/", "/box", "/box/any"}) {
    for (const std::string method : {"GET", "HEAD"}) {
      const Answered answer = ask({method, target + "?restype=account&comp=properties"});
      EXPECT_EQ(answer.status, 200) << method << target;
      EXPECT_EQ(answer.header("x-ms-sku-name"), "Standard_LRS");
      EXPECT_EQ(answer.header("x-ms-account-kind"), "StorageV2");
      EXPECT_EQ(answer.header("x-ms-is-hns-enabled"), "false");
    }
  }
}

TEST_F(Objects, TheRootContainerNeedsNoName) {
  ASSERT_EQ(ask({"PUT", "/$root?restype=container"}).status, 201);
  ASSERT_EQ(ask({"PUT", "/hello.txt", kBlock, "root"}).status, 201);
  EXPECT_EQ(ask({"GET", "/$root/hello.txt"}).body, "root");
}

TEST_F(Objects, BlocksBecomeABlob) {
  const std::string one = text_of(70'000), two = "second";
  const Answered staged = ask({"PUT", "/box/b?comp=block&blockid=MDE%3D", {}, one});
  ASSERT_EQ(staged.status, 201);
  EXPECT_EQ(staged.header("x-ms-content-crc64"), crc64_text(crc64(as_bytes(one))));
  EXPECT_EQ(staged.header("Content-MD5"), "");
  const std::string two_md5 = md5_text(md5(as_bytes(two)));
  EXPECT_EQ(ask({"PUT", "/box/b?comp=block&blockid=MDI=", {{"Content-MD5", two_md5}}, two}).header("Content-MD5"),
            two_md5);

  const Answered uncommitted = ask({"GET", "/box/b?comp=blocklist&blocklisttype=all"});
  EXPECT_EQ(uncommitted.status, 200);
  EXPECT_TRUE(
      uncommitted.holds("<CommittedBlocks></CommittedBlocks><UncommittedBlocks><Block><Name>MDE=</Name>"
                        "<Size>70000</Size></Block><Block><Name>MDI=</Name><Size>6</Size></Block>"));
  EXPECT_EQ(uncommitted.header("ETag"), "");

  const std::string list =
      "<BlockList><Latest>MDI=</Latest><Uncommitted>MDE=</Uncommitted><Latest>MDI=</Latest></BlockList>";
  const Answered committed = ask({"PUT",
                                  "/box/b?comp=blocklist",
                                  {{"x-ms-blob-content-type", "text/plain"},
                                   {"Content-Type", "application/xml"},
                                   {"x-ms-blob-content-md5", two_md5},
                                   {"Content-MD5", md5_text(md5(as_bytes(list)))},
                                   {"x-ms-meta-a", "1"}},
                                  list});
  ASSERT_EQ(committed.status, 201) << committed.body;
  const Answered get = ask({"GET", "/box/b"});
  EXPECT_EQ(get.body, two + one + two);
  EXPECT_EQ(get.header("Content-Type"), "text/plain");
  EXPECT_EQ(get.header("Content-MD5"), two_md5) << "verbatim, never computed";
  EXPECT_EQ(get.header("x-ms-meta-a"), "1");

  const Answered after = ask({"GET", "/box/b?comp=blocklist&blocklisttype=all"});
  EXPECT_TRUE(
      after.holds("<Name>MDI=</Name><Size>6</Size></Block><Block><Name>MDE=</Name><Size>70000</Size></Block>"
                  "<Block><Name>MDI=</Name><Size>6</Size></Block></CommittedBlocks><UncommittedBlocks>"
                  "</UncommittedBlocks>"));
  EXPECT_EQ(after.header("x-ms-blob-content-length"), std::to_string(one.size() + 2 * two.size()));
  EXPECT_EQ(after.header("ETag"), committed.header("ETag"));

  // The same list again is a new version of the blob.
  const Answered again = ask({"PUT",
                              "/box/b?comp=blocklist",
                              {},
                              "<BlockList><Committed>MDI=</Committed><Committed>MDE=</Committed></BlockList>"});
  EXPECT_EQ(again.status, 201);
  EXPECT_NE(again.header("ETag"), committed.header("ETag"));
  EXPECT_EQ(ask({"GET", "/box/b"}).body, two + one);
}

TEST_F(Objects, ABlockListLongerThanAnEventLoopParsesIsParsedElsewhere) {
  ASSERT_EQ(ask({"PUT", "/box/b?comp=block&blockid=MDE=", {}, "x"}).status, 201);
  std::string list = "<BlockList>";
  for (int i = 0; i < 5'000; ++i) list += "<Latest>MDE=</Latest>";
  ASSERT_EQ(ask({"PUT", "/box/b?comp=blocklist", {}, list + "</BlockList>"}).status, 201);
  EXPECT_EQ(ask({"GET", "/box/b"}).body, std::string(5'000, 'x'));
}

TEST_F(Objects, DeletingRemovesANameThatHasOnlyBlocks) {
  ASSERT_EQ(ask({"PUT", "/box/staged?comp=block&blockid=MDE=", {}, "x"}).status, 201);
  EXPECT_EQ(ask({"DELETE", "/box/staged"}).status, 202);
  EXPECT_EQ(ask({"GET", "/box/staged?comp=blocklist&blocklisttype=all"}).code(), "BlobNotFound");
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
