// The first steps that operations share: find the container, hold a read against its conditions, wait out a commit.
#pragma once

#include <type_traits>

#include "async/retry.h"
#include "meta/cell.h"
#include "meta/model/object.h"
#include "meta/ops/objects.h"
#include "store/types.h"

namespace tombolo::store {

/// kNotFound "ContainerNotFound".
Task<meta::ContainerKey> find_container(meta::Cell cell, ContainerRef ref);

meta::ObjectAddress address_of(ObjectRef ref);

/// A read's verdict: kConditionFailed "ConditionNotMet" or "NotModified".
Result<void> check_read(const meta::Conditions& conditions, const meta::Object& object);

/// True while a commit of the name is under way: somebody else's, it ends soon.
inline bool is_sealed(const Error& error) {
  return error.code == Code::kBusy && error.detail == "UploadSealed";
}

/// Runs `body(try)` again while the name is sealed, for about two seconds; then kBusy goes to the client.
template <class Body>
auto while_sealed(Random& random, Body body) -> std::invoke_result_t<Body, int> {
  RetryOptions options;
  options.tries_max = 12;
  options.delay_first = std::chrono::milliseconds(10);
  options.delay_max = std::chrono::milliseconds(500);
  return retry(options, random, std::move(body), is_sealed);
}

}  // namespace tombolo::store
