#include "tiering/offload.h"

#include "kv/run.h"
#include "meta/keys/keys.h"
#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "tiering/native_key.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::Lie;
using testing::nothing;
using testing::part;
using testing::Step;
using testing::TierRig;

constexpr std::uint64_t kBig = 9 * kMiB + 12'345;

TEST(Offload, EvictedObjectsReadTheSameInEveryRange) {
  TierRig rig;
  std::map<std::string, Bytes> all;
  for (const auto& [name, size] : std::map<std::string, std::size_t>{
           {"empty", 0}, {"tiny", 100}, {"small", 5'000}, {"medium", kMiB + 3}, {"big", kBig}}) {
    all[name] = rig.noise(size);
    ASSERT_TRUE(rig.put(name, all[name]).ok());
  }
  std::vector<store::BlockChoice> blocks;
  for (const std::string id : {"aaa", "bbb", "ccc"}) {
    const Bytes block = rig.noise(300'000);
    ASSERT_TRUE(rig.stage("blocks", id, block).ok());
    all["blocks"].insert(all["blocks"].end(), block.begin(), block.end());
    blocks.push_back({store::BlockSource::kLatest, id});
  }
  ASSERT_TRUE(rig.commit("blocks", blocks).ok());

  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.state, jobs::JobState::kDone) << job.error;
  EXPECT_EQ(job.progress.objects_total, 6u);
  EXPECT_EQ(job.progress.objects_done, 6u);
  EXPECT_EQ(job.progress.objects_failed, 0u) << job.error;
  EXPECT_EQ(rig.far->memory.puts(), 6u);
  EXPECT_EQ(rig.cold_bytes(), 5'000 + kMiB + 3 + kBig + 900'000);
  for (const auto& [name, bytes] : all) {
    EXPECT_EQ(rig.far->memory.contents("box/" + name), bytes) << name;
    const auto whole = rig.get(name);
    ASSERT_TRUE(whole.ok()) << name << ": " << to_string(whole.error());
    EXPECT_EQ(*whole, bytes) << name;
    const bool in_the_row = bytes.size() <= meta::kInlineBytesMax;
    EXPECT_EQ(rig.readable_locally(name), in_the_row) << name;
    for (const std::uint64_t offset : {0ul, 1ul, 16'383ul, 100'000ul, bytes.size() - 1}) {
      if (offset >= bytes.size()) continue;
      const auto piece = rig.get(name, store::ByteRange{offset, 32'768});
      ASSERT_TRUE(piece.ok());
      EXPECT_EQ(*piece, part(bytes, offset, 32'768)) << name << " from " << offset;
    }
  }
}

TEST(Offload, RunningItAgainSendsNothing) {
  TierRig rig;
  ASSERT_TRUE(rig.put("a", rig.noise(50'000)).ok());
  ASSERT_TRUE(rig.put("b", rig.noise(50'000)).ok());
  EXPECT_EQ(rig.offload(Evict::kNo).progress.objects_done, 2u);
  EXPECT_EQ(rig.cold_bytes(), 0u);
  EXPECT_TRUE(rig.readable_locally("a"));
  const jobs::Job again = rig.offload(Evict::kNo);
  EXPECT_EQ(again.progress.objects_skipped, 2u);
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 2u) << "evicting what is there already is work";
  EXPECT_FALSE(rig.readable_locally("a"));
  EXPECT_EQ(rig.cold_bytes(), 100'000u);
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_skipped, 2u);
  EXPECT_EQ(rig.far->memory.puts(), 2u);
}

TEST(Offload, TakesOnlyThePrefixAndCarriesHeadersAndMetadata) {
  TierRig rig;
  store::PutObject request;
  request.headers.content_type = "text/x-test";
  request.headers.cache_control = "no-cache";
  request.metadata = {{"Colour", "blue"}, {"TOMBOLO_NONCE", "somebody's"}};
  ASSERT_TRUE(rig.put("in/x", rig.noise(10'000), request).ok());
  ASSERT_TRUE(rig.put("out/x", rig.noise(10'000)).ok());
  EXPECT_EQ(rig.offload(Evict::kYes, "in/").progress.objects_done, 1u);
  EXPECT_EQ(rig.far->memory.count(), 1u);
  const auto head = rig.run(rig.far->memory.head("box/in/x"));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->headers.content_type, "text/x-test");
  EXPECT_EQ(head->headers.cache_control, "no-cache");
  EXPECT_EQ(head->headers.content_md5, std::string(as_text(*rig.head("in/x")->headers.content_md5)));
  EXPECT_EQ(head->headers.metadata.at("Colour"), "blue");
  EXPECT_EQ(head->headers.metadata.size(), 2u);
  EXPECT_EQ(nonce_of(head->headers), rig.native_key("box/in/x")->nonce);
}

TEST(Offload, MovesNoStampOfTheObject) {
  TierRig rig;
  ASSERT_TRUE(rig.put("a", rig.noise(50'000)).ok());
  const auto before = rig.head("a");
  rig.offload(Evict::kYes);
  rig.recall();
  const auto after = rig.head("a");
  EXPECT_EQ(before->etag_stamp, after->etag_stamp);
  EXPECT_EQ(before->version_stamp, after->version_stamp);
  EXPECT_EQ(before->content_stamp, after->content_stamp);
}

// --- a client that changes the object at some step

enum class Deed { kOverwrite, kDelete, kSetMetadata };
std::string name_of(Deed deed) {
  return deed == Deed::kOverwrite ? "overwrite" : deed == Deed::kDelete ? "delete" : "set metadata";
}

Task<void> interfere(TierRig& rig, Deed deed, Bytes bytes) {
  if (deed == Deed::kDelete) {
    CO_TRY(rig.store.delete_object(TierRig::object("x"), {}));
  } else if (deed == Deed::kSetMetadata) {
    meta::Metadata metadata{{"new", "1"}};
    CO_TRY(rig.store.set_object_metadata(TierRig::object("x"), std::move(metadata), {}));
  } else {
    store::testing::SteppedSource body(bytes, 100'000);
    store::PutObject request;
    request.length = bytes.size();
    request.body = &body;
    CO_TRY(rig.store.put_object(TierRig::object("x"), std::move(request)));
  }
  co_return Result<void>{};
}

TEST(Offload, AnObjectThatAClientChangesEndsAsTheClientLeftIt) {
  for (const Deed deed : {Deed::kOverwrite, Deed::kDelete, Deed::kSetMetadata}) {
    for (const Step step : {Step::kPut, Step::kAfterPut, Step::kHead, Step::kGet, Step::kAfterGet}) {
      SCOPED_TRACE(name_of(deed) + " at step " + std::to_string(static_cast<int>(step)));
      TierRig rig;
      const Bytes first = rig.noise(70'000), second = rig.noise(90'000);
      ASSERT_TRUE(rig.put("x", first).ok());
      bool done = false;
      rig.far->hook = [&](Step at, std::string) {
        if (at != step || std::exchange(done, true)) return nothing();
        return interfere(rig, deed, second);
      };
      const jobs::Job job = rig.offload(Evict::kYes);
      rig.far->hook = {};
      EXPECT_TRUE(done);
      EXPECT_EQ(job.state, jobs::JobState::kDone);
      EXPECT_EQ(job.progress.objects_failed, 0u) << job.error;
      if (deed == Deed::kDelete) {
        EXPECT_EQ(rig.get("x").error().code, Code::kNotFound);
      } else {
        EXPECT_EQ(*rig.get("x"), deed == Deed::kOverwrite ? second : first);
      }
      if (deed == Deed::kSetMetadata) {
        EXPECT_EQ(job.progress.objects_done, 1u);
        EXPECT_EQ(rig.head("x")->metadata.front().first, "new");
        continue;
      }
      EXPECT_EQ(job.progress.objects_skipped, 1u);
      rig.collect();
      EXPECT_EQ(rig.far->memory.count(), 0u) << "the copy of what is gone goes too";
      EXPECT_FALSE(rig.native_key("box/x").has_value());
      if (deed == Deed::kOverwrite) {
        EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
        EXPECT_EQ(*rig.get("x"), second);
        EXPECT_EQ(rig.far->memory.contents("box/x"), second);
      }
    }
  }
}

TEST(Offload, AnOverwrittenObjectGetsItsKeyOnceTheOldBytesAreDead) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(70'000)).ok());
  rig.offload(Evict::kYes);
  const Bytes second = rig.noise(80'000);
  ASSERT_TRUE(rig.put("x", second).ok());
  const jobs::Job early = rig.offload(Evict::kYes);
  EXPECT_EQ(early.progress.objects_failed, 1u) << "the key is the old gen's only place, and it may have readers";
  EXPECT_NE(early.error.find("again later"), std::string::npos) << early.error;
  CollectorOptions options = testing::at_once();
  options.remote_grace = std::chrono::hours(1);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  while (*rig.run(collector.pass())) {
  }
  EXPECT_EQ(rig.far->memory.count(), 1u);
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
  EXPECT_EQ(rig.far->memory.contents("box/x"), second);
  rig.collect();
  EXPECT_EQ(*rig.get("x"), second);
}

// --- what is in the remote already

TEST(Offload, AnObjectThatTomboloDidNotWriteIsNeverOverwritten) {
  TierRig rig;
  const Bytes theirs = rig.noise(123), ours = rig.noise(50'000);
  rig.far->memory.replace("box/x", theirs);
  ASSERT_TRUE(rig.put("x", ours).ok());
  ASSERT_TRUE(rig.put("y", ours).ok());
  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.state, jobs::JobState::kDone);
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_EQ(job.progress.objects_done, 1u);
  EXPECT_NE(job.error.find("box/x"), std::string::npos) << job.error;
  EXPECT_NE(job.error.find("did not write"), std::string::npos) << job.error;
  EXPECT_EQ(rig.far->memory.contents("box/x"), theirs);
  EXPECT_TRUE(rig.readable_locally("x"));
  rig.remove("x");
  rig.collect();
  EXPECT_EQ(rig.far->memory.contents("box/x"), theirs) << "and not deleted either";
}

TEST(Offload, NobodyIsToldToMoveAwayWhatTomboloWroteForAnotherObject) {
  TierRig rig;
  remote::PutRequest request;
  request.key = "box/x";
  request.size = 100;
  const Bytes bytes = rig.noise(100);
  request.crc64 = crc64(bytes);
  request.headers.metadata.emplace(kNonceField, "0123456789abcdef.0123456789abcdef");
  ASSERT_TRUE(rig.run(rig.far->memory.put(std::move(request), remote::body_of(Block(Bytes(bytes))))).ok());
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_NE(job.error.find("was written by tombolo, for another object"), std::string::npos) << job.error;
  EXPECT_EQ(job.error.find("move it away"), std::string::npos) << job.error;
  EXPECT_EQ(rig.far->memory.contents("box/x"), bytes);
}

TEST(Offload, AKeyOfAnotherLiveObjectIsNotTaken) {
  TierRig rig;
  store::ContainerRef twin = TierRig::box();
  twin.account = "other";
  ASSERT_TRUE(rig.run(rig.store.create_container(twin, {})).ok());
  const Bytes ours = rig.noise(50'000), theirs = rig.noise(60'000);
  ASSERT_TRUE(rig.put("x", ours).ok());
  store::testing::SteppedSource body(theirs, 100'000);
  store::PutObject request;
  request.length = theirs.size();
  request.body = &body;
  ASSERT_TRUE(rig.run(rig.store.put_object({twin, "x"}, std::move(request))).ok());
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
  OffloadSpec spec;
  spec.container = twin;
  spec.remote = "far";
  spec.evict = Evict::kYes;
  const jobs::Job job = rig.wait(*rig.run(submit_offload(*rig.scheduler, rig.services, spec)));
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_NE(job.error.find("another object"), std::string::npos) << job.error;
  EXPECT_EQ(*rig.get("x"), ours);
}

Task<void> overwrite_block(kv::Transaction& txn, meta::ContainerKey container, UploadId upload) {
  CO_TRY(txn.guard_shared(meta::keys::container(container)));
  txn.put(meta::keys::staged_block(container, upload, "aaa"), "rubbish");
  co_return Result<void>{};
}

TEST(Offload, AnUploadThatCannotBePurgedKeepsNoOtherObjectOnFlash) {
  TierRig rig;
  ASSERT_TRUE(rig.stage("broken", "aaa", rig.noise(50'000)).ok());
  const auto container = rig.run(store::find_container(rig.services.cell, TierRig::box()));
  ASSERT_TRUE(container.ok());
  const auto uploads = rig.run(meta::list_uploads(rig.services.cell, *container, "", 1));
  const UploadId upload = uploads->front().head.id;
  auto damage = [&](kv::Transaction& txn) { return overwrite_block(txn, *container, upload); };
  ASSERT_TRUE(rig.run(kv::run(rig.engine, rig.random, damage)).ok());
  rig.remove("broken");
  ASSERT_TRUE(rig.stage("x", "aaa", rig.noise(50'000)).ok());
  ASSERT_TRUE(rig.commit("x", {{store::BlockSource::kLatest, "aaa"}}).ok());
  EXPECT_EQ(rig.offload(Evict::kYes, "x").progress.objects_failed, 0u);
  EXPECT_FALSE(rig.readable_locally("x"));
}

TEST(Offload, TwoJobsOnTheSameObjectsSendEachOnce) {
  TierRig rig;
  for (int n = 0; n < 20; ++n) ASSERT_TRUE(rig.put("x" + std::to_string(n), rig.noise(20'000)).ok());
  OffloadSpec spec;
  spec.container = TierRig::box();
  spec.remote = "far";
  spec.evict = Evict::kYes;
  const auto first = rig.run(submit_offload(*rig.scheduler, rig.services, spec));
  const auto second = rig.run(submit_offload(*rig.scheduler, rig.services, spec));
  EXPECT_EQ(rig.wait(*first).progress.objects_failed, 0u);
  EXPECT_EQ(rig.wait(*second).progress.objects_failed, 0u);
  EXPECT_EQ(rig.far->memory.puts(), 20u);
  for (int n = 0; n < 20; ++n) EXPECT_FALSE(rig.readable_locally("x" + std::to_string(n)));
}

TEST(Offload, AChangeOutsideIsAnErrorOfReadingNeverOtherBytes) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  rig.far->memory.replace("box/x", rig.noise(50'000));
  const auto read = rig.get("x");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::kChangedOutside);
}

// --- a remote that lies

TEST(Offload, NothingIsEvictedWhoseCopyWasChangedOutsideSince) {
  for (const bool gone : {false, true}) {
    TierRig rig;
    const Bytes bytes = rig.noise(50'000);
    ASSERT_TRUE(rig.put("a", bytes).ok());
    ASSERT_EQ(rig.offload(Evict::kNo).progress.objects_done, 1u);
    if (gone) {
      ASSERT_TRUE(rig.run(rig.far->memory.remove("box/a", {})).ok());
    } else {
      rig.far->memory.replace("box/a", rig.noise(50'000));
    }
    const jobs::Job job = rig.offload(Evict::kYes);
    EXPECT_EQ(job.progress.objects_failed, 1u);
    EXPECT_NE(job.error.find("outside"), std::string::npos) << job.error;
    EXPECT_TRUE(rig.readable_locally("a"));
    EXPECT_EQ(*rig.get("a"), bytes);
  }
}

TEST(Offload, NothingIsEvictedThatDoesNotReadBack) {
  for (const Lie lie : {Lie::kPutStoresNothing, Lie::kPutStoresOthers, Lie::kPutStoresShort, Lie::kGetGivesOthers}) {
    SCOPED_TRACE(static_cast<int>(lie));
    TierRig rig;
    const Bytes bytes = rig.noise(kMiB);
    ASSERT_TRUE(rig.put("x", bytes).ok());
    rig.far->lie = lie;
    const jobs::Job job = rig.offload(Evict::kYes);
    EXPECT_EQ(job.progress.objects_failed, 1u);
    EXPECT_FALSE(rig.gen_of("x").native.has_value());
    EXPECT_FALSE(rig.gen_of("x").evicted);
    EXPECT_TRUE(rig.readable_locally("x"));
    rig.far->lie = Lie::kNone;
    EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u) << "what it left behind does not block the next";
    EXPECT_EQ(rig.far->memory.contents("box/x"), bytes);
    EXPECT_EQ(*rig.get("x"), bytes);
  }
}

TEST(Offload, APutThatWasDoneAndAnsweredOtherwiseIsAdopted) {
  for (const Lie lie : {Lie::kPutSays500, Lie::kPutSaysUnknown}) {
    SCOPED_TRACE(static_cast<int>(lie));
    TierRig rig;
    const Bytes bytes = rig.noise(kMiB);
    ASSERT_TRUE(rig.put("x", bytes).ok());
    rig.far->lie = lie;
    const jobs::Job job = rig.offload(Evict::kYes);
    EXPECT_EQ(job.progress.objects_done, 1u) << job.error;
    EXPECT_EQ(rig.far->memory.puts(), 1u);
    EXPECT_EQ(*rig.get("x"), bytes);
  }
}

TEST(Offload, FailsWithAClearMessageWhenTheRemoteCannotBeReached) {
  TierRig rig;
  for (int n = 0; n < 30; ++n) ASSERT_TRUE(rig.put("x" + std::to_string(n), rig.noise(5'000)).ok());
  rig.far->lie = Lie::kUnreachable;
  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.state, jobs::JobState::kFailed);
  EXPECT_NE(job.error.find("cannot be reached"), std::string::npos) << job.error;
  rig.far->lie = Lie::kNone;
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 30u);
}

TEST(Offload, ContainersBoundToARemoteUseBareNames) {
  TierRig rig;
  const auto container = rig.run(rig.store.get_container(TierRig::box()));
  ASSERT_TRUE(container.ok());
  meta::ChangeContainer binding;
  binding.native_remote = "far";
  ASSERT_TRUE(rig.run(meta::change_container(rig.services.cell, meta::key_of(*container), binding, {})).ok());
  ASSERT_TRUE(rig.put("dir/x", rig.noise(100)).ok());
  EXPECT_EQ(rig.offload(Evict::kNo).progress.objects_done, 1u);
  EXPECT_EQ(rig.far->memory.contents("dir/x").size(), 100u);
}

TEST(Offload, UnknownRemotesAndContainersAreRefusedAtOnce) {
  TierRig rig;
  OffloadSpec spec;
  spec.container = TierRig::box();
  spec.remote = "nowhere";
  EXPECT_EQ(rig.run(submit_offload(*rig.scheduler, rig.services, spec)).error().code, Code::kInvalid);
  spec.remote = "far";
  spec.container.container = "none";
  EXPECT_EQ(rig.run(submit_offload(*rig.scheduler, rig.services, spec)).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tombolo::tiering
