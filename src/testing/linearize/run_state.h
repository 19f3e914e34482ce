// Run: the state of one history while it is made. Included by the driver's own files only.
#pragma once

#include <array>
#include <deque>

#include "async/scope.h"
#include "testing/linearize/checker.h"
#include "testing/linearize/run.h"
#include "testing/model/operation.h"
#include "testing/model/requests.h"

namespace tombolo::testing::linearize {

class Run {
 public:
  explicit Run(const RunOptions& options);
  RunResult go();

 private:
  using Unsynced = disk::PowerLoss::Unsynced;
  using KeyState = model::KeyState;

  struct Client {
    Client(unsigned given_number, std::uint64_t seed) : number(given_number), random(seed) {}
    const unsigned number;
    SeededRandom random;
    std::array<std::vector<Stamp>, model::kKeys> etags;  // that it has heard of, in that order
  };
  /// How the clients of a history behave.
  struct Habits {
    unsigned clients = 2, keys = 1;
    Duration think{0};   // at most, between operations
    Duration upkeep{1};  // at most, between passes of the collector and between jobs
    std::uint64_t big_one_in = 8;
    bool blocks = true, jobs = true;
  };

  // run.cc
  static PaceOptions draw_pace(std::uint64_t seed);
  void draw_habits();
  void complain(std::string what);
  void live(std::uint64_t operations);
  void end_life();
  void crash(std::optional<Unsynced> unsynced);
  void begin_life();
  void open();
  void look_at_everything();
  Task<void> look(Client& me);
  bool over() const { return left_ == 0 || world_.machine.dead() || complaint_.has_value(); }

  // clients.cc
  Task<void> client(Client& me);
  model::Operation draw(Client& me);
  Task<void> dispatch(Client& me, model::Operation operation);
  Task<void> put(Client& me, model::Operation operation);
  Task<void> remove(Client& me, model::Operation operation);
  Task<void> metadata(Client& me, model::Operation operation);
  Task<void> stage(Client& me, model::Operation operation);
  Task<void> commit(Client& me, model::Operation operation);
  /// What is asked of an ETag is asked of one that the client has heard of.
  std::optional<Stamp> etag_for(const Client& me, model::Operation& operation) const;

  // reads.cc
  Task<void> get(Client& me, model::Operation operation);
  Task<void> read_body(Step step, unsigned key, store::ObjectReader reader, std::optional<store::ByteRange> range);
  Task<void> head(Client& me, model::Operation operation);
  Task<void> blocks(Client& me, model::Operation operation);
  Task<void> list(Client& me, model::Operation operation);
  void listed(const Step& page, const store::ListObjects& query, const store::ListObjectsPage& entries);

  // upkeep.cc
  Task<void> rest(unsigned times);
  Task<void> collect();
  Task<void> flush();
  Task<void> move_bytes();
  Task<void> one_job();
  void upkeep_failed(std::string_view what, const Error& error);

  // What was heard.
  Step begin(const Client& me, const model::Operation& operation, std::optional<Stamp> etag = {});
  /// Whether a client was still there to hear it.
  bool heard() const { return !world_.machine.dead(); }
  template <class T>
  void changed(Client& me, unsigned key, Step step, const Result<T>& result);
  void saw(Client& me, unsigned key, Step step, const std::optional<meta::Object>& object);
  void keep(unsigned key, Step step);
  void failed(const Step& step, const Error& error);

  store::Store& store() { return *world_.life->store; }
  store::ObjectRef object(unsigned key) const { return {model::box(), model::name_of_key(key)}; }
  std::string next_tag() { return std::to_string(++tags_); }

  const RunOptions options_;
  SeededRandom random_;
  model::World world_;
  Habits habits_;
  std::deque<Client> clients_;
  std::vector<Steps> names_{model::kKeys};
  RunStats stats_;
  Tick now_ = 0;
  std::uint64_t tags_ = 0;
  std::uint64_t left_ = 0;  // operations that the clients of this life still begin
  std::optional<std::string> complaint_;
};

}  // namespace tombolo::testing::linearize
