// Values of bytes and of the cell's queues.
#include "meta/model/codec.h"
#include "meta/model/codec_parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint8_t kHasNative = 1, kEvicted = 2;

}  // namespace

std::string encode(const Gen& gen) {
  ValueWriter out(1);
  out.enumerated(gen.state);
  out.enumerated(gen.shape);
  out.u8(static_cast<std::uint8_t>((gen.native ? kHasNative : 0) | (gen.evicted ? kEvicted : 0)));
  out.u64(gen.length);
  out.u64(gen.crc64);
  out.stamp(gen.created);
  out.u64(gen.writer_epoch);
  out.stamp(gen.condemned_at);
  out.stamp(gen.tier_stamp);
  if (gen.native) {
    out.text(gen.native->remote);
    out.text(gen.native->key);
    out.text(gen.native->etag);
    out.text(gen.native->version_id);
  }
  out.text(gen.inline_bytes);
  return std::move(out).take();
}

Result<Gen> decode_gen(GenId id, std::string_view value) {
  ValueReader in("gen", 1, value);
  Gen gen{.id = id};
  gen.state = in.enumerated(GenState::kCondemned);
  gen.shape = in.enumerated(GenShape::kSlices);
  const std::uint8_t flags = in.u8();
  in.require((flags & ~(kHasNative | kEvicted)) == 0);
  gen.length = in.u64();
  gen.crc64 = in.u64();
  gen.created = in.stamp();
  gen.writer_epoch = in.u64();
  gen.condemned_at = in.stamp();
  gen.tier_stamp = in.stamp();
  if ((flags & kHasNative) != 0) {
    gen.native.emplace();
    gen.native->remote = in.text();
    gen.native->key = in.text();
    gen.native->etag = in.text();
    gen.native->version_id = in.text();
  }
  gen.evicted = (flags & kEvicted) != 0;
  gen.inline_bytes = in.text();
  in.require(gen.inline_bytes.size() <= kInlineBytesMax);
  in.require(gen.shape == GenShape::kInline || gen.inline_bytes.empty());
  TRY(in.finish());
  return gen;
}

std::string encode(const Run& run) {
  ValueWriter out(1);
  out.u64(run.length);
  out.u8(run.local ? 1 : 0);
  if (run.local) {
    out.u64(run.local->segment.value);
    out.u64(run.local->offset);
  }
  out.u32(static_cast<std::uint32_t>(run.granule_crcs.size()));
  for (const std::uint64_t crc : run.granule_crcs) out.u64(crc);
  return std::move(out).take();
}

Result<Run> decode_run(GenId gen, std::uint64_t offset, std::string_view value) {
  ValueReader in("run", 1, value);
  Run run{.gen = gen, .offset = offset};
  run.length = in.u64();
  if (in.flag()) {
    run.local.emplace();
    run.local->segment = SegmentId{in.u64()};
    run.local->offset = in.u64();
  }
  run.granule_crcs.resize(in.count(8));
  for (std::uint64_t& crc : run.granule_crcs) crc = in.u64();
  in.require(run.length >= 1 && run.length <= kRunBytesMax);
  in.require(run.granule_crcs.size() == (run.length + kGranuleBytes - 1) / kGranuleBytes);
  TRY(in.finish());
  return run;
}

std::string encode(const Slice& slice) {
  ValueWriter out(1);
  out.u64(slice.source.value);
  out.u64(slice.source_offset);
  out.u64(slice.length);
  out.u64(slice.crc64);
  out.text(slice.block_id);
  return std::move(out).take();
}

Result<Slice> decode_slice(std::uint64_t offset, std::string_view value) {
  ValueReader in("slice", 1, value);
  Slice slice{.offset = offset};
  slice.source = GenId{in.u64()};
  slice.source_offset = in.u64();
  slice.length = in.u64();
  slice.crc64 = in.u64();
  slice.block_id = in.text();
  TRY(in.finish());
  return slice;
}

std::string encode_edge() {
  return std::move(ValueWriter(1)).take();
}

std::string encode(const NativeKey& native) {
  ValueWriter out(1);
  out.enumerated(native.state);
  out.u64(native.gen.value);
  out.text(native.nonce);
  out.text(native.etag);
  out.text(native.version_id);
  out.stamp(native.changed);
  return std::move(out).take();
}

Result<NativeKey> decode_native_key(std::string remote, std::string key, std::string_view value) {
  ValueReader in("native key", 1, value);
  NativeKey native{.remote = std::move(remote), .key = std::move(key)};
  native.state = in.enumerated(NativeState::kCondemned);
  native.gen = GenId{in.u64()};
  native.nonce = in.text();
  native.etag = in.text();
  native.version_id = in.text();
  native.changed = in.stamp();
  TRY(in.finish());
  return native;
}

std::string encode(const FeedRecord& record) {
  ValueWriter out(1);
  out.enumerated(record.kind);
  out.u64(record.tenant.value);
  out.u64(record.container.value);
  out.u64(record.object.value);
  out.text(record.name);
  out.text(record.old_name);
  out.stamp(record.version_stamp);
  out.stamp(record.content_stamp);
  out.stamp(record.etag_stamp);
  return std::move(out).take();
}

Result<FeedRecord> decode_feed_record(std::string_view value) {
  ValueReader in("feed record", 1, value);
  FeedRecord record;
  record.kind = in.enumerated(FeedKind::kObjectRenamed);
  in.require(record.kind >= FeedKind::kContainerCreated);
  record.tenant = TenantId{in.u64()};
  record.container = ContainerId{in.u64()};
  record.object = ObjectId{in.u64()};
  record.name = in.text();
  record.old_name = in.text();
  record.version_stamp = in.stamp();
  record.content_stamp = in.stamp();
  record.etag_stamp = in.stamp();
  TRY(in.finish());
  return record;
}

std::string encode(const Candidate& candidate) {
  ValueWriter out(1);
  out.enumerated(candidate.kind);
  out.u64(candidate.tenant.value);
  out.text(candidate.remote);
  out.text(candidate.key);
  return std::move(out).take();
}

Result<Candidate> decode_candidate(Candidate key, std::string_view value) {
  ValueReader in("gc candidate", 1, value);
  key.kind = in.enumerated(CandidateKind::kNative);
  key.tenant = TenantId{in.u64()};
  key.remote = in.text();
  key.key = in.text();
  TRY(in.finish());
  return key;
}

std::string encode(const PurgeEntry& entry) {
  ValueWriter out(1);
  out.enumerated(entry.kind);
  out.u64(entry.tenant.value);
  out.u64(entry.container.value);
  out.u64(entry.upload.value);
  return std::move(out).take();
}

Result<PurgeEntry> decode_purge(Stamp queued, std::string_view value) {
  ValueReader in("purge", 1, value);
  PurgeEntry entry{.queued = queued};
  entry.kind = in.enumerated(PurgeKind::kUpload);
  entry.tenant = TenantId{in.u64()};
  entry.container = ContainerId{in.u64()};
  entry.upload = UploadId{in.u64()};
  TRY(in.finish());
  return entry;
}

}  // namespace tombolo::meta
