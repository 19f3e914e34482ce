// Listings: names, pages, markers, XML.
#include <pugixml.hpp>

#include "base/encoding.h"
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

struct Page {
  std::vector<std::string> names;  // prefixes end in "/" + "*"
  std::string next;
  pugi::xml_document document;
};

// A name may be only blanks.
constexpr unsigned kWithBlanks = pugi::parse_default | pugi::parse_ws_pcdata_single;

class Listing : public ::testing::Test, public BlobRig {
 protected:
  void put(const std::string& name, const Fields& headers = {}) {
    EXPECT_EQ(ask({"PUT", "/box/" + percent_encode(name), plus(kBlock, headers), "x"}).status, 201) << name;
  }

  // Encoded names as the Go SDK reads them: percent escapes, and "+" for a space.
  static std::string name_of(const pugi::xml_node& node) {
    const std::string text = node.child("Name").text().get();
    if (std::string_view(node.child("Name").attribute("Encoded").value()) != "true") return text;
    return percent_decode(text).value();
  }

  Page list(const std::string& query) {
    Page page;
    const Answered answer = ask({"GET", "/box?restype=container&comp=list" + query});
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/xml");
    EXPECT_TRUE(page.document.load_buffer(answer.body.data(), answer.body.size(), kWithBlanks)) << answer.body;
    const pugi::xml_node root = page.document.child("EnumerationResults");
    for (const pugi::xml_node& node : root.child("Blobs").children()) {
      page.names.push_back(name_of(node) + (std::string_view(node.name()) == "BlobPrefix" ? "*" : ""));
    }
    page.next = root.child("NextMarker").text().get();
    return page;
  }

  std::vector<std::string> all(const std::string& query) {
    std::vector<std::string> names;
    std::string marker;
    for (int n = 0; n < 1'000; ++n) {
      const Page page = list(query + "&marker=" + percent_encode(marker));
      names.insert(names.end(), page.names.begin(), page.names.end());
      if (page.next.empty()) return names;
      marker = page.next;
    }
    ADD_FAILURE() << "the listing does not end";
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_F(Listing, FlatAndHierarchical) {
  for (const char* name : {"a", "dir/1", "dir/2", "dir/sub/3", "dir2", "z"}) put(name);
  EXPECT_EQ(list("").names, (Names{"a", "dir/1", "dir/2", "dir/sub/3", "dir2", "z"}));
  EXPECT_EQ(list("&delimiter=/").names, (Names{"a", "dir/*", "dir2", "z"}));
  EXPECT_EQ(list("&delimiter=/&prefix=dir/").names, (Names{"dir/1", "dir/2", "dir/sub/*"}));
  EXPECT_EQ(list("&prefix=dir").names, (Names{"dir/1", "dir/2", "dir/sub/3", "dir2"}));
  EXPECT_EQ(list("&prefix=nothing").names, Names{});
  for (int limit = 1; limit <= 5; ++limit) {
    EXPECT_EQ(all("&maxresults=" + std::to_string(limit)), list("").names) << limit;
    EXPECT_EQ(all("&delimiter=/&maxresults=" + std::to_string(limit)), list("&delimiter=/").names) << limit;
  }
}

TEST_F(Listing, StartsFromAName) {
  for (const char* name : {"a", "dir/1", "dir/2", "dir/sub/3", "dir2", "z&"}) put(name);
  EXPECT_EQ(ask({"PUT", "/box/dir/15?comp=block&blockid=MDE=", {}, "x"}).status, 201);
  EXPECT_EQ(list("&startFrom=dir/1").names, (Names{"dir/1", "dir/2", "dir/sub/3", "dir2", "z&"}));
  EXPECT_EQ(list("&startFrom=dir/11&include=uncommittedblobs").names,
            (Names{"dir/15", "dir/2", "dir/sub/3", "dir2", "z&"}));
  EXPECT_EQ(list("&startFrom=dir/2&prefix=dir/").names, (Names{"dir/2", "dir/sub/3"}));
  EXPECT_EQ(list("&startFrom=z%26").names, (Names{"z&"}));
  EXPECT_EQ(list("&startFrom=zz").names, Names{});
  EXPECT_EQ(list("&startFrom=").names.size(), 6u);
  // What is before it is left out before names are folded.
  EXPECT_EQ(list("&delimiter=/&startFrom=dir/2").names, (Names{"dir/*", "dir2", "z&"}));
  EXPECT_EQ(list("&delimiter=/&startFrom=dir/t").names, (Names{"dir2", "z&"}));
  for (int limit = 1; limit <= 4; ++limit) {
    const std::string pages = "&maxresults=" + std::to_string(limit);
    EXPECT_EQ(all("&startFrom=dir/2" + pages), (Names{"dir/2", "dir/sub/3", "dir2", "z&"})) << limit;
    EXPECT_EQ(all("&startFrom=dir/2&delimiter=/" + pages), (Names{"dir/*", "dir2", "z&"})) << limit;
  }
  EXPECT_FALSE(list("&startFrom=a").document.child("EnumerationResults").child("StartFrom"));
}

TEST_F(Listing, TellsWhatIsKnownOfABlob) {
  const std::string etag = ask({"PUT", "/box/b",
                                plus(kBlock, {{"x-ms-blob-content-type", "text/<x>"},
                                              {"x-ms-blob-cache-control", "no-cache"},
                                              {"x-ms-meta-Hdi_IsFolder", "a<b&c"}}),
                                "hello"})
                               .header("ETag");
  const Page page = list("&include=metadata&prefix=b&maxresults=7&delimiter=/");
  const pugi::xml_node root = page.document.child("EnumerationResults");
  EXPECT_EQ(std::string(root.attribute("ServiceEndpoint").value()), "http://127.0.0.1:10000/acc/");
  EXPECT_EQ(std::string(root.attribute("ContainerName").value()), "box");
  EXPECT_EQ(std::string(root.child("Prefix").text().get()), "b");
  EXPECT_EQ(root.child("MaxResults").text().as_int(), 7);
  EXPECT_EQ(std::string(root.child("Delimiter").text().get()), "/");
  const pugi::xml_node blob = root.child("Blobs").child("Blob"), properties = blob.child("Properties");
  const Answered head = ask({"HEAD", "/box/b"});
  EXPECT_EQ("\"" + std::string(properties.child("Etag").text().get()) + "\"", etag);
  EXPECT_EQ(properties.child("Last-Modified").text().get(), head.header("Last-Modified"));
  EXPECT_EQ(properties.child("Creation-Time").text().get(), head.header("x-ms-creation-time"));
  EXPECT_EQ(properties.child("Content-MD5").text().get(), head.header("Content-MD5"));
  EXPECT_EQ(properties.child("Content-Length").text().as_int(), 5);
  EXPECT_EQ(std::string(properties.child("Content-Type").text().get()), "text/<x>");
  EXPECT_EQ(std::string(properties.child("Cache-Control").text().get()), "no-cache");
  EXPECT_EQ(std::string(properties.child("BlobType").text().get()), "BlockBlob");
  EXPECT_EQ(std::string(properties.child("AccessTier").text().get()), "Hot");
  EXPECT_EQ(std::string(blob.child("Metadata").child("Hdi_IsFolder").text().get()), "a<b&c");
  EXPECT_FALSE(list("").document.child("EnumerationResults").child("Blobs").child("Blob").child("Metadata"));
}

TEST_F(Listing, EveryLegalByteInANameComesBack) {
  Names names = {
      "..",       ".",      "a//b",   "a/",       "back\\slash",        " lead",        "trail ",       "per%20cent",
      "p+l&u=s?", "<&>\"'", "#",      "\xC3\xA9", "\xF0\x9F\x8F\x9D",   "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\x7F",
      "\r",       "\n",     "a\r\nb", "\t",       std::string(900, 'n')};
  for (char c = 1; c < 0x7F; ++c) names.push_back(std::string("c") + c + "x");
  for (const std::string& name : names) put(name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(list("").names, names);
  EXPECT_EQ(all("&maxresults=13"), names);
  for (const std::string& name : names) {
    EXPECT_EQ(ask({"HEAD", "/box/" + percent_encode(name)}).status, 200) << percent_encode(name);
    EXPECT_EQ(ask({"DELETE", "/box/" + percent_encode(name, "/")}).status, 202) << percent_encode(name);
  }
  EXPECT_EQ(list("").names, Names{});
}

TEST_F(Listing, FooAndFooSlashAreTwoBlobs) {
  put("foo");
  put("foo/");
  EXPECT_EQ(list("").names, (Names{"foo", "foo/"}));
  EXPECT_EQ(list("&delimiter=/").names, (Names{"foo", "foo/*"}));
}

TEST_F(Listing, MarkersSurviveDeletes) {
  for (int i = 0; i < 10; ++i) put("b" + std::to_string(i));
  const Page first = list("&maxresults=4");
  EXPECT_EQ(first.names, (Names{"b0", "b1", "b2", "b3"}));
  for (const char* gone : {"b2", "b3", "b4"}) EXPECT_EQ(ask({"DELETE", "/box/" + std::string(gone)}).status, 202);
  put("b35");
  const Page second = list("&maxresults=4&marker=" + percent_encode(first.next));
  EXPECT_EQ(second.names, (Names{"b35", "b5", "b6", "b7"}));
}

TEST_F(Listing, APageOfLongNamesEndsBeforeItIsTooLarge) {
  constexpr int kNames = 2'600;
  for (int n = 0; n < kNames; ++n) put(std::to_string(10'000 + n) + std::string(1'000, '&'));
  constexpr std::size_t kAround = 1'000;  // of an entry: its elements and properties
  EXPECT_LE(ask({"GET", "/box?restype=container&comp=list"}).body.size(), 5 * 2 * kMiB + 2'100 * kAround);
  const Page first = list("");
  EXPECT_GT(first.names.size(), 1'900u);
  EXPECT_LT(first.names.size(), 2'200u);
  EXPECT_EQ(all("").size(), static_cast<std::size_t>(kNames));
}

TEST_F(Listing, StagedNamesAreShownWhenAskedFor) {
  put("a");
  EXPECT_EQ(ask({"PUT", "/box/staged?comp=block&blockid=MDE=", {}, "x"}).status, 201);
  EXPECT_EQ(list("").names, (Names{"a"}));
  const Page page = list("&include=uncommittedblobs,metadata");
  EXPECT_EQ(page.names, (Names{"a", "staged"}));
  const pugi::xml_node staged = page.document.child("EnumerationResults").child("Blobs").last_child();
  EXPECT_EQ(std::string(staged.child("Properties").child("Content-Length").text().get()), "0");
  EXPECT_FALSE(staged.child("Properties").child("Etag"));
}

TEST_F(Listing, IncludesOfFeaturesThatHoldNothingAreComplete) {
  put("a");
  EXPECT_EQ(list("&include=snapshots,versions,deleted,copy,tags,metadata,immutabilitypolicy,legalhold").names,
            (Names{"a"}));
}

TEST_F(Listing, OfContainers) {
  for (const std::string name : {"one", "two", "three"}) {
    EXPECT_EQ(ask({"PUT", "/" + name + "?restype=container", {{"x-ms-meta-Which", name}}}).status, 201);
  }
  const auto page_of = [this](const std::string& query, std::string& next) {
    Names names;
    const Answered answer = ask({"GET", "/?comp=list" + query});
    EXPECT_EQ(answer.status, 200) << answer.body;
    pugi::xml_document document;
    EXPECT_TRUE(document.load_buffer(answer.body.data(), answer.body.size()));
    const pugi::xml_node root = document.child("EnumerationResults");
    for (const pugi::xml_node& node : root.child("Containers").children()) {
      names.emplace_back(node.child("Name").text().get());
      if (query.find("metadata") != std::string::npos && names.back() != "box") {
        EXPECT_EQ(std::string(node.child("Metadata").child("Which").text().get()), names.back());
      }
    }
    next = root.child("NextMarker").text().get();
    return names;
  };
  std::string next;
  EXPECT_EQ(page_of("&include=metadata", next), (Names{"box", "one", "three", "two"}));
  EXPECT_EQ(next, "");
  EXPECT_EQ(page_of("&prefix=t", next), (Names{"three", "two"}));
  EXPECT_EQ(page_of("&maxresults=3", next), (Names{"box", "one", "three"}));
  EXPECT_EQ(page_of("&maxresults=3&marker=" + next, next), (Names{"two"}));
}

TEST_F(Listing, APageOfContainersWithMuchMetadataEndsBeforeItIsTooLarge) {
  constexpr std::size_t kContainers = 300, kMetadata = 8'000;
  for (std::size_t n = 0; n < kContainers; ++n) {
    const std::string target = "/large" + std::to_string(1'000 + n) + "?restype=container";
    ASSERT_EQ(ask({"PUT", target, {{"x-ms-meta-k", std::string(kMetadata, '"')}}}).status, 201);
  }
  std::size_t listed = 0, pages = 0;
  for (std::string marker = ""; pages == 0 || !marker.empty(); ++pages) {
    const Answered answer = ask({"GET", "/?comp=list&include=metadata&prefix=large&marker=" + percent_encode(marker)});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_LE(answer.body.size(), 6 * (2 * kMiB + kMetadata) + 300 * kKiB) << "escaped, and what is around it";
    pugi::xml_document document;
    ASSERT_TRUE(document.load_buffer(answer.body.data(), answer.body.size()));
    const pugi::xml_node root = document.child("EnumerationResults");
    for (const pugi::xml_node& node : root.child("Containers").children()) {
      EXPECT_EQ(node.child("Name").text().get(), "large" + std::to_string(1'000 + listed));
      ++listed;
    }
    marker = root.child("NextMarker").text().get();
  }
  EXPECT_EQ(listed, kContainers);
  EXPECT_EQ(pages, 2u);
}

TEST_F(Listing, ContainersAreMadeChangedAndDeleted) {
  const Answered made = ask({"PUT", "/fresh?restype=container", {{"x-ms-meta-A", "1"}}});
  ASSERT_EQ(made.status, 201);
  for (const std::string method : {"GET", "HEAD"}) {
    const Answered got = ask({method, "/fresh?restype=container"});
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.header("ETag"), made.header("ETag"));
    EXPECT_EQ(got.header("x-ms-meta-A"), "1");
    EXPECT_EQ(got.header("x-ms-lease-status"), "unlocked");
    EXPECT_EQ(got.header("x-ms-has-legal-hold"), "false");
  }
  const Answered set = ask({"PUT", "/fresh?restype=container&comp=metadata", {{"x-ms-meta-B", "2"}}});
  EXPECT_EQ(set.status, 200);
  EXPECT_NE(set.header("ETag"), made.header("ETag"));
  const Answered got = ask({"GET", "/fresh?restype=container&comp=metadata"});
  EXPECT_EQ(got.header("x-ms-meta-B"), "2");
  EXPECT_EQ(got.header("x-ms-meta-A"), "");
  EXPECT_EQ(ask({"DELETE", "/fresh?restype=container"}).status, 202);
  EXPECT_EQ(ask({"GET", "/fresh?restype=container"}).code(), "ContainerNotFound");
  EXPECT_EQ(ask({"PUT", "/fresh?restype=container"}).status, 201);
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
