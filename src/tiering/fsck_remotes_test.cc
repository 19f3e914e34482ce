// The search of remotes for objects that no row names: where it looks, and what it must not take for one.
#include "meta/ops/admin_rows.h"
#include "tiering/fsck_rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::FsckRig;

constexpr const char* kNonce = "0123456789abcdef.0123456789abcdef";

void configure(FsckRig& rig, const std::string& name, const std::string& kind, const std::string& endpoint) {
  meta::RemoteConfig config;
  config.name = name;
  config.kind = kind;
  config.endpoint = endpoint;
  ASSERT_TRUE(rig.run(meta::put_remote(rig.services.cell, config, meta::PutMode::kCreate)).ok());
}

TEST(FsckRemotes, ARemoteThatIsAwayIsNotSearched) {
  FsckRig rig;
  rig.remotes.set_down("far", "it is away");
  EXPECT_EQ(rig.check(Depth::kAll).not_searched, std::vector<std::string>{"far"});
}

TEST(FsckRemotes, WhatLiesInAPlaceIsNamedByEveryRemoteThatLeadsThere) {
  const struct {
    std::string kind, one, other;
  } cases[] = {{"file", "/mnt/a", "/mnt/a/"}, {"azure", "http://host/acc", "http://HOST:80/acc/"}};
  for (const auto& each : cases) {
    FsckRig rig;
    configure(rig, "far", each.kind, each.one);
    configure(rig, "twin", each.kind, each.other);
    rig.remotes.set("twin", rig.far);
    const FsckReport report = rig.check(Depth::kAll);
    EXPECT_EQ(report.findings_total, 0u) << each.kind << ": " << report.findings.front().what;
  }
}

TEST(FsckRemotes, AzureKeepsANameWithDotsUnderAnother) {
  for (const bool azure : {true, false}) {
    FsckRig rig;
    configure(rig, "far", azure ? "azure" : "file", azure ? "http://host/acc" : "/mnt/a");
    ASSERT_TRUE(rig.put("dots./x..", rig.noise(50'000)).ok());
    EXPECT_EQ(rig.offload(Evict::kNo, "dots").progress.objects_done, 1u);
    rig.put_remote("box/dots/x", rig.noise(50'000), kNonce);
    EXPECT_EQ(rig.check(Depth::kAll).findings_total, azure ? 0u : 1u);
    rig.put_remote("box/dots/y", rig.noise(50'000), kNonce);
    EXPECT_EQ(rig.check(Depth::kAll).findings_total, azure ? 1u : 2u) << "no row leads there";
  }
}

}  // namespace
}  // namespace tombolo::tiering
