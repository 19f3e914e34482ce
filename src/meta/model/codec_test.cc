#include "meta/model/codec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>

#include "base/encoding.h"
#include "base/endian.h"
#include "base/random.h"

namespace tombolo::meta {
namespace {

Object sample_object() {
  Object object;
  object.name = "n";
  object.id = {1};
  object.holder = {2};
  object.gen = {3};
  object.kind = ObjectKind::kAppend;
  object.length = 4;
  object.crc64 = 5;
  object.created = {6};
  object.version_stamp = {7};
  object.content_stamp = {8};
  object.etag_stamp = {9};
  object.metageneration = 10;
  object.headers.content_type = "t";
  object.headers.content_encoding = "e";
  object.headers.content_language = "l";
  object.headers.content_disposition = "d";
  object.headers.cache_control = "c";
  object.headers.content_md5.emplace().fill(std::byte{0xab});
  object.metadata = {{"k", "v"}};
  return object;
}

Gen sample_gen() {
  Gen gen;
  gen.id = {1};
  gen.state = GenState::kLive;
  gen.shape = GenShape::kInline;
  gen.length = 2;
  gen.crc64 = 3;
  gen.inline_bytes = "hi";
  gen.native = NativePlace{.remote = "r", .key = "k", .etag = "e", .version_id = "v"};
  gen.evicted = true;
  gen.condemned_at = {4};
  gen.created = {5};
  gen.writer_epoch = 6;
  gen.tier_stamp = {7};
  return gen;
}

Run sample_run() {
  Run run;
  run.gen = {1};
  run.offset = 2;
  run.length = kGranuleBytes + 1;
  run.granule_crcs = {3, 4};
  run.local = LocalPlace{{5}, 6};
  return run;
}

UploadHead sample_head() {
  UploadHead head;
  head.id = {1};
  head.state = UploadState::kSealed;
  head.block_id_length = 2;
  head.created = {3};
  head.touched = {4};
  head.seal_epoch = 5;
  head.seal_id = 6;
  head.sealed_at = {7};
  return head;
}

struct Sample {
  const char* name;
  std::string value;                                                 // encoded now
  std::string golden;                                                // hex, as documented in docs/formats/values.md
  std::function<Result<std::string>(std::string_view value)> again;  // decoded and encoded
};

/// Decodes with `decode` and encodes what came.
template <class Decode>
auto again(Decode decode) {
  return [decode](std::string_view value) -> Result<std::string> {
    TRY_ASSIGN(const auto record, decode(value));
    return encode(record);
  };
}

std::string u64(std::uint64_t value) {
  std::string raw(8, '\0');
  store_le(raw.data(), value);
  return hex_encode(as_bytes(raw));
}
std::string u32(std::uint32_t value) {
  std::string raw(4, '\0');
  store_le(raw.data(), value);
  return hex_encode(as_bytes(raw));
}
std::string text(std::string_view value) {
  return u32(static_cast<std::uint32_t>(value.size())) + hex_encode(as_bytes(value));
}

std::vector<Sample> samples() {
  std::vector<Sample> out;
  const Tenant tenant{.id = {1}, .name = "t", .created = {2}};
  out.push_back({"tenant", encode(tenant), "01" + text("t") + u64(2),
                 again([](std::string_view v) { return decode_tenant({1}, v); })});
  const Account account{.name = "a", .tenant = {1}, .created = {2}, .changed = {3}, .sealed_keys = "s"};
  out.push_back({"account", encode(account), "01" + u64(1) + u64(2) + u64(3) + text("s"),
                 again([](std::string_view v) { return decode_account("a", v); })});
  const ServiceProperties properties{.changed = {1}, .document = "d"};
  out.push_back({"service properties", encode(properties), "01" + u64(1) + text("d"),
                 again([](std::string_view v) { return decode_service_properties(v); })});
  RemoteConfig remote;
  remote.tenant = {1};
  remote.kind = "k";
  remote.endpoint = "e";
  remote.bucket = "b";
  remote.prefix = "p/";
  remote.created = {2};
  remote.changed = {3};
  remote.sealed_secret = "s";
  remote.options = "o";
  out.push_back(
      {"remote", encode(remote),
       "01" + u64(1) + text("k") + text("e") + text("b") + text("p/") + u64(2) + u64(3) + text("s") + text("o"),
       again([](std::string_view v) { return decode_remote("r", v); })});
  out.push_back({"container name", encode(ContainerKey{{1}, {2}}), "01" + u64(1) + u64(2),
                 again([](std::string_view v) { return decode_container_link(v); })});
  Container container;
  container.account = "a";
  container.name = "n";
  container.mode = Mode::kHns;
  container.state = ContainerState::kDeleting;
  container.created = {1};
  container.etag_stamp = {2};
  container.native_remote = "r";
  container.metadata = {{"k", "v"}};
  out.push_back({"container", encode(container),
                 "01" + text("a") + text("n") + "0101" + u64(1) + u64(2) + text("r") + u32(1) + text("k") + text("v"),
                 again([](std::string_view v) { return decode_container({}, v); })});
  std::string object = "01" + u64(1) + u64(2) + u64(3) + "01";
  for (const std::uint64_t field : {4, 5, 6, 7, 8, 9, 10}) object += u64(field);
  object += "01abababababababababababababababab";
  for (const char* header : {"t", "e", "l", "d", "c"}) object += text(header);
  object += u32(1) + text("k") + text("v");
  out.push_back(
      {"object", encode(sample_object()), object, again([](std::string_view v) { return decode_object("n", v); })});
  out.push_back({"upload head", encode(sample_head()),
                 "01" + u64(1) + "01" + u32(2) + u64(3) + u64(4) + u64(5) + u64(6) + u64(7),
                 again([](std::string_view v) { return decode_upload_head(v); })});
  const StagedBlockRow block{.block_id = "b", .gen = {1}, .length = 2, .crc64 = 3, .staged = {4}};
  out.push_back({"staged block", encode(block), "01" + u64(1) + u64(2) + u64(3) + u64(4),
                 again([](std::string_view v) { return decode_staged_block("b", v); })});
  out.push_back({"gen", encode(sample_gen()),
                 "01010003" + u64(2) + u64(3) + u64(5) + u64(6) + u64(4) + u64(7) + text("r") + text("k") + text("e") +
                     text("v") + text("hi"),
                 again([](std::string_view v) { return decode_gen({1}, v); })});
  out.push_back({"run", encode(sample_run()),
                 "01" + u64(kGranuleBytes + 1) + "01" + u64(5) + u64(6) + u32(2) + u64(3) + u64(4),
                 again([](std::string_view v) { return decode_run({1}, 2, v); })});
  const Slice slice{.offset = 1, .source = {2}, .source_offset = 3, .length = 4, .crc64 = 5, .block_id = "b"};
  out.push_back({"slice", encode(slice), "01" + u64(2) + u64(3) + u64(4) + u64(5) + text("b"),
                 again([](std::string_view v) { return decode_slice(1, v); })});
  NativeKey native;
  native.state = NativeState::kLive;
  native.gen = {1};
  native.nonce = "n";
  native.etag = "e";
  native.version_id = "v";
  native.changed = {2};
  out.push_back({"native key", encode(native), "0101" + u64(1) + text("n") + text("e") + text("v") + u64(2),
                 again([](std::string_view v) { return decode_native_key("r", "k", v); })});
  FeedRecord record;
  record.kind = FeedKind::kObjectRenamed;
  record.tenant = {1};
  record.container = {2};
  record.object = {3};
  record.name = "n";
  record.old_name = "o";
  record.version_stamp = {4};
  record.content_stamp = {5};
  record.etag_stamp = {6};
  out.push_back({"feed record", encode(record),
                 "0107" + u64(1) + u64(2) + u64(3) + text("n") + text("o") + u64(4) + u64(5) + u64(6),
                 again([](std::string_view v) { return decode_feed_record(v); })});
  Candidate candidate;
  candidate.kind = CandidateKind::kNative;
  candidate.tenant = {1};
  candidate.remote = "r";
  candidate.key = "k";
  out.push_back({"gc candidate", encode(candidate), "0101" + u64(1) + text("r") + text("k"),
                 again([](std::string_view v) { return decode_candidate({}, v); })});
  const PurgeEntry purge{.kind = PurgeKind::kUpload, .tenant = {1}, .container = {2}, .upload = {3}};
  out.push_back({"purge", encode(purge), "0101" + u64(1) + u64(2) + u64(3),
                 again([](std::string_view v) { return decode_purge({9}, v); })});
  return out;
}

TEST(Codec, GoldenBytes) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    EXPECT_EQ(hex_encode(as_bytes(sample.value)), sample.golden);
  }
  EXPECT_EQ(encode_edge(), "\x01");
}

// The file is what was written once; the code may change, it may not.
TEST(Codec, TheGoldenFileIsStillReadAndWritten) {
  std::ifstream file(META_GOLDEN_DIRECTORY "/meta-values-1.txt");
  ASSERT_TRUE(file.good());
  std::map<std::string, std::string> golden;
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.rfind(' ');
    golden[line.substr(0, at)] = line.substr(at + 1);
  }
  EXPECT_EQ(golden.size(), samples().size());
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    const auto value = hex_decode(golden[sample.name]);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(sample.value, as_text(*value));
    const auto again = sample.again(as_text(*value));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, as_text(*value));
  }
}

TEST(Codec, ValuesComeBack) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    const auto again = sample.again(sample.value);
    ASSERT_TRUE(again.ok()) << to_string(again.error());
    EXPECT_EQ(*again, sample.value);
  }
}

TEST(Codec, CutOrLengthenedValuesAreCorrupt) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    for (std::size_t cut = 0; cut < sample.value.size(); ++cut) {
      const auto result = sample.again(std::string_view(sample.value).substr(0, cut));
      ASSERT_FALSE(result.ok());
      EXPECT_EQ(result.error().code, Code::kCorrupt);
    }
    EXPECT_EQ(sample.again(sample.value + '\0').error().code, Code::kCorrupt);
  }
}

TEST(Codec, ANewerLayoutIsNamedNotGuessed) {
  for (const Sample& sample : samples()) {
    std::string newer = sample.value;
    newer[0] = 2;
    newer += "fields of the future";
    const auto result = sample.again(newer);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::kUnsupported);
    EXPECT_NE(result.error().message.find(sample.name), std::string::npos) << result.error().message;
    newer[0] = 0;
    EXPECT_EQ(sample.again(newer).error().code, Code::kCorrupt);
  }
}

TEST(Codec, SenselessNumbersAreCorrupt) {
  const auto bad = [](std::string value, std::size_t at, char byte) {
    value[at] = byte;
    return value;
  };
  EXPECT_FALSE(decode_gen({1}, bad(encode(sample_gen()), 1, 3)).ok());     // state
  EXPECT_FALSE(decode_gen({1}, bad(encode(sample_gen()), 2, 9)).ok());     // shape
  EXPECT_FALSE(decode_gen({1}, bad(encode(sample_gen()), 2, 1)).ok());     // runs with inline bytes
  EXPECT_FALSE(decode_gen({1}, bad(encode(sample_gen()), 3, 7)).ok());     // flags
  EXPECT_FALSE(decode_run({1}, 0, bad(encode(sample_run()), 1, 0)).ok());  // one granule, two checksums
  EXPECT_FALSE(decode_upload_head(bad(encode(sample_head()), 9, 2)).ok());
}

// Whatever the bytes, a decoder answers; it never reads past them nor asks for much memory.
TEST(Codec, RandomDamageIsSurvived) {
  SeededRandom random(11);
  for (const Sample& sample : samples()) {
    for (int i = 0; i < 2'000; ++i) {
      std::string value = sample.value;
      for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
        value[random.below(value.size())] = static_cast<char>(random.below(256));
      }
      const auto result = sample.again(value);
      if (result.ok()) {
        EXPECT_EQ(*result, value);
      }
    }
  }
}

}  // namespace
}  // namespace tombolo::meta
