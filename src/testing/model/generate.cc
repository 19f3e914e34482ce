#include "testing/model/generate.h"

#include <algorithm>
#include <array>

#include "testing/chaos_remote.h"

namespace tombolo::testing::model {

namespace {

/// A word of a list.
template <class List>
auto pick(SeededRandom& random, const List& list) {
  return list[random.below(std::size(list))];
}

// Around everything that the code cuts at: inline bytes, sectors, blocks, granules, runs (32 KiB here), batches of two
// runs, segments (128 KiB here).
constexpr std::uint64_t kBounds[] = {0, 1, 512, 4'096, 16'384, 32'768, 49'152, 65'536, 98'304, 131'072};

std::uint64_t size(SeededRandom& random) {
  if (random.below(3) == 0) return random.below(6'000);
  // Small ones more often: they take less time, and most bugs.
  const std::uint64_t reach = 2 + random.below(std::size(kBounds) - 1);
  const std::uint64_t bound = kBounds[random.below(reach)];
  const std::uint64_t shifted = bound + random.below(3);
  return shifted == 0 ? 0 : shifted - 1;
}

std::string block_list(SeededRandom& random) {
  std::string out;
  for (std::uint64_t left = random.below(5); left > 0; --left) {
    if (!out.empty()) out += ',';
    out += "lllluc"[random.below(6)];
    out += static_cast<char>('a' + random.below(3));
  }
  return out;
}

Precondition condition(SeededRandom& random) {
  if (random.below(3) != 0) return Precondition::kNone;
  return static_cast<Precondition>(1 + random.below(4));
}

std::vector<std::uint32_t> nested(SeededRandom& random) {
  std::vector<std::uint32_t> out;
  // One recovery that dies may come alone; of two the third is worth a try as often.
  while (out.size() < 3 && random.below(out.empty() ? 3 : 2) == 0) {
    out.push_back(static_cast<std::uint32_t>(1 + random.below(20)));
  }
  return out;
}

constexpr std::string_view kDeaths[] = {"torn", "torn", "torn", "lost", "lost", "kept", "kill", "kill"};

// What an object that changes outside does to its cold bytes is no matter of this model: they are lost, and an error
// says so (tiering/chaos_test.cc).
constexpr RemoteFault kFaults[] = {RemoteFault::kDown,      RemoteFault::kRefused,     RemoteFault::kSlow,
                                   RemoteFault::kStalled,   RemoteFault::kTruncating,  RemoteFault::kWrongBytes,
                                   RemoteFault::kWrongEtag, RemoteFault::kDoneSaid500, RemoteFault::kClaimed,
                                   RemoteFault::kStaleList, RemoteFault::kForbidden,   RemoteFault::kNotFound,
                                   RemoteFault::kThrottled, RemoteFault::kBusy};

struct Weight {
  Kind kind;
  unsigned weight;
};
constexpr Weight kWeights[] = {
    {Kind::kGet, 60},         {Kind::kRange, 50},    {Kind::kList, 30},     {Kind::kBlocks, 20},
    {Kind::kPut, 180},        {Kind::kDelete, 50},   {Kind::kMetadata, 30}, {Kind::kHeaders, 20},
    {Kind::kStage, 90},       {Kind::kCommit, 60},   {Kind::kSleep, 50},    {Kind::kFlush, 25},
    {Kind::kGc, 45},          {Kind::kCompact, 20},  {Kind::kOffload, 15},  {Kind::kEvict, 35},
    {Kind::kRecall, 15},      {Kind::kFsck, 8},      {Kind::kClock, 8},     {Kind::kFailRead, 6},
    {Kind::kFailChange, 12},  {Kind::kFailSync, 10}, {Kind::kFull, 6},      {Kind::kSpace, 8},
    {Kind::kRemoteFault, 14}, {Kind::kHeal, 20},     {Kind::kRestart, 12},  {Kind::kCrash, 20},
    {Kind::kCrashAt, 40},
};

Kind kind(SeededRandom& random, const std::array<bool, std::size(kWeights)>& on) {
  unsigned total = 0;
  for (std::size_t i = 0; i < std::size(kWeights); ++i) total += on[i] ? kWeights[i].weight : 0;
  std::uint64_t at = random.below(total);
  for (std::size_t i = 0; i < std::size(kWeights); ++i) {
    if (!on[i]) continue;
    if (at < kWeights[i].weight) return kWeights[i].kind;
    at -= kWeights[i].weight;
  }
  return Kind::kGet;
}

}  // namespace

void fill_in(Operation& operation, SeededRandom& random) {
  constexpr std::string_view prefixes[] = {"", "", "b/", "a"};
  constexpr std::string_view syncs[] = {"kept", "reverted", "late"};
  switch (operation.kind) {
    case Kind::kRange:
      operation.size = size(random);
      operation.number = 1 + size(random);
      break;
    case Kind::kList:
      operation.number = random.below(2);
      operation.size = random.below(4);
      break;
    case Kind::kPut:
      operation.size = size(random);
      operation.seed = 1 + random.below(1'000'000);
      operation.condition = condition(random);
      break;
    case Kind::kDelete:
      operation.condition = condition(random);
      break;
    case Kind::kMetadata:
    case Kind::kHeaders:
      operation.seed = 1 + random.below(1'000'000);
      operation.condition = condition(random);
      break;
    case Kind::kStage:
      operation.text = static_cast<char>('a' + random.below(3));
      operation.size = 1 + size(random);
      operation.seed = 1 + random.below(1'000'000);
      break;
    case Kind::kCommit:
      operation.text = block_list(random);
      operation.seed = 1 + random.below(1'000'000);
      operation.condition = condition(random);
      break;
    case Kind::kSleep:
      operation.number = random.below(4) == 0 ? 60'000 : 1 + random.below(300);
      break;
    case Kind::kOffload:
    case Kind::kEvict:
    case Kind::kRecall:
      operation.text = pick(random, prefixes);
      break;
    case Kind::kClock:
      operation.number = random.below(3'601);
      break;
    case Kind::kFailRead:
    case Kind::kFailSync:
      operation.number = 1 + random.below(6);
      if (operation.kind == Kind::kFailSync) operation.text = pick(random, syncs);
      break;
    case Kind::kFailChange:
      operation.number = 1 + random.below(20);
      operation.text = random.below(2) == 0 ? "no_space" : "unavailable";
      break;
    case Kind::kFull:
      operation.number = random.below(400'000);
      break;
    case Kind::kRemoteFault:
      operation.text =
          std::string(name_of(pick(random, kFaults))) + ":" + std::string(name_of(pick(random, kRemoteOps)));
      std::replace(operation.text.begin(), operation.text.end(), ' ', '_');
      operation.number = 1 + random.below(4);
      break;
    case Kind::kCrash:
      operation.text = pick(random, kDeaths);
      operation.nested = nested(random);
      break;
    case Kind::kCrashAt:
      operation.text = std::string(pick(random, kDeaths)) + (random.below(2) == 0 ? "" : ":after");
      operation.number = 1 + random.below(random.below(3) == 0 ? 60 : 12);
      operation.nested = nested(random);
      break;
    default:
      break;
  }
}

std::vector<Operation> generate(std::uint64_t seed) {
  SeededRandom random(seed);
  // Not everything in every sequence: what is rare together meets more often, and shrinking has less to do.
  std::array<bool, std::size(kWeights)> on{};
  for (std::size_t i = 0; i < std::size(kWeights); ++i) {
    const bool always = kWeights[i].kind == Kind::kPut || kWeights[i].kind == Kind::kGet;
    on[i] = always || random.below(3) != 0;
  }
  const std::uint64_t length = 40 + random.below(48);
  const std::uint64_t keys = 1 + random.below(kKeys);
  std::vector<Operation> out;
  bool crashes = false;
  while (out.size() < length) {
    Operation operation;
    operation.kind = kind(random, on);
    operation.key = static_cast<unsigned>(random.below(keys));
    fill_in(operation, random);
    crashes = crashes || operation.kind == Kind::kCrash;
    out.push_back(std::move(operation));
  }
  if (!crashes) {
    Operation crash;
    crash.kind = Kind::kCrash;
    fill_in(crash, random);
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(length / 2 + random.below(length / 2)), std::move(crash));
  }
  return out;
}

}  // namespace tombolo::testing::model
