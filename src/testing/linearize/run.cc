#include <fmt/format.h>

#include <algorithm>

#include "testing/linearize/run_state.h"
#include "tiering/fsck.h"

namespace tombolo::testing::linearize {

namespace {

constexpr std::uint64_t kChangesMax = 300;  // of the disk, of all that a death is scheduled at
constexpr std::int64_t kRightWall = 1'700'000'000'000'000;
constexpr std::uint64_t kSlowMax = 1'800'000'000;  // microseconds
constexpr std::uint64_t kFsckEvery = 8;            // of histories, one in so many ends with all bytes checked

/// What of the disk a death takes; nullopt: the machine goes on.
constexpr std::optional<disk::PowerLoss::Unsynced> kDeaths[] = {
    disk::PowerLoss::Unsynced::kTorn,
    disk::PowerLoss::Unsynced::kTorn,
    disk::PowerLoss::Unsynced::kTorn,
    disk::PowerLoss::Unsynced::kLost,
    disk::PowerLoss::Unsynced::kLost,
    disk::PowerLoss::Unsynced::kKept,
    std::nullopt,
    std::nullopt,
};

}  // namespace

RunStats& RunStats::operator+=(const RunStats& more) {
  operations += more.operations;
  steps += more.steps;
  acknowledged += more.acknowledged;
  refused += more.refused;
  unknown += more.unknown;
  reads += more.reads;
  busy += more.busy;
  crashes += more.crashes;
  crashes_under_way += more.crashes_under_way;
  restarts += more.restarts;
  jobs += more.jobs;
  jobs_failed += more.jobs_failed;
  objects_moved += more.objects_moved;
  passes += more.passes;
  return *this;
}

PaceOptions Run::draw_pace(std::uint64_t seed) {
  SeededRandom random(seed ^ 0x9ace);
  constexpr unsigned often[] = {1, 2, 3, 6};
  constexpr Duration long_ones[] = {Duration(20), Duration(300), Duration(300), Duration(3'000)};
  return {.one_in = often[random.below(std::size(often))], .longest = long_ones[random.below(std::size(long_ones))]};
}

Run::Run(const RunOptions& options)
    : options_(options),
      random_(options.seed),
      world_({.engine = options.engine, .seed = options.seed, .pace = draw_pace(options.seed)}) {}

void Run::draw_habits() {
  constexpr Duration thinks[] = {Duration(0), Duration(200), Duration(2'000), Duration(10'000)};
  constexpr Duration rests[] = {Duration(500), Duration(5'000), Duration(40'000)};
  habits_.clients = 2 + static_cast<unsigned>(random_.below(7));
  habits_.keys = 1 + static_cast<unsigned>(random_.below(4));
  habits_.think = thinks[random_.below(std::size(thinks))];
  habits_.upkeep = rests[random_.below(std::size(rests))];
  habits_.big_one_in = 2 + random_.below(12);
  habits_.blocks = random_.below(3) != 0;
  habits_.jobs = random_.below(3) != 0;
  for (unsigned number = 0; number < habits_.clients; ++number) clients_.emplace_back(number, random_.next64());
}

void Run::complain(std::string what) {
  if (!complaint_) complaint_ = std::move(what);
}

void Run::open() {
  const auto opened = world_.open();
  if (!opened.ok()) complain("it does not open: " + to_string(opened.error()));
}

/// Clients and upkeep, until `operations` have been begun, or it dies.
void Run::live(std::uint64_t operations) {
  left_ = operations;
  const auto scope = std::make_shared<Scope>("linearize");
  const Executor executor = world_.loop.get_executor();
  for (Client& each : clients_) scope->spawn(executor, client(each));
  scope->spawn(executor, collect());
  scope->spawn(executor, flush());
  if (habits_.jobs) scope->spawn(executor, move_bytes());
  if (world_.run(scope->join()).ok()) return;
  complain("some operation never ends");
  new std::shared_ptr<Scope>(scope);  // what it owns goes with the loop, not before
}

/// In one way or another.
void Run::end_life() {
  const auto unsynced = kDeaths[random_.below(std::size(kDeaths))];
  if (world_.machine.dead() || random_.below(3) != 0) return crash(unsynced);
  const auto closed = world_.close();
  const bool died = world_.machine.dead();  // what had been scheduled came only now
  ++(died ? stats_.crashes : stats_.restarts);
  if (!closed.ok() && !died) return complain("closing failed for no reason: " + to_string(closed.error()));
  world_.lose(died ? unsynced : Unsynced::kLost);
  begin_life();
}

void Run::crash(std::optional<Unsynced> unsynced) {
  ++stats_.crashes;
  stats_.crashes_under_way += world_.machine.dead();
  world_.machine.die();  // nothing is put in order first
  const auto stopped = world_.stop();
  if (!stopped.ok()) return complain("the process does not end: " + to_string(stopped.error()));
  world_.lose(unsynced);
  begin_life();
}

void Run::begin_life() {
  world_.machine.clear();
  // The clock of a machine that starts anew may be slow: no ETag is given again for that.
  const std::uint64_t slow = random_.below(3) == 0 ? random_.below(kSlowMax) : 0;
  world_.clock.set_wall({kRightWall + world_.clock.steady().micros - static_cast<std::int64_t>(slow)});
  for (Steps& steps : names_) {
    for (Step& step : steps) {
      if (step.answer == kNever) step.answer = ++now_;  // what has not happened by now never will
    }
  }
  open();
}

Task<void> Run::look(Client& me) {
  model::Operation operation;
  for (unsigned key = 0; key < model::kKeys; ++key) {
    operation.key = key;
    CO_TRY(get(me, operation));
    CO_TRY(blocks(me, operation));
  }
  operation.number = 1;
  operation.size = 2;
  co_return co_await list(me, operation);
}

/// By one client alone, after the power has failed: what was ever seen or acknowledged has its last chance to be lost.
void Run::look_at_everything() {
  crash(Unsynced::kLost);
  if (complaint_) return;
  const auto looked = world_.run(look(clients_.front()));
  if (!looked.ok()) complain("looking at everything failed: " + to_string(looked.error()));
  if (options_.seed % kFsckEvery != 0) return;
  const auto report = world_.run(tiering::fsck(*world_.life->services, {.depth = tiering::Depth::kAll}));
  if (!report.ok()) return complain("fsck failed: " + to_string(report.error()));
  if (report->findings.empty()) return;
  complain(fmt::format("fsck found {} things; {}: {}", report->findings.size(), report->findings[0].kind,
                       report->findings[0].what));
}

RunResult Run::go() {
  draw_habits();
  open();
  if (!complaint_) {
    const auto made = world_.run(store().create_container(model::box(), {}));
    if (!made.ok()) complain("making the container failed: " + to_string(made.error()));
  }
  const std::uint64_t lives = 3 + random_.below(3);
  for (std::uint64_t life = 0; life < lives && !complaint_; ++life) {
    if (random_.below(4) != 0) {
      world_.machine.die_at(1 + random_.below(kChangesMax), random_.below(2) == 0 ? Moment::kBefore : Moment::kAfter);
    }
    live(80 + random_.below(200));
    if (!complaint_) end_life();
  }
  if (!complaint_) look_at_everything();
  RunResult result;
  result.trace_hash = world_.machine.trace_hash();
  if (!complaint_) {
    if (const auto finding = check_history(names_)) complain(describe(*finding));
  }
  result.violation = complaint_;
  result.stats = stats_;
  return result;
}

RunResult run_history(const RunOptions& options) {
  return Run(options).go();
}

}  // namespace tombolo::testing::linearize
