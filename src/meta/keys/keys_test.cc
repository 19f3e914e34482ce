#include "meta/keys/keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "kv/kv.h"

namespace tombolo::meta {
namespace {

constexpr ContainerKey kContainer{{7}, {9}};

/// A name full of the bytes that escaping and ordering are about.
std::string odd_name(SeededRandom& random, std::size_t length_max) {
  constexpr std::string_view kBytes("\0\0\x01/ab%\x7f\xc3\xff\xff", 11);
  std::string name;
  const std::uint64_t length = random.below(length_max + 1);
  for (std::uint64_t i = 0; i < length; ++i) name += kBytes[random.below(kBytes.size())];
  return name;
}

TEST(Keys, OrderOfKeysIsOrderOfNames) {
  SeededRandom random(20261121);
  for (int i = 0; i < 20'000; ++i) {
    const std::string a = odd_name(random, 6), b = odd_name(random, 6);
    EXPECT_EQ(a < b, keys::object(kContainer, a) < keys::object(kContainer, b));
    EXPECT_EQ(a < b, keys::container_name("acc", a) < keys::container_name("acc", b));
    if (a != b) {
      EXPECT_EQ(a < b, keys::upload_head(kContainer, a, {5}) < keys::upload_head(kContainer, b, {4}));
      EXPECT_EQ(a < b, keys::native_key({7}, a, "z") < keys::native_key({7}, b, "a"));
      EXPECT_EQ(a < b, keys::container_name(a, "z") < keys::container_name(b, "a"));
    }
  }
}

TEST(Keys, NamesComeBack) {
  SeededRandom random(3);
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = odd_name(random, 40), other = odd_name(random, 10);
    EXPECT_EQ(*keys::name_of_object(keys::object(kContainer, name)), name);
    const auto head = keys::name_of_upload_head(keys::upload_head(kContainer, name, {77}));
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->name, name);
    EXPECT_EQ(head->slot, UploadId{77});
    EXPECT_EQ(*keys::name_of_container(keys::container_name(other, name), other), name);
    EXPECT_EQ(*keys::name_of_global(keys::account(name)), name);
    EXPECT_EQ(*keys::name_of_global(keys::remote(name)), name);
    const auto native = keys::name_of_native(keys::native_key({1}, other, name));
    ASSERT_TRUE(native.ok());
    EXPECT_EQ(native->remote, other);
    EXPECT_EQ(native->key, name);
    const auto block = keys::id_of_staged_block(keys::staged_block(kContainer, {8}, name));
    ASSERT_TRUE(block.ok());
    EXPECT_EQ(block->upload, UploadId{8});
    EXPECT_EQ(block->block_id, name);
  }
  EXPECT_FALSE(keys::id_of_staged_block(keys::staged_block_count(kContainer, {8}))->block_id.has_value());
}

TEST(Keys, NumbersComeBackInOrder) {
  SeededRandom random(4);
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t a = random.next64() >> random.below(64), b = random.next64() >> random.below(64);
    EXPECT_EQ(a < b, keys::run({1}, {5}, a) < keys::run({1}, {5}, b));
    if (a != b) {
      EXPECT_EQ(a < b, keys::slice({1}, {a}, 3) < keys::slice({1}, {b}, 2));
    }
    EXPECT_EQ(keys::offset_of(keys::run({1}, {a}, b))->offset, b);
    EXPECT_EQ(keys::offset_of(keys::slice({1}, {a}, b))->gen, GenId{a});
    EXPECT_EQ(keys::ends_of_edge(keys::edge({1}, {a}, {b}))->gen, GenId{a});
    EXPECT_EQ(keys::ends_of_edge(keys::edge({1}, {a}, {b}))->holder, HolderId{b});
    EXPECT_EQ(*keys::id_of_tenant(keys::tenant({a})), TenantId{a});
    const auto candidate =
        keys::id_of_candidate(keys::candidate({.shard = 3, .queued = {a}, .id = b, .kind = CandidateKind::kNative}));
    ASSERT_TRUE(candidate.ok());
    EXPECT_EQ(candidate->shard, 3u);
    EXPECT_EQ(candidate->queued, Stamp{a});
    EXPECT_EQ(candidate->id, b);
    const auto feed = keys::id_of_feed(keys::feed(15, a, {b}));
    ASSERT_TRUE(feed.ok());
    EXPECT_EQ(feed->shard, 15u);
    EXPECT_EQ(feed->epoch, a);
    EXPECT_EQ(feed->stamp, Stamp{b});
  }
}

TEST(Keys, PrefixesSelectExactlyTheNamesThatBeginWithThem) {
  SeededRandom random(5);
  for (int i = 0; i < 5'000; ++i) {
    const std::string prefix = odd_name(random, 2), name = odd_name(random, 5);
    const std::string begin = keys::objects(kContainer, prefix), end = kv::prefix_end(begin);
    const std::string key = keys::object(kContainer, name);
    EXPECT_EQ(name.starts_with(prefix), begin <= key && key < end);
  }
}

TEST(Keys, TheLongestNameFitsEveryTableAndALongerOneIsRefused) {
  const std::string plain(keys::kNameBytesMax, 'x'), zeros(keys::kNameBytesMax / 2, '\0');
  for (const std::string& name : {plain, zeros}) {
    EXPECT_TRUE(keys::check_name(name).ok());
    EXPECT_LE(keys::object(kContainer, name).size(), kv::kKeyBytesMax);
    EXPECT_LE(keys::upload_head(kContainer, name, {1}).size(), kv::kKeyBytesMax);
    EXPECT_LE(keys::native_key({1}, std::string(64, 'r'), name).size(), kv::kKeyBytesMax);
    EXPECT_EQ(keys::check_name(name + '\0').error().detail, "InvalidResourceName");
  }
  EXPECT_EQ(keys::check_name("").error().code, Code::kInvalid);
  EXPECT_EQ(keys::check_name("a\xff").error().code, Code::kInvalid);
}

TEST(Keys, MalformedKeysAreCorruptNeverRead) {
  const std::vector<std::string> good = {
      keys::object(kContainer, "a"),
      keys::upload_head(kContainer, "a"),
      keys::run({1}, {2}, 3),
      keys::edge({1}, {2}, {3}),
      keys::native_key({1}, "r", "k"),
      keys::staged_block(kContainer, {1}, "b"),
      keys::candidate({.shard = 1, .queued = {2}, .id = 3}),
      keys::feed(1, 2, {3}),
      keys::tenant({1}),
  };
  for (const std::string& key : good) {
    for (std::size_t cut = 0; cut < std::min<std::size_t>(key.size(), 18); ++cut) {
      const std::string_view text = std::string_view(key).substr(0, cut);
      EXPECT_FALSE(keys::name_of_object(text).ok());
      EXPECT_FALSE(keys::name_of_upload_head(text).ok());
      EXPECT_FALSE(keys::offset_of(text).ok());
      EXPECT_FALSE(keys::ends_of_edge(text).ok());
      EXPECT_FALSE(keys::name_of_native(text).ok());
      EXPECT_FALSE(keys::id_of_staged_block(text).ok());
      EXPECT_FALSE(keys::id_of_candidate(text).ok() && cut < 20);
      EXPECT_FALSE(keys::id_of_feed(text).ok() && cut < 19);
    }
  }
  EXPECT_FALSE(keys::name_of_object(keys::object(kContainer, "a") + '\0').ok());
  EXPECT_FALSE(keys::unescape(std::string_view("a\0b", 3)).has_value());
}

TEST(Keys, NamesAreGuardedByTheirContainerAndBytesByNothing) {
  const std::string guard = keys::container(kContainer);
  for (const std::string& key :
       {keys::object(kContainer, "a"), keys::upload_head(kContainer, "a"), keys::staged_block(kContainer, {1}, "b"),
        keys::staged_block_count(kContainer, {1}), keys::usage(kContainer, keys::Metric::kBytes, 3), guard}) {
    EXPECT_EQ(keys::guard_of(key), guard);
    EXPECT_TRUE(key.starts_with(keys::container_rows(kContainer)));
  }
  for (const std::string& key : {keys::gen({7}, {1}), keys::run({7}, {1}, 0), keys::edge({7}, {1}, {2}),
                                 keys::feed(1, 1, {1}), keys::container_name("a", "b"), keys::tenant({1})}) {
    EXPECT_EQ(keys::guard_of(key), std::nullopt);
  }
}

// One key of each table, byte for byte: constants on disk never change (docs/formats/keys.md).
TEST(Keys, GoldenBytes) {
  const auto hex = [](const std::string& key) { return hex_encode(as_bytes(key)); };
  const std::string data = "4400000000000000070000000000000009", bytes = "4400000000000000070000000000000000";
  EXPECT_EQ(hex(keys::tenant({7})), "47540000000000000007");
  EXPECT_EQ(hex(keys::account("ab")), "47416162");
  EXPECT_EQ(hex(keys::remote("ab")), "47526162");
  EXPECT_EQ(hex(keys::service_properties("ab")), "47506162");
  EXPECT_EQ(hex(keys::container_name("a", "b")), "474e61000062");
  EXPECT_EQ(hex(keys::container(kContainer)), data + "63");
  EXPECT_EQ(hex(keys::object(kContainer, std::string_view("a\0b", 3))), data + "6f0000000000000001" + "6100ff62");
  EXPECT_EQ(hex(keys::upload_head(kContainer, "a", {2})), data + "550000000000000001" + "610000" + "0000000000000002");
  EXPECT_EQ(hex(keys::staged_block(kContainer, {3}, "id")), data + "750000000000000003" + "62" + "6964");
  EXPECT_EQ(hex(keys::staged_block_count(kContainer, {3})), data + "750000000000000003" + "6e");
  EXPECT_EQ(hex(keys::usage(kContainer, keys::Metric::kBytes, 15)), data + "71" + "020f");
  EXPECT_EQ(hex(keys::gen({7}, {5})), bytes + "690000000000000005");
  EXPECT_EQ(hex(keys::run({7}, {5}, 6)), bytes + "6d0000000000000005" + "0000000000000006");
  EXPECT_EQ(hex(keys::slice({7}, {5}, 6)), bytes + "730000000000000005" + "0000000000000006");
  EXPECT_EQ(hex(keys::edge({7}, {5}, {6})), bytes + "720000000000000005" + "0000000000000006");
  EXPECT_EQ(hex(keys::native_key({7}, "r", "k")), bytes + "4b" + "720000" + "6b");
  EXPECT_EQ(hex(keys::feed(15, 1, {2})),
            "43650f"
            "0000000000000001"
            "0000000000000002");
  EXPECT_EQ(hex(keys::candidate({.shard = 1, .queued = {2}, .id = 3, .kind = CandidateKind::kNative})),
            "434701"
            "0000000000000002"
            "01"
            "0000000000000003");
  EXPECT_EQ(hex(keys::purge({.queued = {2}, .kind = PurgeKind::kUpload, .upload = {3}})),
            "4351"
            "0000000000000002"
            "0000000000000003");
}

}  // namespace
}  // namespace tombolo::meta
