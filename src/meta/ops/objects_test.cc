#include "meta/ops/objects.h"

#include <algorithm>
#include <set>

#include "kv/run.h"
#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/feed.h"
#include "meta/ops/list_objects.h"
#include "meta/ops/usage.h"

namespace tombolo::meta {
namespace {

class Objects : public CellTest {
 protected:
  void restore(const Object& object) {
    auto body = [&](kv::Transaction& txn) -> Task<void> { return write(txn, container, object); };
    std::function<Task<void>(kv::Transaction&)> function = body;
    must(kv::run(engine, random, std::move(function)));
  }
  static Task<void> write(kv::Transaction& txn, ContainerKey key, Object object) {
    CO_TRY(txn.guard_shared(keys::container(key)));
    txn.put(keys::object(key, object.name), encode(object));
    co_return Result<void>{};
  }
};
TOMBOLO_CELL_TESTS(Objects);

TEST_P(Objects, PublishedObjectIsFoundWithAllItHolds) {
  PublishObject request;
  request.container = container;
  request.name = std::string("dir/a\0b%20\xc3\xa9", 12);
  request.gen = inline_gen("hello");
  request.headers.content_type = "text/plain";
  request.headers.content_md5.emplace().fill(std::byte{9});
  request.metadata = {{"Key", "Value"}};
  const std::string name = request.name;
  const Object put = must(publish_object(cell, std::move(request)));
  const Object got = must(get_object(cell, container, name));
  EXPECT_EQ(got.name, name);
  EXPECT_EQ(got.length, 5u);
  EXPECT_EQ(got.crc64, crc64(as_bytes("hello")));
  EXPECT_EQ(got.headers.content_type, "text/plain");
  EXPECT_EQ(got.headers.content_md5, put.headers.content_md5);
  EXPECT_EQ(got.metadata, put.metadata);
  EXPECT_EQ(got.etag_stamp, put.etag_stamp);
  EXPECT_TRUE(got.etag_stamp);
  EXPECT_EQ(got.created, got.etag_stamp);
  EXPECT_EQ(got.metageneration, 1u);
  EXPECT_EQ(must(list_edges(cell, kTenant, got.gen, 10)), std::vector{got.holder});
  const auto gen = must(get_gen(cell, kTenant, got.gen));
  ASSERT_TRUE(gen.has_value());
  EXPECT_EQ(gen->state, GenState::kLive);
  EXPECT_EQ(gen->inline_bytes, "hello");
}

TEST_P(Objects, IsFoundByTheNameOfItsContainer) {
  // Several, because of some rows the engine says at once what they hold, and of others not.
  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) {
    const Object put_one = must(put(name, "bytes of " + name));
    const FoundObject found = must(find_object(cell, {kTenant, "acc", "box", name}));
    EXPECT_EQ(found.container, container);
    EXPECT_EQ(found.object.name, name);
    EXPECT_EQ(found.object.gen, put_one.gen);
    must(delete_object(cell, container, name, {}));
    EXPECT_EQ(detail_of(find_object(cell, {kTenant, "acc", "box", name})), "BlobNotFound");
  }
  EXPECT_EQ(detail_of(find_object(cell, {kTenant, "acc", "box", ""})), "InvalidResourceName");
  EXPECT_EQ(detail_of(find_object(cell, {kTenant, "acc", "other", "a"})), "ContainerNotFound");
  EXPECT_EQ(detail_of(find_object(cell, {{8}, "acc", "box", "a"})), "ContainerNotFound");
  must(put("a"));
  must(delete_container(cell, container, {}));
  EXPECT_EQ(detail_of(find_object(cell, {kTenant, "acc", "box", "a"})), "ContainerNotFound");
}

TEST_P(Objects, OverwriteKeepsTheIdMovesEveryStampAndFreesTheOldBytes) {
  const Object first = must(put("a", runs_gen(2, 5 * kMiB)));
  EXPECT_EQ(live_bytes({1}), std::int64_t{10 * kMiB});
  const Object second = must(put("a", "new"));
  EXPECT_EQ(second.id, first.id);
  EXPECT_NE(second.holder, first.holder);
  EXPECT_GT(second.created, first.created);
  EXPECT_GT(second.content_stamp, first.content_stamp);
  EXPECT_GT(second.version_stamp, first.version_stamp);
  EXPECT_GT(second.etag_stamp, first.etag_stamp);
  EXPECT_EQ(edges_of(first.gen), 0u);
  collect();
  EXPECT_FALSE(must(get_gen(cell, kTenant, first.gen)).has_value());
  EXPECT_TRUE(rows_of(keys::runs(kTenant, first.gen)).empty());
  EXPECT_TRUE(must(get_gen(cell, kTenant, second.gen)).has_value());
  EXPECT_EQ(live_bytes({1}), 0);
  EXPECT_TRUE(candidates().empty());
}

TEST_P(Objects, UsageFollowsEveryChange) {
  const auto usage = [this] {
    const Usage now = must(read_usage(cell, container));
    return std::pair(now.objects, now.bytes);
  };
  must(put("a", "12345"));
  must(put("b", "123"));
  EXPECT_EQ(usage(), std::pair(2ul, 8ul));
  must(put("a", "1"));
  EXPECT_EQ(usage(), std::pair(2ul, 4ul));
  must(set_object_metadata(cell, container, "a", {{"k", "v"}}, {}));
  EXPECT_EQ(usage(), std::pair(2ul, 4ul));
  must(delete_object(cell, container, "a", {}));
  must(delete_object(cell, container, "b", {}));
  EXPECT_EQ(usage(), std::pair(0ul, 0ul));
}

TEST_P(Objects, HeadersAndMetadataMoveTheStampsThatTheTableSays) {
  const Object put_object = must(put("a"));
  ObjectHeaders headers;
  headers.cache_control = "no-cache";
  const Object with_headers = must(set_object_headers(cell, container, "a", headers, {}));
  EXPECT_EQ(with_headers.headers.cache_control, "no-cache");
  EXPECT_EQ(with_headers.version_stamp, put_object.version_stamp);
  EXPECT_EQ(with_headers.content_stamp, put_object.content_stamp);
  EXPECT_EQ(with_headers.created, put_object.created);
  EXPECT_GT(with_headers.etag_stamp, put_object.etag_stamp);
  EXPECT_EQ(with_headers.metageneration, 2u);
  const Object with_metadata = must(set_object_metadata(cell, container, "a", {{"k", "v"}}, {}));
  EXPECT_EQ(with_metadata.headers.cache_control, "no-cache");
  EXPECT_GT(with_metadata.version_stamp, put_object.version_stamp);
  EXPECT_EQ(with_metadata.content_stamp, put_object.content_stamp);
  EXPECT_GT(with_metadata.etag_stamp, with_headers.etag_stamp);
  EXPECT_EQ(with_metadata.metageneration, 3u);
  EXPECT_EQ(must(get_object(cell, container, "a")).metadata, with_metadata.metadata);
}

// Every condition against: nothing there, it holds, it does not hold.
TEST_P(Objects, ConditionsMatrix) {
  must(put("here"));
  const Stamp etag = must(get_object(cell, container, "here")).etag_stamp;
  const WallTime before{clock.wall().micros - 10'000'000}, after{clock.wall().micros + 10'000'000};
  struct Row {
    const char* what;
    Conditions conditions;
    std::string on_nothing, on_object;  // details; empty: passes
  };
  const std::vector<Row> rows = {
      {"none", {}, "", ""},
      {"if-match right", {.if_match = EtagMatch{.stamps = {{1}, etag}}}, "ConditionNotMet", ""},
      {"if-match wrong", {.if_match = EtagMatch{.stamps = {{1}}}}, "ConditionNotMet", "ConditionNotMet"},
      {"if-match any", {.if_match = EtagMatch{.any = true}}, "ConditionNotMet", ""},
      {"if-none-match right", {.if_none_match = EtagMatch{.stamps = {{1}}}}, "", ""},
      {"if-none-match wrong", {.if_none_match = EtagMatch{.stamps = {etag}}}, "", "NotModified"},
      {"if-none-match any", {.if_none_match = EtagMatch{.any = true}}, "", "BlobAlreadyExists"},
      {"modified since before", {.if_modified_since = before}, "", ""},
      {"modified since after", {.if_modified_since = after}, "", "NotModified"},
      {"unmodified since before", {.if_unmodified_since = before}, "", "ConditionNotMet"},
      {"unmodified since after", {.if_unmodified_since = after}, "", ""},
      {"an ETag voids its date twin",
       {.if_match = EtagMatch{.stamps = {etag}}, .if_unmodified_since = before},
       "ConditionNotMet",
       ""},
      {"a passing if-none-match voids its date twin",
       {.if_none_match = EtagMatch{.stamps = {{1}}}, .if_modified_since = after},
       "",
       ""},
  };
  int number = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const std::string absent = "absent" + std::to_string(number++);
    const auto on_nothing = wait(put(absent, "x", row.conditions));
    EXPECT_EQ(on_nothing.ok() ? "" : on_nothing.error().detail, row.on_nothing);
    EXPECT_EQ(wait(get_object(cell, container, absent)).ok(), row.on_nothing.empty());
    // Deletes judge like puts; each on a fresh twin, whose stamp differs: only where the row does not name one.
    const bool names_etag =
        (row.conditions.if_match && row.conditions.if_match->stamps.size() > 1) ||
        (row.conditions.if_none_match && row.conditions.if_none_match->stamps == std::vector{etag}) ||
        row.conditions.if_match.has_value();
    const auto headers = wait(set_object_headers(cell, container, "here", {}, row.conditions));
    EXPECT_EQ(headers.ok() ? "" : headers.error().detail, row.on_object);
    if (headers.ok()) {  // restore the stamp that the rows name
      Object object = must(get_object(cell, container, "here"));
      object.etag_stamp = etag;
      restore(object);
    }
    if (!names_etag) {
      const std::string twin = "twin" + std::to_string(number);
      must(put(twin));
      const auto gone = wait(delete_object(cell, container, twin, row.conditions));
      EXPECT_EQ(gone.ok() ? "" : gone.error().detail, row.on_object);
      EXPECT_EQ(wait(get_object(cell, container, twin)).ok(), !row.on_object.empty());
    }
    const auto again = wait(put("here", "again", row.conditions));
    EXPECT_EQ(again.ok() ? "" : again.error().detail, row.on_object);
    if (again.ok()) {
      Object object = must(get_object(cell, container, "here"));
      object.etag_stamp = etag;
      restore(object);
    }
  }
}

TEST_P(Objects, MissingThingsAreNamed) {
  EXPECT_EQ(detail_of(get_object(cell, container, "nothing")), "BlobNotFound");
  EXPECT_EQ(detail_of(delete_object(cell, container, "nothing", {})), "BlobNotFound");
  EXPECT_EQ(detail_of(set_object_headers(cell, container, "nothing", {}, {})), "BlobNotFound");
  EXPECT_EQ(detail_of(get_object(cell, container, "")), "InvalidResourceName");
  EXPECT_EQ(detail_of(put(std::string(2'401, 'x'))), "InvalidResourceName");
  EXPECT_EQ(detail_of(set_object_metadata(cell, container, "a", {{"k", std::string(kMetadataBytesMax, 'v')}}, {})),
            "MetadataTooLarge");
  PublishObject request;
  request.container = {kTenant, {999'999}};
  request.name = "a";
  request.gen = inline_gen("x");
  EXPECT_EQ(detail_of(publish_object(cell, std::move(request))), "ContainerNotFound");
}

TEST_P(Objects, LongestNameWithLargestMetadataFits) {
  PublishObject request;
  request.container = container;
  request.name = std::string(keys::kNameBytesMax, 'n');
  request.gen = inline_gen(std::string(kInlineBytesMax, 'i'));
  request.metadata = {{"k", std::string(kMetadataBytesMax - 1, 'v')}};
  must(publish_object(cell, std::move(request)));
}

TEST_P(Objects, EveryChangeOfANameIsInTheFeedOnce) {
  const std::size_t before = rows_of(kv::table_prefix(kv::Table::kFeed)).size();
  must(put("a"));
  must(put("a"));
  must(set_object_metadata(cell, container, "a", {}, {}));
  must(delete_object(cell, container, "a", {}));
  std::vector<FeedKind> kinds;
  auto rows = rows_of(kv::table_prefix(kv::Table::kFeed));
  std::sort(rows.begin(), rows.end(), [](const kv::Row& a, const kv::Row& b) {
    return keys::id_of_feed(a.key)->stamp < keys::id_of_feed(b.key)->stamp;
  });
  for (const kv::Row& row : rows) {
    const auto record = decode_feed_record(row.value);
    ASSERT_TRUE(record.ok());
    if (!record->object) continue;
    EXPECT_EQ(record->name, "a");
    EXPECT_EQ(keys::id_of_feed(row.key)->shard, keys::shard_of(record->object.value));
    kinds.push_back(record->kind);
  }
  EXPECT_EQ(rows.size(), before + 4);
  EXPECT_EQ(kinds, (std::vector{FeedKind::kObjectCreated, FeedKind::kObjectCreated, FeedKind::kObjectChanged,
                                FeedKind::kObjectDeleted}));

  const Stamp last = keys::id_of_feed(rows.back().key)->stamp;
  for (unsigned shard = 0; shard < kFeedShards; ++shard) {
    const BatchEnd trimmed = must(trim_feed(cell, shard, last));
    EXPECT_EQ(trimmed.progress, Progress::kDone);
    EXPECT_EQ(must(trim_feed(cell, shard, Stamp{last.micros - 1}, trimmed.next)).progress, Progress::kDone);
  }
  const auto kept = rows_of(kv::table_prefix(kv::Table::kFeed));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].key, rows.back().key);
}

TEST_P(Objects, NoneOfManyChangesIsMissingInTheFeed) {
  constexpr int kChanges = 64;
  const std::size_t before = rows_of(kv::table_prefix(kv::Table::kFeed)).size();
  std::set<Stamp> changed, told;
  for (int n = 0; n < kChanges; ++n) changed.insert(must(put("a" + std::to_string(n % 3))).etag_stamp);
  const auto rows = rows_of(kv::table_prefix(kv::Table::kFeed));
  EXPECT_EQ(rows.size(), before + kChanges);
  for (const kv::Row& row : rows) told.insert(keys::id_of_feed(row.key)->stamp);
  EXPECT_TRUE(std::includes(told.begin(), told.end(), changed.begin(), changed.end()));
}

TEST_P(Objects, StagedGenOfManyBatchesIsFlippedLive) {
  NewGen source;
  source.origin = GenOrigin::kStaged;
  source.gen.id = must(ids.next_id<GenId>());
  source.gen.shape = GenShape::kRuns;
  must(create_gen(cell, kTenant, source.gen.id, GenShape::kRuns));
  for (std::uint64_t batch = 0; batch < 3; ++batch) {
    std::vector<meta::Run> runs;
    for (std::uint64_t i = 0; i < kRunsPerBatchMax; ++i) {
      runs.push_back(run_at(source.gen.id, (batch * kRunsPerBatchMax + i) * kRunBytesMax, kRunBytesMax, {4}));
    }
    must(add_runs(cell, kTenant, source.gen.id, std::move(runs)));
  }
  source.gen.length = 3 * kRunsPerBatchMax * kRunBytesMax + 7;
  source.runs.push_back(run_at(source.gen.id, source.gen.length - 7, 7, {4}));
  const std::uint64_t length = source.gen.length;
  const Object object = must(put("big", std::move(source)));
  EXPECT_EQ(object.length, length);
  EXPECT_EQ(live_bytes({4}), static_cast<std::int64_t>(length));
  const auto plan = must(plan_read(cell, kTenant, object.gen, {.offset = length - 8, .length = 8}));
  ASSERT_EQ(plan->pieces.size(), 2u);
  EXPECT_EQ(plan->pieces[0].skip, kRunBytesMax - 1);
  EXPECT_EQ(plan->pieces[1].length, 7u);
  collect();  // the intent's candidate goes, the gen stays
  EXPECT_TRUE(candidates().empty());
  EXPECT_EQ(live_bytes({4}), static_cast<std::int64_t>(length));
  must(delete_object(cell, container, "big", {}));
  collect();
  EXPECT_EQ(live_bytes({4}), 0);
  EXPECT_TRUE(rows_of(keys::runs(kTenant, object.gen)).empty());
}

}  // namespace
}  // namespace tombolo::meta
