#include "testing/rot/cell.h"

#include <fmt/format.h>

#include "async/byte_stream.h"
#include "async/sleep.h"
#include "data/layout.h"

namespace tombolo::testing::rot {
namespace {

constexpr int kPassesMax = 300;
constexpr int kJobLooksMax = 20'000;

store::ObjectRef ref_of(const std::string& name) {
  return {model::box(), name};
}

Task<void> drain(ByteSource& body, Bytes& into) {
  while (true) {
    CO_TRY_ASSIGN(const Block block, body.next());
    if (block.empty()) co_return Result<void>{};
    into.insert(into.end(), block.view().begin(), block.view().end());
  }
}

}  // namespace

Result<void> RotCell::open() {
  TRY(world.open());
  world.life->services->limits.admit_bytes_max = 0;
  return {};
}

Bytes RotCell::noise(std::uint64_t size) {
  Bytes bytes(size);
  random.fill(bytes);
  return bytes;
}

Result<void> RotCell::put(const std::string& name, std::uint64_t size) {
  const Bytes bytes = noise(size);
  BlockSource body{Block(Bytes(bytes))};
  store::PutObject request;
  request.length = size;
  request.body = &body;
  TRY(world.run(world.life->store->put_object(ref_of(name), request)));
  objects[name] = bytes;
  return {};
}

Result<void> RotCell::stage(const std::string& name, const std::string& id, const Bytes& bytes) {
  BlockSource body{Block(Bytes(bytes))};
  store::StageBlock request;
  request.block_id = id;
  request.length = bytes.size();
  request.body = &body;
  TRY(world.run(world.life->store->stage_block(ref_of(name), request)));
  return {};
}

Result<void> RotCell::put_blocks(const std::string& name, const std::vector<std::uint64_t>& sizes) {
  Bytes whole;
  store::CommitBlockList request;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    const std::string id = fmt::format("{:03}", n);
    const Bytes bytes = noise(sizes[n]);
    TRY(stage(name, id, bytes));
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    request.blocks.push_back({store::BlockSource::kLatest, id});
  }
  TRY(world.run(world.life->store->commit_block_list(ref_of(name), request)));
  objects[name] = std::move(whole);
  return {};
}

Result<void> RotCell::put_generation() {
  TRY(put("empty", 0));
  TRY(put("hot/inline", about(2'000)));
  TRY(put("hot/inline-largest", 4'096));
  TRY(put("hot/one-run", about(5'000)));
  TRY(put("hot/granules", about(2 * 16'384)));
  TRY(put("hot/runs", about(70'000)));
  TRY(put_blocks("hot/blocks", {about(100), about(6'000), about(33'000), about(4'096)}));
  TRY(put("warm/inline", about(1'000)));
  TRY(put("warm/one-run", about(20'000)));
  TRY(put("warm/runs", about(50'000)));
  TRY(put_blocks("warm/blocks", {about(200), about(9'000), about(34'000)}));
  TRY(put("cold/one-run", about(18'000)));
  TRY(put("cold/runs", about(60'000)));
  return put_blocks("cold/blocks", {about(300), about(7'000), about(40'000)});
}

Result<void> RotCell::offload(const std::string& prefix, tiering::Evict evict) {
  model::Life& life = *world.life;
  tiering::OffloadSpec spec{.container = model::box(), .prefix = prefix, .remote = model::kRemoteName};
  spec.evict = evict;
  TRY_ASSIGN(const JobId id, world.run(tiering::submit_offload(*life.jobs, *life.services, spec)));
  for (int looks = 0; looks < kJobLooksMax; ++looks) {
    TRY_ASSIGN(const jobs::Job job, world.run(life.jobs->get(id)));
    if (job.state == jobs::JobState::kDone) return {};
    if (jobs::ended(job.state)) return Error{Code::kInternal, "offload has failed: " + job.error};
    TRY(world.run(sleep_for(std::chrono::milliseconds(5))));
  }
  return Error{Code::kDeadline, "offload does not end"};
}

Result<void> RotCell::come_to_rest() {
  int idle = 0;
  for (int passes = 0; idle < 2; ++passes) {
    if (passes == kPassesMax) return Error{Code::kInternal, "garbage collection never comes to rest"};
    TRY_ASSIGN(const bool changed, world.run(world.life->collector->pass()));
    idle = changed ? 0 : idle + 1;
    TRY(world.run(sleep_for(std::chrono::seconds(5))));
  }
  return {};
}

Result<void> RotCell::remember_past() {
  const std::string directory(data::kSegmentsDirectory);
  TRY_ASSIGN(const auto entries, world.disk.list_now(directory));
  for (const disk::Entry& entry : entries) {
    TRY_ASSIGN(const auto file, world.disk.open_now(directory + "/" + entry.name, disk::Open::kRead));
    TRY_ASSIGN(const std::uint64_t size, file->size_now());
    Bytes bytes(size);
    TRY(file->read_now(0, bytes));
    past.push_back(std::move(bytes));
  }
  for (const auto& [name, bytes] : objects) past.push_back(bytes);
  return {};
}

Result<void> RotCell::fill() {
  TRY(open());
  TRY(world.run(world.life->store->create_container(model::box(), {})));
  TRY(put_generation());
  TRY(offload("warm/", tiering::Evict::kNo));
  TRY(offload("cold/", tiering::Evict::kYes));
  TRY(remember_past());
  TRY(put_generation());
  TRY(stage("staged", "000", noise(about(9'000))));
  TRY(come_to_rest());
  TRY(offload("warm/", tiering::Evict::kNo));
  TRY(offload("cold/", tiering::Evict::kYes));
  return come_to_rest();
}

Result<void> RotCell::write_late(unsigned count) {
  for (unsigned n = 0; n < count; ++n) {
    TRY(put(fmt::format("late/{}", n % 16), about(n % 5 == 0 ? 9'000 : 600)));
  }
  return world.run(sleep_for(std::chrono::seconds(1)));
}

Read RotCell::read(const std::string& name, std::optional<store::ByteRange> range) {
  Read out;
  auto reader = world.run(world.life->store->get_object(ref_of(name), range, {}));
  if (!reader.ok()) {
    out.error = reader.error();
    return out;
  }
  const auto drained = world.run(drain(*reader->body, out.bytes));
  if (!drained.ok()) out.error = drained.error();
  reader->body.reset();
  world.time.settle();
  return out;
}

Result<std::vector<std::string>> RotCell::list() {
  store::ListObjects query;
  query.limit = 7;
  std::vector<std::string> names;
  while (true) {
    TRY_ASSIGN(const store::ListObjectsPage page, world.run(world.life->store->list_objects(model::box(), query)));
    for (const store::ListEntry& entry : page.entries) names.push_back(entry.object->name);
    if (!page.next) return names;
    query.start_after = *page.next;
  }
}

Result<tiering::FsckReport> RotCell::fsck(tiering::FsckOptions options) {
  options.pause = std::chrono::milliseconds(1);
  return world.run(tiering::fsck(*world.life->services, options));
}

}  // namespace tombolo::testing::rot
