#include "kv/run.h"

#include <string_view>

#include "async/retry.h"
#include "kv/tables.h"

namespace tombolo::kv {

namespace {

// Operation rows of one bucket can be purged together, long after everyone who may ask for them is gone.
constexpr unsigned kBucketBits = 20;

/// Empty where outcomes are always known.
std::string operation_key(const Engine& engine, Random& random) {
  if (!engine.capabilities().commit_outcome_unknown) return {};
  std::string key = table_prefix(Table::kOperations);
  append_be64(key, engine.committed().value >> kBucketBits);
  append_be64(key, random.next64());
  append_be64(key, random.next64());
  return key;
}

constexpr std::string_view kDone = "done";    // the body's writes were committed with it
constexpr std::string_view kFenced = "void";  // earlier tries can no longer commit, and none had

struct Try {
  bool fenced = false;
  Sequence sequence;
};

// The operation row is read (with conflict) and written by every try, so that of all tries, however long they stay in
// flight, one commits.
Task<Try> try_once(Engine& engine, std::string operation, const std::function<Task<void>(Transaction&)>* body) {
  const auto transaction = engine.begin();
  if (!operation.empty()) {
    CO_TRY_ASSIGN(const auto found, transaction->get(operation));
    if (found) co_return Try{.fenced = *found == kFenced, .sequence = engine.committed()};
  }
  if (body != nullptr) {
    CO_TRY((*body)(*transaction));
  }
  if (!operation.empty()) transaction->put(operation, std::string(body != nullptr ? kDone : kFenced));
  CO_TRY_ASSIGN(const Sequence sequence, transaction->commit());
  co_return Try{.fenced = body == nullptr, .sequence = sequence};
}

}  // namespace

Task<Sequence> run(Engine& engine, Random& random, std::function<Task<void>(Transaction&)> body, RunOptions options) {
  constexpr RetryOptions kPace{.delay_first = std::chrono::microseconds(200),
                               .delay_max = std::chrono::milliseconds(50)};
  const std::string operation = operation_key(engine, random);
  std::optional<Error> unknown;  // a try that may have committed, or may yet
  std::optional<Error> failure;  // the body's verdict, which holds once such tries are fenced
  for (int n = 1; n <= options.tries_max; ++n) {
    auto tried = co_await try_once(engine, operation, failure ? nullptr : &body);
    if (tried.ok()) {
      if (tried->fenced) co_return *failure;
      co_return tried->sequence;
    }
    const bool hidden = tried.error().code == Code::kUnknownOutcome && !operation.empty();
    if (hidden) {
      unknown = tried.error();
    } else if (tried.error().code != Code::kConflict) {
      if (!unknown) co_return tried.error();
      if (failure) co_return *unknown;  // fencing failed too
      failure = tried.error();
    }
    CO_TRY(sleep_for(retry_delay(kPace, n, random)));
  }
  if (unknown) co_return *unknown;
  co_return Error{Code::kBusy, "too many transactions compete for the same rows; try again later"};
}

}  // namespace tombolo::kv
