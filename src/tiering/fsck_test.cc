#include "tiering/fsck.h"

#include <boost/asio/this_coro.hpp>

#include "async/scope.h"
#include "tiering/fsck_rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::Damage;
using testing::damages;
using testing::FsckRig;
using testing::kTenant;
using testing::TierRig;

TEST(Fsck, ACleanStoreHasNoFindings) {
  FsckRig rig;
  for (const Depth depth : {Depth::kRows, Depth::kBytes, Depth::kAll}) {
    const FsckReport report = rig.check(depth);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
    EXPECT_EQ(report.findings_total, 0u);
    EXPECT_EQ(report.objects, 6u);
    EXPECT_EQ(report.gens, 9u) << "six objects, two blocks of one, one staged";
    EXPECT_EQ(report.runs, 7u);
    EXPECT_EQ(report.segments, 1u);
    EXPECT_EQ(report.remote_objects, depth == Depth::kRows ? 0u : 2u);
    const std::uint64_t local = 3 * 100'000 + 3 * 70'000, remote = 400'000;
    EXPECT_EQ(report.bytes_verified, depth == Depth::kRows ? 0 : depth == Depth::kBytes ? local : local + remote);
  }
  rig.collect();
  EXPECT_EQ(rig.check(Depth::kAll).findings_total, 0u);
}

TEST(Fsck, NamesEachPlantedDamageAndNothingElse) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    FsckRig rig;
    damage.plant(rig);
    EXPECT_EQ(rig.kinds(damage.depth), damage.kinds);
  }
}

TEST(Fsck, CountsWhatOthersKeepInARemoteAndLeavesABucketFullOfIt) {
  FsckRig rig;
  for (int n = 0; n < 3; ++n) rig.put_remote("theirs/" + std::to_string(n), rig.noise(1'000), "");
  FsckReport report = rig.check(Depth::kAll);
  EXPECT_EQ(report.findings_total, 0u);
  EXPECT_EQ(report.foreign_objects, 3u);
  EXPECT_TRUE(report.not_searched.empty());
  EXPECT_EQ(rig.check(Depth::kBytes).foreign_objects, 0u) << "only the whole check searches";

  for (int n = 0; n < 12'000; ++n) rig.put_remote("many/" + std::to_string(n), rig.noise(10), "");
  report = rig.check(Depth::kAll);
  EXPECT_EQ(report.findings_total, 0u);
  EXPECT_EQ(report.not_searched, std::vector<std::string>{"far"});
}

TEST(Fsck, ShowsHowFarItIs) {
  FsckRig rig;
  FsckOptions options;
  options.pause = std::chrono::milliseconds(1);
  std::vector<FsckCounts> shown;
  const auto report = rig.run(fsck(rig.services, options, [&](const FsckCounts& now) { shown.push_back(now); }));
  ASSERT_TRUE(report.ok());
  ASSERT_GT(shown.size(), 2u);
  for (std::size_t n = 1; n < shown.size(); ++n) {
    EXPECT_GE(shown[n].objects, shown[n - 1].objects);
    EXPECT_GE(shown[n].bytes_verified, shown[n - 1].bytes_verified);
  }
  EXPECT_LT(shown.front().gens, report->gens);
  EXPECT_EQ(shown.back().gens, report->gens);
}

TEST(Fsck, SaysWhereAndWhatToDo) {
  FsckRig rig;
  rig.erase_row(meta::keys::gen(kTenant, rig.head("a")->gen));
  for (const Finding& finding : rig.check(Depth::kRows).findings) {
    if (finding.kind == "name-without-gen") {
      EXPECT_EQ(finding.what.substr(0, 9), "acc/box/a") << finding.what;
    }
    EXPECT_FALSE(finding.advice.empty());
  }
}

// --- beside writers

Task<void> write_and_delete(TierRig& rig, bool& stop) {
  int n = -1;
  while (!stop) {
    ++n;
    const std::string name = "busy" + std::to_string(n % 7);
    Bytes bytes(50'000 + static_cast<std::size_t>(n) % 1'000);
    rig.random.fill(bytes);
    store::testing::SteppedSource body(bytes, 10'000);
    store::PutObject request;
    request.length = bytes.size();
    request.body = &body;
    CO_TRY(rig.store.put_object(TierRig::object(name), std::move(request)));
    if (n % 3 == 0) {
      CO_TRY(rig.store.delete_object(TierRig::object(name), {}));
    }
    CO_TRY(rig.collector.pass());
    CO_TRY(sleep_for(std::chrono::microseconds(100)));
  }
  co_return Result<void>{};
}

Task<FsckReport> fsck_beside(TierRig& rig, FsckOptions options) {
  const auto executor = co_await boost::asio::this_coro::executor;
  bool stop = false;
  Scope writers("writers");
  writers.spawn(executor, write_and_delete(rig, stop));
  FsckReport all;
  for (int n = 0; n < 10; ++n) {
    auto report = co_await fsck(rig.services, options);
    if (!report.ok()) {
      stop = true;
      (void)co_await writers.join();
      co_return report.error();
    }
    all.findings_total += report->findings_total;
    for (Finding& finding : report->findings) all.findings.push_back(std::move(finding));
  }
  stop = true;
  CO_TRY(writers.join());
  co_return all;
}

TEST(Fsck, WritersDeletesAndCompactionBesideItAreNoFindings) {
  FsckRig rig;
  FsckOptions options;
  options.depth = Depth::kBytes;
  options.pause = std::chrono::milliseconds(20);
  const auto report = rig.run(fsck_beside(rig, options));
  ASSERT_TRUE(report.ok()) << to_string(report.error());
  for (const Finding& finding : report->findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
  EXPECT_EQ(report->findings_total, 0u);
}

}  // namespace
}  // namespace tombolo::tiering
