// What clients change.
#include <fmt/format.h>

#include "testing/linearize/run_state.h"
#include "testing/model/generate.h"

namespace tombolo::testing::linearize {

using model::Kind;
using model::Operation;
using model::Precondition;

namespace {

struct Weight {
  Kind kind;
  unsigned weight;
};
constexpr Weight kWeights[] = {{Kind::kPut, 26},  {Kind::kGet, 22},   {Kind::kRange, 10},
                               {Kind::kList, 6},  {Kind::kDelete, 9}, {Kind::kMetadata, 9},
                               {Kind::kStage, 9}, {Kind::kCommit, 6}, {Kind::kBlocks, 3}};
constexpr bool concerns_blocks(Kind kind) {
  return kind == Kind::kStage || kind == Kind::kCommit || kind == Kind::kBlocks;
}

Kind draw_kind(SeededRandom& random, bool blocks) {
  unsigned total = 0;
  for (const Weight& weight : kWeights) total += blocks || !concerns_blocks(weight.kind) ? weight.weight : 0;
  std::uint64_t at = random.below(total);
  for (const Weight& weight : kWeights) {
    if (!blocks && concerns_blocks(weight.kind)) continue;
    if (at < weight.weight) return weight.kind;
    at -= weight.weight;
  }
  return Kind::kGet;
}

std::optional<meta::Object> object_of(const Result<meta::Object>& result) {
  return *result;
}
template <class T>
std::optional<meta::Object> object_of(const Result<T>&) {
  return std::nullopt;
}

}  // namespace

Task<void> Run::client(Client& me) {
  while (!over()) {
    if (habits_.think.count() > 0 && me.random.below(2) == 0) {
      const std::uint64_t most = static_cast<std::uint64_t>(habits_.think.count());
      CO_TRY(sleep_for(Duration(static_cast<std::int64_t>(me.random.below(most)))));
      if (over()) break;
    }
    --left_;
    ++stats_.operations;
    CO_TRY(dispatch(me, draw(me)));
  }
  co_return Result<void>{};
}

Operation Run::draw(Client& me) {
  Operation operation;
  operation.kind = draw_kind(me.random, habits_.blocks);
  operation.key = static_cast<unsigned>(me.random.below(habits_.keys));
  model::fill_in(operation, me.random);
  const bool has_bytes = operation.kind == Kind::kPut || operation.kind == Kind::kStage;
  if (has_bytes && me.random.below(habits_.big_one_in) != 0) operation.size = 1 + operation.size % 300;
  if (operation.kind == Kind::kRange && me.random.below(2) == 0) operation.size %= 300;
  // Clients who create, and clients who change what they have seen, compete more often than the model's one does.
  const bool competes =
      operation.kind == Kind::kPut || operation.kind == Kind::kMetadata || operation.kind == Kind::kCommit;
  if (competes && me.random.below(4) == 0) {
    operation.condition =
        operation.kind == Kind::kMetadata || me.random.below(2) == 0 ? Precondition::kCurrent : Precondition::kAbsent;
  }
  return operation;
}

Task<void> Run::dispatch(Client& me, Operation operation) {
  switch (operation.kind) {
    case Kind::kPut:
      return put(me, std::move(operation));
    case Kind::kDelete:
      return remove(me, std::move(operation));
    case Kind::kMetadata:
      return metadata(me, std::move(operation));
    case Kind::kStage:
      return stage(me, std::move(operation));
    case Kind::kCommit:
      return commit(me, std::move(operation));
    case Kind::kBlocks:
      return blocks(me, std::move(operation));
    case Kind::kList:
      return list(me, std::move(operation));
    case Kind::kGet:
      if (operation.condition == Precondition::kNone && me.random.below(4) == 0) return head(me, std::move(operation));
      return get(me, std::move(operation));
    default:
      return get(me, std::move(operation));
  }
}

std::optional<Stamp> Run::etag_for(const Client& me, Operation& operation) const {
  const auto& heard_of = me.etags[operation.key];
  if (operation.condition == Precondition::kCurrent && !heard_of.empty()) return heard_of.back();
  if (operation.condition == Precondition::kStale && heard_of.size() > 1) return heard_of[heard_of.size() - 2];
  if (operation.condition >= Precondition::kCurrent) operation.condition = Precondition::kNone;
  return std::nullopt;
}

// ---- what was heard

Step Run::begin(const Client& me, const Operation& operation, std::optional<Stamp> etag) {
  Step step;
  step.client = me.number;
  step.call = ++now_;
  step.text = to_text(operation);
  if (etag) step.text += fmt::format(" ({})", etag->micros);
  return step;
}

void Run::keep(unsigned key, Step step) {
  ++stats_.steps;
  switch (step.outcome) {
    case Outcome::kAcknowledged:
      ++stats_.acknowledged;
      break;
    case Outcome::kRefused:
      ++stats_.refused;
      break;
    case Outcome::kUnknown:
      ++stats_.unknown;
      break;
    case Outcome::kSaw:
      ++stats_.reads;
      break;
  }
  if (options_.narrate) fmt::print(stderr, "{} {}\n", model::name_of_key(key), describe(step));
  world_.machine.note(step.call << 8 | static_cast<std::uint64_t>(step.outcome));
  names_[key].push_back(std::move(step));
}

void Run::failed(const Step& step, const Error& error) {
  if (error.code == Code::kBusy) {
    ++stats_.busy;
    return;
  }
  complain(fmt::format("it failed for no reason: {}: {}", describe(step), to_string(error)));
}

template <class T>
void Run::changed(Client& me, unsigned key, Step step, const Result<T>& result) {
  if (!heard()) {
    step.outcome = Outcome::kUnknown;  // its last moment is the death of the process: end_life() fills it in
  } else if (result.ok()) {
    step.answer = ++now_;
    step.outcome = Outcome::kAcknowledged;
    if (const auto object = object_of(result)) {
      step.sight = sight_of(*object);
      me.etags[key].push_back(object->etag_stamp);
    }
  } else if (model::lies_in_the_state(result.error())) {
    step.answer = ++now_;
    step.outcome = Outcome::kRefused;
    step.detail = result.error().detail;
  } else {
    return failed(step, result.error());
  }
  keep(key, std::move(step));
}

// ---- the changes

Task<void> Run::put(Client& me, Operation operation) {
  const std::optional<Stamp> etag = etag_for(me, operation);
  Step step = begin(me, operation, etag);
  step.tag = next_tag();
  const model::BytesPtr bytes = model::content(tags_, operation.size);
  model::SteppedBody body(*bytes, &world_.pace);
  store::PutObject request;
  request.length = bytes->size();
  request.body = &body;
  request.metadata = metadata_of(step.tag);
  request.conditions = model::to_conditions(operation.condition, etag);
  step.change = model::put_change(bytes, request.metadata, operation.condition, etag);
  const auto result = co_await store().put_object(object(operation.key), std::move(request));
  changed(me, operation.key, std::move(step), result);
  co_return Result<void>{};
}

Task<void> Run::remove(Client& me, Operation operation) {
  const std::optional<Stamp> etag = etag_for(me, operation);
  Step step = begin(me, operation, etag);
  step.change = model::delete_change(operation.condition, etag);
  const auto result =
      co_await store().delete_object(object(operation.key), model::to_conditions(operation.condition, etag));
  changed(me, operation.key, std::move(step), result);
  co_return Result<void>{};
}

Task<void> Run::metadata(Client& me, Operation operation) {
  const std::optional<Stamp> etag = etag_for(me, operation);
  Step step = begin(me, operation, etag);
  step.tag = next_tag();
  step.change = model::metadata_change(metadata_of(step.tag), operation.condition, etag);
  const auto result = co_await store().set_object_metadata(object(operation.key), metadata_of(step.tag),
                                                           model::to_conditions(operation.condition, etag));
  changed(me, operation.key, std::move(step), result);
  co_return Result<void>{};
}

Task<void> Run::stage(Client& me, Operation operation) {
  Step step = begin(me, operation);
  ++tags_;
  const model::BytesPtr bytes = model::content(tags_, operation.size);
  model::SteppedBody body(*bytes, &world_.pace);
  store::StageBlock request;
  request.block_id = operation.text;
  request.length = bytes->size();
  request.body = &body;
  step.change = model::stage_change(operation.text, bytes);
  const auto result = co_await store().stage_block(object(operation.key), std::move(request));
  changed(me, operation.key, std::move(step), result);
  co_return Result<void>{};
}

Task<void> Run::commit(Client& me, Operation operation) {
  const std::optional<Stamp> etag = etag_for(me, operation);
  Step step = begin(me, operation, etag);
  step.tag = next_tag();
  store::CommitBlockList request;
  request.blocks = model::parse_choices(operation.text);
  request.metadata = metadata_of(step.tag);
  request.conditions = model::to_conditions(operation.condition, etag);
  step.change = model::commit_change(request.blocks, operation.condition, etag, request.metadata);
  const auto result = co_await store().commit_block_list(object(operation.key), std::move(request));
  changed(me, operation.key, std::move(step), result);
  co_return Result<void>{};
}

}  // namespace tombolo::testing::linearize
