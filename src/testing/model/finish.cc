// What holds after any sequence.
#include <fmt/format.h>

#include "async/sleep.h"
#include "data/layout.h"
#include "meta/ops/gens.h"
#include "meta/ops/usage.h"
#include "store/ops/resolve.h"
#include "testing/model/sequence.h"

namespace tombolo::testing::model {

Complaint Sequence::look_at_everything() {
  for (unsigned key = 0; key < kKeys; ++key) {
    if (auto complaint = get(key)) return complaint;
    if (auto complaint = blocks(key)) return complaint;
  }
  return list(true, 2);
}

Complaint Sequence::come_to_rest() {
  constexpr int kPassesMax = 300;
  int idle = 0;
  for (int passes = 0; idle < 2; ++passes) {
    if (passes == kPassesMax) return "garbage collection never comes to rest";
    bool changed = false;
    if (auto complaint = gc_pass(changed)) return complaint;
    idle = changed ? 0 : idle + 1;
    // Past every grace, past the mark of the log, and past stamps that a restart has leased ahead.
    const auto slept = world_.run(sleep_for(std::chrono::seconds(5)));
    if (!slept.ok()) return failed("waiting", slept.error(), Needs::kFlash);
  }
  settle();
  if (world_.machine.at_risk()) return "what an error told late has put at risk is not made safe";
  return std::nullopt;
}

/// What is counted is what is there; no byte of a segment is held for nothing.
Complaint Sequence::check_space() {
  Life& life = *world_.life;
  const auto page = world_.run(life.store->list_objects(box(), {}));
  if (!page.ok()) return failed("listing", page.error(), Needs::kFlash);
  std::uint64_t objects = 0, bytes = 0;
  for (const store::ListEntry& entry : page->entries) {
    ++objects;
    bytes += entry.object->length;
  }
  const auto container = world_.run(store::find_container(life.services->cell, box()));
  if (!container.ok()) return failed("finding the container", container.error(), Needs::kFlash);
  const auto usage = world_.run(meta::read_usage(life.services->cell, *container));
  if (!usage.ok()) return failed("reading usage", usage.error(), Needs::kFlash);
  if (usage->objects != objects || usage->bytes != bytes) {
    return fmt::format("usage says {} objects of {} bytes, and there are {} of {}", usage->objects, usage->bytes,
                       objects, bytes);
  }
  const auto files = world_.disk.list_now(std::string(data::kSegmentsDirectory));
  const auto snapshot = life.engine->snapshot();
  const auto rows = world_.run(data::read_segments(*snapshot));
  if (!files.ok() || !rows.ok()) return "the segments cannot be listed";
  if (files->size() != rows->size()) {
    return fmt::format("there are {} segment files and {} rows of segments", files->size(), rows->size());
  }
  return std::nullopt;
}

/// All objects to the remote and back. What lies there of objects that it has said to have removed is in the way.
Complaint Sequence::move_everything() {
  if (lied_) return std::nullopt;
  at_rest_ = true;
  for (const Kind kind : {Kind::kEvict, Kind::kRecall}) {
    Operation move;
    move.kind = kind;
    if (auto complaint = job(move)) return complaint;
  }
  return come_to_rest();
}

Complaint Sequence::delete_everything() {
  for (unsigned key = 0; key < kKeys; ++key) {
    if (!model_.may_exist(key)) continue;
    Operation operation;
    operation.key = key;
    if (auto complaint = remove(operation)) return complaint;
  }
  if (auto complaint = come_to_rest()) return complaint;
  if (auto complaint = check_space()) return complaint;
  const std::uint64_t held = world_.life->segments->file_bytes();
  if (held != 0) return fmt::format("all is deleted, and {} bytes of segments are held", held);
  if (world_.bucket->count() != 0 && !lied_) {
    return fmt::format("all is deleted, and {} objects are left in the remote", world_.bucket->count());
  }
  const auto cold = world_.run(meta::read_cold_bytes(world_.life->services->cell));
  if (!cold.ok() || *cold != 0) return "all is deleted, and the counter of cold bytes is not 0";
  return std::nullopt;
}

Complaint Sequence::finish() {
  armed_ = false;
  end_faults();
  space_is_back();
  set_clock(kClockRange);  // ahead of every stamp
  world_.machine.die();
  if (auto complaint = reboot({Unsynced::kLost, {}})) return complaint;
  if (auto complaint = look_at_everything()) return complaint;
  Operation write;
  write.size = 5'000;
  write.seed = 99;
  if (auto complaint = put(write)) return "once all faults were gone, " + *complaint;
  if (auto complaint = come_to_rest()) return complaint;
  if (auto complaint = fsck()) return complaint;
  if (auto complaint = move_everything()) return complaint;
  if (auto complaint = look_at_everything()) return complaint;
  if (auto complaint = check_space()) return complaint;
  return delete_everything();
}

}  // namespace tombolo::testing::model
