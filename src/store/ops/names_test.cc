// Containers, listings, headers, metadata, deletes: what passes through to meta, held to the Store's words.
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::kTenant;
using testing::Rig;

TEST(Containers, LiveAsTheContractSays) {
  Rig rig;
  const ContainerRef other{kTenant, "acc", "second"};
  EXPECT_EQ(rig.run(rig.store.create_container(Rig::box(), {})).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(rig.run(rig.store.create_container(other, {{"Key", "value"}})).ok());
  const auto got = rig.run(rig.store.get_container(other));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->metadata.at(0).second, "value");
  const auto changed = rig.run(rig.store.set_container_metadata(other, {{"a", "b"}}, {}));
  ASSERT_TRUE(changed.ok());
  EXPECT_NE(changed->etag_stamp, got->etag_stamp);
  ListContainers query;
  query.limit = 1;
  const auto page = rig.run(rig.store.list_containers(kTenant, "acc", query));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->containers.at(0).name, "box");
  ASSERT_TRUE(page->next);
  query.start_after = *page->next;
  const auto rest = rig.run(rig.store.list_containers(kTenant, "acc", query));
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->containers.at(0).name, "second");
  ASSERT_TRUE(rig.run(rig.store.delete_container(other, {})).ok());
  EXPECT_EQ(rig.run(rig.store.get_container(other)).error().detail, "ContainerNotFound");
  ASSERT_TRUE(rig.run(rig.store.create_container(other, {})).ok());
}

TEST(Containers, OfAnotherTenantAreNotThere) {
  Rig rig;
  EXPECT_EQ(rig.run(rig.store.get_container({{99}, "acc", "box"})).error().detail, "ContainerNotFound");
}

TEST(ListObjects, FoldsAndPages) {
  Rig rig;
  for (const char* name : {"a", "dir/x", "dir/y", "dir/z", "e"}) ASSERT_TRUE(rig.put(name, rig.noise(3)).ok());
  ASSERT_TRUE(rig.stage("f", "id", rig.noise(3)).ok());
  ListObjects query;
  query.delimiter = "/";
  query.limit = 2;
  query.include = Include::kUncommitted;
  std::vector<std::string> seen;
  for (int n = 0; n < 5; ++n) {
    const auto page = rig.run(rig.store.list_objects(Rig::box(), query));
    ASSERT_TRUE(page.ok());
    for (const ListEntry& entry : page->entries) {
      if (entry.object) seen.push_back("object " + entry.object->name);
      if (entry.prefix) seen.push_back("prefix " + *entry.prefix);
      if (entry.uncommitted_name) seen.push_back("uncommitted " + *entry.uncommitted_name);
    }
    if (!page->next) break;
    query.start_after = *page->next;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"object a", "prefix dir/", "object e", "uncommitted f"}));
}

TEST(Objects, HeadersAndMetadataMoveTheEtagAndKeepTheBytes) {
  Rig rig;
  const Bytes bytes = rig.noise(20'000);
  const auto put = rig.put("a", bytes);
  ASSERT_TRUE(put.ok());
  meta::ObjectHeaders headers;
  headers.content_type = "text/plain";
  const auto typed = rig.run(rig.store.set_object_headers(Rig::object("a"), headers, {}));
  ASSERT_TRUE(typed.ok());
  EXPECT_NE(typed->etag_stamp, put->etag_stamp);
  const auto tagged = rig.run(rig.store.set_object_metadata(Rig::object("a"), {{"Key", "value"}}, {}));
  ASSERT_TRUE(tagged.ok());
  EXPECT_NE(tagged->etag_stamp, typed->etag_stamp);
  const auto head = rig.head("a");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->headers.content_type, "text/plain");
  EXPECT_EQ(head->metadata.at(0).first, "Key");
  EXPECT_EQ(rig.got("a"), bytes);
  meta::Conditions stale;
  stale.if_match = meta::EtagMatch{.any = false, .stamps = {put->etag_stamp}};
  EXPECT_EQ(rig.run(rig.store.delete_object(Rig::object("a"), stale)).error().detail, "ConditionNotMet");
  ASSERT_TRUE(rig.run(rig.store.delete_object(Rig::object("a"), {})).ok());
  EXPECT_EQ(rig.head("a").error().detail, "BlobNotFound");
  EXPECT_EQ(rig.run(rig.store.delete_object(Rig::object("a"), {})).error().detail, "BlobNotFound");
}

}  // namespace
}  // namespace tombolo::store
