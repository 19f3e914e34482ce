#include "meta/ops/list_objects.h"

#include <set>

#include "meta/model/codec.h"
#include "meta/ops/cell_test_fixture.h"
#include "meta/ops/list_bytes.h"

namespace tombolo::meta {
namespace {

class ListObjects : public CellTest {
 protected:
  /// "a" for an object, "a?" for an uncommitted name, "a*" for a prefix.
  static std::string show(const ObjectEntry& entry) {
    EXPECT_EQ(entry.object.has_value() + entry.uncommitted_name.has_value() + entry.prefix.has_value(), 1);
    if (entry.object) return entry.object->name;
    return entry.prefix ? *entry.prefix + "*" : *entry.uncommitted_name + "?";
  }
  std::vector<std::string> page(ObjectQuery query, std::optional<std::string>* next = nullptr) {
    const ObjectPage page = must(list_objects(cell, container, std::move(query)));
    std::vector<std::string> out;
    for (const ObjectEntry& entry : page.entries) out.push_back(show(entry));
    if (next != nullptr) *next = page.next;
    return out;
  }
  /// All pages of `limit`, checking that every page but the last is full.
  std::vector<std::string> all(ObjectQuery query) {
    std::vector<std::string> out;
    std::optional<std::string> next = query.start_after;
    while (next) {
      query.start_after = *next;
      const auto entries = page(query, &next);
      if (next) {
        EXPECT_EQ(entries.size(), query.limit);
      }
      out.insert(out.end(), entries.begin(), entries.end());
    }
    return out;
  }
  void put_all(const std::vector<std::string>& names) {
    for (const std::string& name : names) must(put(name, ""));
  }
  using Names = std::vector<std::string>;
};
TOMBOLO_CELL_TESTS(ListObjects);

const std::string kZero("z\0y", 3);

// A client found the container, then it was deleted, then came the listing: what a purge has left is not shown.
TEST_P(ListObjects, OfAContainerThatIsGoingSayThatItIsGone) {
  put_all({"a", "b"});
  must(stage("b", "1", "x"));
  must(delete_container(cell, container, {}));
  EXPECT_EQ(detail_of(list_objects(cell, container, {.of = ListOf::kLiveContainer})), "ContainerNotFound");
  EXPECT_EQ(detail_of(list_blocks(cell, container, "b")), "ContainerNotFound");
  EXPECT_EQ(all({}), (Names{"a", "b"})) << "fsck walks it";
}

TEST_P(ListObjects, FlatIsByteOrderInPagesOfAnySize) {
  const Names names = {"a",        "a%2fb",           "a/b", "a0", "b", std::string("z\0", 2), kZero, "z\x01",
                       "\xc3\xa9", "\xf0\x9f\x98\x80"};
  put_all(names);
  for (std::uint32_t limit = 1; limit < 12; ++limit) EXPECT_EQ(all({.limit = limit}), names);
  EXPECT_EQ(all({.prefix = "a"}), (Names{"a", "a%2fb", "a/b", "a0"}));
  EXPECT_EQ(all({.prefix = std::string("z\0", 2)}), (Names{std::string("z\0", 2), kZero}));
  EXPECT_EQ(all({.start_after = "a/b"}),
            (Names{"a0", "b", std::string("z\0", 2), kZero, "z\x01", "\xc3\xa9", "\xf0\x9f\x98\x80"}));
  EXPECT_EQ(all({.start_after = "a/"})[0], "a/b");
  EXPECT_EQ(all({.start_after = "z"})[0], std::string("z\0", 2));
  EXPECT_EQ(all({.prefix = "b", .start_after = "a"}), Names{"b"});
  EXPECT_EQ(all({.prefix = "a", .start_after = "zz"}), Names{});
  EXPECT_EQ(all({.start_from = "a/b"})[0], "a/b");
  EXPECT_EQ(all({.start_from = "a/bb"})[0], "a0");
  EXPECT_EQ(all({.start_from = std::string("z\0", 2)})[0], std::string("z\0", 2));
  EXPECT_EQ(all({.start_after = "a/b", .start_from = "a/b"})[0], "a0") << "the later of both counts";
  EXPECT_EQ(all({.start_after = "a", .start_from = "a/b"})[0], "a/b");
}

TEST_P(ListObjects, APageEndsBeforeItGrowsTooLarge) {
  constexpr std::size_t kHeaderBytes = 30'000, kObjects = 2 * kListBytesMax / kHeaderBytes;
  for (std::size_t n = 0; n < kObjects; ++n) {
    PublishObject request;
    request.container = container;
    request.name = "name" + std::to_string(100'000 + n);
    request.headers.content_disposition = std::string(kHeaderBytes, '"');
    request.gen = inline_gen("");
    must(publish_object(cell, std::move(request)));
  }
  std::size_t seen = 0, pages = 0;
  for (std::optional<std::string> next = ""; next; ++pages) {
    const std::size_t entries = page({.start_after = *next}, &next).size();
    EXPECT_LE(entries, kListBytesMax / kHeaderBytes + 1);
    EXPECT_GT(entries, 0u);
    seen += entries;
  }
  EXPECT_EQ(seen, kObjects);
  EXPECT_LE(pages, 3u);
}

TEST_P(ListObjects, APageOfOrdinaryNamesIsFull) {
  for (std::size_t n = 0; n < 5'001; ++n) must(put(std::to_string(100'000 + n) + std::string(350, 'n'), ""));
  std::optional<std::string> next;
  EXPECT_EQ(page({}, &next).size(), 5'000u);
  EXPECT_TRUE(next);
}

TEST_P(ListObjects, DelimiterFoldsBehindThePrefix) {
  put_all({"a", "dir/", "dir/x", "dir/y/1", "dir/y/2", "dir/z", "dir0", "dirt/1"});
  for (std::uint32_t limit = 1; limit < 8; ++limit) {
    EXPECT_EQ(all({.delimiter = "/", .limit = limit}), (Names{"a", "dir/*", "dir0", "dirt/*"}));
    EXPECT_EQ(all({.prefix = "dir/", .delimiter = "/", .limit = limit}), (Names{"dir/", "dir/x", "dir/y/*", "dir/z"}));
    EXPECT_EQ(all({.prefix = "dir", .delimiter = "/", .limit = limit}), (Names{"dir/*", "dir0", "dirt/*"}));
    EXPECT_EQ(all({.prefix = "di", .delimiter = "/", .limit = limit}), (Names{"dir/*", "dir0", "dirt/*"}));
    EXPECT_EQ(all({.prefix = "dir/y", .delimiter = "/", .limit = limit}), Names{"dir/y/*"});
  }
}

TEST_P(ListObjects, DelimitersMayBeLongOrOdd) {
  put_all({"a--b--c", "a--d", "a-e", "\xc3\xa9--x", kZero + "--q"});
  EXPECT_EQ(all({.delimiter = "--", .limit = 1}), (Names{"a--*", "a-e", kZero + "--*", "\xc3\xa9--*"}));
  EXPECT_EQ(all({.delimiter = std::string("\0", 1), .limit = 1}),
            (Names{"a--b--c", "a--d", "a-e", std::string("z\0", 2) + "*", "\xc3\xa9--x"}));
  EXPECT_EQ(all({.delimiter = "\xa9", .limit = 2}), (Names{"a--b--c", "a--d", "a-e", kZero + "--q", "\xc3\xa9*"}));
}

TEST_P(ListObjects, NextSurvivesDeletesAndSkipsWhatWasFolded) {
  put_all({"a/1", "a/2", "b", "c/1"});
  std::optional<std::string> next;
  EXPECT_EQ(page({.delimiter = "/", .limit = 1}, &next), Names{"a/*"});
  must(delete_object(cell, container, "a/1", {}));
  must(put("a/3", ""));
  EXPECT_EQ(page({.delimiter = "/", .start_after = *next, .limit = 1}, &next), Names{"b"});
  must(delete_object(cell, container, "b", {}));
  EXPECT_EQ(page({.delimiter = "/", .start_after = *next, .limit = 1}, &next), Names{"c/*"});
  EXPECT_EQ(next, std::nullopt);
}

TEST_P(ListObjects, UncommittedNamesAreMergedInOrder) {
  put_all({"b", "d/1", "f"});
  for (const char* name : {"a", "b", "c", "d/0", "e/1", "g"}) must(stage(name, "id", "x"));
  EXPECT_EQ(all({}), (Names{"b", "d/1", "f"}));
  for (std::uint32_t limit = 1; limit < 9; ++limit) {
    EXPECT_EQ(all({.limit = limit, .include = ListInclude::kUncommitted}),
              (Names{"a?", "b", "c?", "d/0?", "d/1", "e/1?", "f", "g?"}));
    EXPECT_EQ(all({.delimiter = "/", .limit = limit, .include = ListInclude::kUncommitted}),
              (Names{"a?", "b", "c?", "d/*", "e/*", "f", "g?"}));
  }
  for (std::uint32_t limit = 1; limit < 9; ++limit) {
    EXPECT_EQ(all({.start_from = "d/0", .limit = limit, .include = ListInclude::kUncommitted}),
              (Names{"d/0?", "d/1", "e/1?", "f", "g?"}));
    EXPECT_EQ(all({.delimiter = "/", .start_from = "d/1", .limit = limit, .include = ListInclude::kUncommitted}),
              (Names{"d/*", "e/*", "f", "g?"}));
  }
  // A commit holds a name without staged blocks: that is no uncommitted name.
  must(seal_upload(cell, container, "h"));
  EXPECT_EQ(all({.start_after = "f", .include = ListInclude::kUncommitted}), Names{"g?"});
}

// Random trees against the obvious listing.
TEST_P(ListObjects, AgreesWithAModel) {
  SeededRandom dice(99);
  std::set<std::string> names;
  const std::string_view letters("ab/\0", 4);
  while (names.size() < 120) {
    std::string name;
    for (std::uint64_t i = 0, n = 1 + dice.below(6); i < n; ++i) name += letters[dice.below(letters.size())];
    if (names.insert(name).second) must(put(name, ""));
  }
  const auto draw = [&](std::string& to) {
    for (std::uint64_t n = dice.below(4); n > 0; --n) to += letters[dice.below(letters.size())];
  };
  int within = 0, outside = 0, with_marker = 0;
  for (int i = 0; i < 200; ++i) {
    ObjectQuery query;
    draw(query.prefix);
    if (dice.below(3) != 0) query.delimiter = "/";
    if (dice.below(3) != 0) {  // within the prefix, or before or behind it
      if (dice.below(2) != 0) query.start_from = query.prefix;
      draw(query.start_from);
      ++(query.start_from.starts_with(query.prefix) ? within : outside);
    }
    if (dice.below(3) == 0) {
      if (dice.below(2) != 0) query.start_after = query.prefix;
      draw(query.start_after);
      if (!query.start_from.empty() && !query.start_after.empty()) ++with_marker;
    }
    query.limit = static_cast<std::uint32_t>(1 + dice.below(20));
    Names want;
    for (const std::string& name : names) {
      if (!name.starts_with(query.prefix) || name < query.start_from) continue;
      if (!query.start_after.empty() && name <= query.start_after) continue;
      const std::size_t at = query.delimiter.empty() ? name.npos : name.find('/', query.prefix.size());
      const std::string shown = at == name.npos ? name : name.substr(0, at + 1) + "*";
      if (want.empty() || want.back() != shown) want.push_back(shown);
    }
    EXPECT_EQ(all(query), want) << "prefix " << query.prefix << " from " << query.start_from << " behind "
                                << query.start_after << " limit " << query.limit;
  }
  EXPECT_GE(std::min({within, outside, with_marker}), 10);
}

// 3,000 names below one prefix: folding them reads a handful, not all.
TEST(ListObjectsWork, FoldingSkips) {
  struct CountingSnapshot final : kv::Snapshot {
    explicit CountingSnapshot(std::unique_ptr<kv::Snapshot> of, std::size_t& count)
        : inner(std::move(of)), rows(count) {}
    Task<std::optional<std::string>> get(std::string key) override { return inner->get(std::move(key)); }
    Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override {
      return inner->multi_get(std::move(keys));
    }
    Task<kv::RangePage> range(kv::RangeQuery query) override {
      auto page = co_await inner->range(std::move(query));
      if (page.ok()) rows += page->rows.size();
      co_return page;
    }
    std::unique_ptr<kv::Snapshot> inner;
    std::size_t& rows;
  };
  struct CountingEngine final : kv::Engine {
    explicit CountingEngine(Clock& clock) : inner(clock) {}
    kv::Capabilities capabilities() const override { return inner.capabilities(); }
    std::unique_ptr<kv::Snapshot> snapshot() override {
      return std::make_unique<CountingSnapshot>(inner.snapshot(), rows);
    }
    std::unique_ptr<kv::Transaction> begin() override { return inner.begin(); }
    Task<std::vector<kv::LogEntry>> read_log(kv::Sequence after, std::uint32_t limit) override {
      return inner.read_log(after, limit);
    }
    kv::Sequence durable_through() const override { return inner.durable_through(); }
    kv::Sequence committed() const override { return inner.committed(); }
    kv::MemoryEngine inner;
    std::size_t rows = 0;
  };
  ManualClock clock;
  SeededRandom random(1);
  CountingEngine engine(clock);
  Stamper stamper(engine, random, clock);
  IdAllocator ids(engine, random);
  TestLedger ledger;
  HeldSeals seals;
  const Cell cell{engine, random, clock, stamper, ids, ledger, seals};
  const ContainerKey container{{1}, {2}};
  for (int batch = 0; batch < 3; ++batch) {
    const auto txn = engine.begin();
    for (int i = 0; i < 1'000; ++i) {
      txn->put(keys::object(container, "many/" + std::to_string(batch * 1'000 + i)), encode(Object{}));
      if (batch == 0 && i < 100) {
        txn->put(keys::object(container, "other" + std::to_string(i) + "/x"), encode(Object{}));
      }
    }
    ASSERT_TRUE(run_to_end(txn->commit()).ok());
  }
  ObjectQuery query;
  query.delimiter = "/";
  const auto page = run_to_end(list_objects(cell, container, query));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->entries.size(), 101u);
  EXPECT_LE(engine.rows, 250u);
}

}  // namespace
}  // namespace tombolo::meta
