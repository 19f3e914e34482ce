// What every admin resource works with.
#pragma once

#include <memory>

#include "admin/control.h"
#include "admin/running_checks.h"
#include "jobs/scheduler.h"
#include "observe/metrics.h"
#include "store/accounts.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::admin {

/// Everything in it outlives the handler and is thread-safe.
struct Context {
  store::Services& services;
  store::Store& store;
  store::Accounts& accounts;
  jobs::Scheduler& jobs;
  observe::Metrics& metrics;
  Control& control;
  std::string token;  // what "Authorization: Bearer" must carry
  std::shared_ptr<RunningChecks> checks = std::make_shared<RunningChecks>();
};

}  // namespace tombolo::admin
