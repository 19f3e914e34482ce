// Makes objects cold, as offload and evict do.
#pragma once

#include "meta/ops/gens.h"
#include "meta/ops/purge.h"
#include "meta/ops/tier.h"
#include "store/remote_double_test.h"
#include "store/rig_test.h"

namespace tombolo::store::testing {

/// A commit leaves its upload to be purged: until then it holds the blocks too.
inline void purge_uploads(Rig& rig) {
  const auto entries = rig.run(meta::list_purges(rig.services.cell, 100));
  ASSERT_TRUE(entries.ok());
  for (const meta::PurgeEntry& entry : entries->rows) {
    while (rig.run(meta::purge_batch(rig.services.cell, entry))->progress == meta::Progress::kMore) {
    }
  }
}

inline void drop_local(Rig& rig, GenId gen) {
  const auto token = rig.run(meta::mark_evicted(rig.services.cell, kTenant, gen));
  ASSERT_TRUE(token.ok()) << to_string(token.error());
  meta::ClearCursor cursor;
  while (true) {
    const auto batch = rig.run(meta::clear_local(rig.services.cell, kTenant, gen, *token, cursor));
    ASSERT_TRUE(batch.ok()) << to_string(batch.error());
    EXPECT_EQ(batch->kept_sources, 0u);
    if (batch->progress == meta::Progress::kDone) break;
    cursor = batch->cursor;
  }
}

/// Makes the bytes of `object` a native object of `cloud`, which the rig knows by its name, and drops the local places.
inline meta::NativePlace make_cold(Rig& rig, RemoteDouble& cloud, const meta::Object& object, const Bytes& bytes) {
  purge_uploads(rig);
  meta::NativePlace place;
  place.remote = cloud.name();
  place.key = "box/" + object.name;
  place.etag = cloud.plant(place.key, bytes);
  const auto gen = rig.run(meta::get_gen(rig.services.cell, kTenant, object.gen));
  EXPECT_TRUE(gen.ok() && gen->has_value());
  if (!gen.ok() || !gen->has_value()) return place;
  meta::NativeKey intent;
  intent.remote = place.remote;
  intent.key = place.key;
  intent.gen = object.gen;
  intent.nonce = "nonce";
  EXPECT_TRUE(rig.run(meta::put_native_intent(rig.services.cell, kTenant, intent)).ok());
  const auto set = rig.run(meta::set_native(rig.services.cell, kTenant, **gen, place, "nonce"));
  EXPECT_TRUE(set.ok()) << to_string(set.error());
  drop_local(rig, object.gen);
  return place;
}

}  // namespace tombolo::store::testing
