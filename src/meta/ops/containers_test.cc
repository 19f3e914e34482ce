#include "meta/ops/containers.h"

#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/list_bytes.h"
#include "meta/ops/purge.h"

namespace tombolo::meta {
namespace {

class Containers : public CellTest {
 protected:
  Task<Container> find(std::string name, TenantId tenant = kTenant) {
    return get_container(cell, tenant, "acc", std::move(name));
  }
  std::vector<std::string> list(ContainerQuery query, std::optional<std::string>* next = nullptr) {
    query.tenant = kTenant;
    query.account = "acc";
    const ContainerPage page = must(list_containers(cell, std::move(query)));
    std::vector<std::string> out;
    for (const Container& each : page.containers) out.push_back(each.name);
    if (next != nullptr) *next = page.next;
    return out;
  }
  using Names = std::vector<std::string>;
};
TOMBOLO_CELL_TESTS(Containers);

TEST_P(Containers, CreatedContainerIsFoundByItsTenantOnly) {
  CreateContainer request;
  request.tenant = kTenant;
  request.account = "acc";
  request.name = "new";
  request.metadata = {{"k", "v"}};
  request.native_remote = "azure1";
  const Container made = must(create_container(cell, request));
  const Container found = must(find("new"));
  EXPECT_EQ(found.id, made.id);
  EXPECT_EQ(found.metadata, made.metadata);
  EXPECT_EQ(found.native_remote, "azure1");
  EXPECT_EQ(found.etag_stamp, made.etag_stamp);
  EXPECT_EQ(detail_of(find("new", {8})), "ContainerNotFound");
  EXPECT_EQ(detail_of(find("other")), "ContainerNotFound");
  EXPECT_EQ(detail_of(create_container(cell, request)), "ContainerAlreadyExists");
  request.name = "tree";
  request.mode = Mode::kHns;
  EXPECT_EQ(error_of(create_container(cell, request)).code, Code::kUnsupported);
}

TEST_P(Containers, ChangesMoveTheEtagAndJudgeConditions) {
  const Container before = must(find("box"));
  const Conditions same{.if_match = EtagMatch{.stamps = {before.etag_stamp}}};
  const ChangeContainer change{.metadata = Metadata{{"a", "b"}}, .native_remote = std::nullopt};
  const Container after = must(change_container(cell, container, change, same));
  EXPECT_GT(after.etag_stamp, before.etag_stamp);
  EXPECT_EQ(after.created, before.created);
  EXPECT_EQ(must(find("box")).metadata, (Metadata{{"a", "b"}}));
  EXPECT_EQ(detail_of(change_container(cell, container, change, same)), "ConditionNotMet");
  EXPECT_EQ(detail_of(delete_container(cell, container, same)), "ConditionNotMet");
  EXPECT_EQ(detail_of(change_container(cell, {kTenant, {1}}, change, {})), "ContainerNotFound");
}

TEST_P(Containers, DeletedIsGoneAtOnceAndItsNameFree) {
  must(put("a", runs_gen(1, 100)));
  must(stage("b", "1", runs_gen(1, 50)));
  const ContainerKey old = container;
  must(delete_container(cell, old, {}));
  EXPECT_EQ(detail_of(find("box")), "ContainerNotFound");
  EXPECT_EQ(detail_of(put("a")), "ContainerNotFound");
  EXPECT_EQ(detail_of(stage("a", "1", "x")), "ContainerNotFound");
  EXPECT_EQ(detail_of(delete_object(cell, old, "a", {})), "ContainerNotFound");
  EXPECT_EQ(detail_of(delete_container(cell, old, {})), "ContainerNotFound");
  container = make_container("box");
  EXPECT_NE(container, old);
  EXPECT_EQ(detail_of(get_object(cell, container, "a")), "BlobNotFound");
  must(put("a", "new"));
  EXPECT_EQ(must(find_container(cell, old))->state, ContainerState::kDeleting);
  collect();
  EXPECT_TRUE(rows_of(keys::container_rows(old)).empty());
  EXPECT_FALSE(must(find_container(cell, old)).has_value());
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_EQ(must(get_object(cell, container, "a")).length, 3u);
  EXPECT_TRUE(must(list_purges(cell, 10)).rows.empty());
}

TEST_P(Containers, PurgeTakesBoundedBatchesAndMayBeRepeated) {
  for (int i = 0; i < 1'500; ++i) must(put("n" + std::to_string(i), ""));
  must(delete_container(cell, container, {}));
  const auto entries = must(list_purges(cell, 10)).rows;
  ASSERT_EQ(entries.size(), 1u);
  const BatchEnd first = must(purge_batch(cell, entries[0]));
  EXPECT_EQ(first.progress, Progress::kMore);
  const auto left = rows_of(keys::container_rows(container));
  ASSERT_GT(left.size(), 400u);
  EXPECT_GT(left[1].key, first.next) << "all but the container's own row lies ahead";
  EXPECT_TRUE(must(find_container(cell, container)).has_value());
  BatchEnd last = must(purge_batch(cell, entries[0], first.next));
  while (last.progress == Progress::kMore) last = must(purge_batch(cell, entries[0], last.next));
  EXPECT_TRUE(rows_of(keys::container_rows(container)).empty());
  EXPECT_EQ(must(purge_batch(cell, entries[0])).progress, Progress::kDone);  // repeated after its end
  collect();
  EXPECT_TRUE(rows_of(kv::table_prefix(kv::Table::kGens, kTenant, {})).empty());
}

TEST_P(Containers, ListsInNameOrderByPage) {
  for (const char* name : {"b1", "a", "b2", "c"}) make_container(name);
  CreateContainer other;
  other.tenant = kTenant;
  other.account = "acc2";
  other.name = "elsewhere";
  must(create_container(cell, other));
  EXPECT_EQ(list({}), (Names{"a", "b1", "b2", "box", "c"}));
  EXPECT_EQ(list({.prefix = "b"}), (Names{"b1", "b2", "box"}));
  std::optional<std::string> next;
  EXPECT_EQ(list({.prefix = "b", .limit = 2}, &next), (Names{"b1", "b2"}));
  ASSERT_EQ(next, "b2");
  EXPECT_EQ(list({.prefix = "b", .start_after = *next, .limit = 2}, &next), Names{"box"});
  EXPECT_EQ(next, std::nullopt);
  EXPECT_EQ(list({.prefix = "b", .start_after = "zz"}), Names{});
}

TEST_P(Containers, APageEndsBeforeItGrowsTooLarge) {
  constexpr std::size_t kBytes = 32'000, kContainers = 2 * kListBytesMax / kBytes;
  Names names;
  for (std::size_t n = 0; n < kContainers; ++n) {
    CreateContainer request;
    request.tenant = kTenant;
    request.account = "acc";
    request.name = "large" + std::to_string(1'000 + n);
    request.metadata = {{"k", std::string(kBytes, '"')}};
    must(create_container(cell, request));
    names.push_back(std::move(request.name));
  }
  Names seen;
  std::size_t pages = 0;
  for (std::optional<std::string> next = ""; next; ++pages) {
    const Names page = list({.prefix = "large", .start_after = *next}, &next);
    EXPECT_LE(page.size(), kListBytesMax / kBytes + 1);
    EXPECT_GT(page.size(), 0u);
    seen.insert(seen.end(), page.begin(), page.end());
  }
  EXPECT_EQ(seen, names);
  EXPECT_LE(pages, 3u);
}

TEST_P(Containers, AdministratorsRowsComeBack) {
  const Tenant tenant = must(create_tenant(cell, {.id = kTenant, .name = "t"}));
  EXPECT_EQ(error_of(create_tenant(cell, {.id = kTenant, .name = "again"})).code, Code::kAlreadyExists);
  const Tenant drawn = must(create_tenant(cell, {.name = "drawn"}));
  EXPECT_TRUE(drawn.id);
  EXPECT_EQ(must(list_tenants(cell)).size(), 2u);
  EXPECT_EQ(must(get_tenant(cell, tenant.id))->name, "t");

  Account account{.name = "acc", .tenant = kTenant, .sealed_keys = "sealed"};
  const Account made = must(put_account(cell, account, PutMode::kCreate));
  EXPECT_EQ(error_of(put_account(cell, account, PutMode::kCreate)).code, Code::kAlreadyExists);
  account.sealed_keys = "rotated";
  const Account changed = must(put_account(cell, account, PutMode::kUpdate));
  EXPECT_EQ(changed.created, made.created);
  EXPECT_GT(changed.changed, made.changed);
  EXPECT_EQ(must(get_account(cell, "acc"))->sealed_keys, "rotated");
  account.name = "missing";
  EXPECT_EQ(error_of(put_account(cell, account, PutMode::kUpdate)).code, Code::kNotFound);
  account.tenant = {999};
  EXPECT_EQ(error_of(put_account(cell, account, PutMode::kCreate)).code, Code::kInvalid);
  EXPECT_EQ(must(list_accounts(cell, std::nullopt)).size(), 1u);
  EXPECT_EQ(must(list_accounts(cell, drawn.id)).size(), 0u);

  RemoteConfig remote{.name = "cloud", .tenant = kTenant, .kind = "azure", .endpoint = "http://x", .bucket = "b"};
  must(put_remote(cell, remote, PutMode::kCreate));
  EXPECT_EQ(must(get_remote(cell, "cloud"))->bucket, "b");
  EXPECT_EQ(must(list_remotes(cell)).size(), 1u);
  EXPECT_FALSE(must(get_remote(cell, "none")).has_value());
}

}  // namespace
}  // namespace tombolo::meta
