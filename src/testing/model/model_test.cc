#include "testing/model/model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/crc64.h"
#include "base/log.h"
#include "testing/model/driver.h"
#include "testing/model/generate.h"
#include "testing/model/shrink.h"

namespace tombolo::testing::model {
namespace {

class ModelTest : public ::testing::Test {
 protected:
  ModelTest() { set_log_level(LogLevel::kNone); }
  ~ModelTest() override { set_log_level(LogLevel::kInfo); }
};

std::vector<Operation> trace(std::string_view text) {
  auto operations = parse_trace(text);
  EXPECT_TRUE(operations.ok()) << to_string(operations.error());
  return operations.ok() ? *operations : std::vector<Operation>{};
}

TEST_F(ModelTest, OperationsAreWhatTheirTextSays) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto operations = generate(seed);
    EXPECT_EQ(trace(to_text(operations)), operations) << "seed " << seed;
  }
  EXPECT_FALSE(parse_operation("fly").ok());
  EXPECT_FALSE(parse_operation("put size").ok());
  EXPECT_FALSE(parse_operation("put size=x").ok());
  EXPECT_FALSE(parse_operation("get key=99").ok());
}

TEST_F(ModelTest, SequencesAreLongEnoughAndCrash) {
  std::size_t operations = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto sequence = generate(seed);
    operations += sequence.size();
    EXPECT_TRUE(std::any_of(sequence.begin(), sequence.end(),
                            [](const Operation& operation) { return operation.kind == Kind::kCrash; }))
        << "seed " << seed;
  }
  EXPECT_GE(operations, 200u * 50);
}

TEST_F(ModelTest, TheSameSeedGivesTheSameTrace) {
  std::uint64_t other = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const auto operations = generate(seed);
    const auto first = run_sequence({.seed = seed}, operations);
    EXPECT_EQ(run_sequence({.seed = seed}, operations).trace_hash, first.trace_hash) << "seed " << seed;
    EXPECT_NE(first.trace_hash, other);
    other = first.trace_hash;
  }
}

TEST_F(ModelTest, WhatWasFoundOnceDoesNotComeBack) {
  int traces = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MODEL_TRACES)) {
    if (entry.path().extension() != ".trace") continue;
    ++traces;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    SequenceOptions options;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with("# seed ")) options.seed = std::stoull(line.substr(7));
      if (line.starts_with("# rocks")) options.engine = EngineKind::kRocks;
    }
    const auto result = run_sequence(options, trace(text.str()));
    EXPECT_FALSE(result.violation) << entry.path().filename() << ", operation " << result.violation->operation << ": "
                                   << result.violation->what;
  }
  EXPECT_GT(traces, 0);
}

TEST_F(ModelTest, SequencesPassWithRocksDbToo) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto result = run_sequence({.engine = EngineKind::kRocks, .seed = seed}, generate(seed));
    EXPECT_FALSE(result.violation) << "seed " << seed << ": " << result.violation->what;
  }
}

TEST_F(ModelTest, AStrikeHappensAtItsPlaceInTheLifeThatComesThere) {
  constexpr std::uint64_t kSeed = 1;
  const auto reached = run_sequence({.seed = kSeed}, generate(kSeed)).sites;
  int in_recovery = 0;
  for (const auto& [site, steps] : reached) {
    if (!site.file().starts_with("kv/log/")) continue;
    in_recovery += site.file() == "kv/log/recovery.cc";
    for (const SimFault fault : {SimFault::kDiesBefore, SimFault::kDiesAfter, SimFault::kUnavailable}) {
      Operation strike;
      strike.kind = Kind::kStrike;
      strike.number = steps.steps;
      const bool is_sync = steps.step == SimStep::kSync && fault == SimFault::kUnavailable;
      const SimFault told = is_sync ? SimFault::kPagesReverted : fault;
      strike.text = std::string(name_of(told)) + ":torn@" + site.name();
      auto operations = generate(kSeed);
      operations.insert(operations.begin(), strike);
      EXPECT_EQ(trace(to_text(operations)), operations);
      auto result = run_sequence({.seed = kSeed}, operations);
      EXPECT_FALSE(result.violation) << strike.text << ": " << result.violation->what;
      EXPECT_GE(result.sites[site].faults[static_cast<std::size_t>(told)], 1u) << strike.text;
    }
  }
  EXPECT_GE(in_recovery, 5);
}

/// After an error that was told late, a start finds no space for its log file: the next one flushes the index.
TEST_F(ModelTest, AStartWithoutSpaceForTheLogLeavesNothingAtRisk) {
  const std::string rest =
      "put seed=317821\n"
      "put size=65536 seed=837155\n"
      "put seed=227617\n"
      "stage seed=592539 text=a\n"
      "put seed=631026\n"
      "heal\n"
      "stage size=16385 seed=758509 text=a\n"
      "put size=65536 seed=968164\n"
      "compact\n"
      "crash text=torn\n"
      "fail-sync number=1 text=late\n"
      "stage seed=462001 text=a\n";
  int places = 0;
  for (const auto& [site, steps] : run_sequence({.seed = 44}, trace(rest)).sites) {
    if (site.file() != "kv/log/commit_log_files.cc" || site.function() != "CommitLog::create_file") continue;
    ++places;
    for (int number = 1; number <= 4; ++number) {
      const auto text = fmt::format("strike number={} text=no_space:torn@{}\n{}", number, site.name(), rest);
      const auto result = run_sequence({.seed = 44}, trace(text));
      EXPECT_FALSE(result.violation) << site.name() << ", " << number << ": " << result.violation->what;
    }
  }
  EXPECT_GE(places, 4);
}

// ---- the tests are tested: a disk that forgets syncs is noticed

TEST_F(ModelTest, AForgottenSyncIsFoundAndShrinks) {
  for (const char* directory : {"log", "segments"}) {
    SequenceOptions options;
    options.forgotten_syncs = directory;
    std::optional<std::vector<Operation>> failing;
    for (std::uint64_t seed = 1; seed <= 60 && !failing; ++seed) {
      options.seed = seed;
      if (run_sequence(options, generate(seed)).violation) failing = generate(seed);
    }
    ASSERT_TRUE(failing) << directory;
    const auto shrunk = shrink(options, *failing, 500);
    EXPECT_TRUE(run_sequence(options, shrunk).violation);
    EXPECT_LT(shrunk.size(), 15u) << to_text(shrunk);
    options.forgotten_syncs.clear();
    EXPECT_FALSE(run_sequence(options, shrunk).violation);
  }
}

// ---- the model

meta::Object seen(const BytesPtr& bytes, std::uint64_t etag) {
  meta::Object object;
  object.length = bytes->size();
  object.crc64 = crc64(*bytes);
  object.created = object.version_stamp = object.content_stamp = object.etag_stamp = {etag};
  return object;
}

TEST_F(ModelTest, AnUnknownChangeIsOldOrNewAndStaysWhatItWasSeenAs) {
  const BytesPtr old = content(1, 10), fresh = content(2, 20);
  Model model;
  EXPECT_FALSE(model.acknowledged(0, put_change(old, {}, Precondition::kNone, {}), Stamp{1}));
  model.unknown(0, put_change(fresh, {}, Precondition::kNone, {}));
  EXPECT_FALSE(model.saw_object(0, seen(old, 1)));
  EXPECT_FALSE(model.saw_object(0, seen(fresh, 2))) << "it may happen late";
  EXPECT_TRUE(model.saw_object(0, seen(old, 1))) << "and not be undone";

  Model other;
  EXPECT_FALSE(other.acknowledged(0, put_change(old, {}, Precondition::kNone, {}), Stamp{1}));
  other.unknown(0, put_change(fresh, {}, Precondition::kNone, {}));
  other.restarted();
  EXPECT_FALSE(other.saw_object(0, seen(old, 1)));
  EXPECT_TRUE(other.saw_object(0, seen(fresh, 2))) << "whoever did it is dead";
  EXPECT_TRUE(other.saw_object(0, std::nullopt));
}

TEST_F(ModelTest, LostWrongAndRepeatedAreComplaints) {
  const BytesPtr bytes = content(1, 10);
  Model model;
  const Change put = put_change(bytes, {}, Precondition::kNone, {});
  EXPECT_FALSE(model.acknowledged(0, put, Stamp{1}));
  EXPECT_TRUE(model.saw_object(0, std::nullopt));
  EXPECT_FALSE(model.saw_bytes(0, seen(bytes, 1), 2, BytesView(*bytes).subspan(2, 5)));
  EXPECT_TRUE(model.saw_bytes(0, seen(bytes, 1), 2, BytesView(*bytes).subspan(3, 5)));
  EXPECT_TRUE(model.acknowledged(1, put, Stamp{1})) << "an ETag that was given before";
  EXPECT_TRUE(model.refused(0, put_change(bytes, {}, Precondition::kPresent, {}), "ConditionNotMet"));
  EXPECT_FALSE(model.refused(0, put_change(bytes, {}, Precondition::kAbsent, {}), "BlobAlreadyExists"));
}

TEST_F(ModelTest, BlocksAreResolvedAsAzureDoes) {
  Model model;
  const BytesPtr one = content(1, 10), two = content(2, 20);
  const auto choose = [](store::BlockSource source, const char* id) { return store::BlockChoice{source, id}; };
  EXPECT_FALSE(model.acknowledged(0, stage_change("a", one), {}));
  const Change commit = commit_change({choose(store::BlockSource::kLatest, "a")}, Precondition::kNone, {});
  EXPECT_FALSE(model.acknowledged(0, commit, Stamp{1}));
  EXPECT_FALSE(model.saw_object(0, seen(one, 1)));
  EXPECT_FALSE(model.acknowledged(0, stage_change("a", two), {}));
  const Change both =
      commit_change({choose(store::BlockSource::kCommitted, "a"), choose(store::BlockSource::kUncommitted, "a")},
                    Precondition::kNone, {});
  EXPECT_FALSE(model.acknowledged(0, both, Stamp{2}));
  Bytes all = *one;
  all.insert(all.end(), two->begin(), two->end());
  EXPECT_FALSE(model.saw_object(0, seen(std::make_shared<const Bytes>(all), 2)));
  EXPECT_FALSE(model.refused(0, commit_change({choose(store::BlockSource::kUncommitted, "a")}, Precondition::kNone, {}),
                             "InvalidBlockList"));
}

}  // namespace
}  // namespace tombolo::testing::model
