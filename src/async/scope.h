// Scope: owns spawned tasks, so that none outlives what it refers to.
#pragma once

#include <memory>
#include <string>

#include "async/task.h"

namespace tombolo {

/// spawn() starts a Task<void> on an executor; close() stops admission, cancels what runs (Asio terminal cancellation,
/// delivered on each task's own executor) and waits until all are gone. Thread-safe. The destructor asserts that the
/// scope is empty. A task's error is logged at warn, with `name`; an exception other than a cancellation aborts.
class Scope {
 public:
  explicit Scope(std::string name);
  ~Scope();
  Scope(const Scope&) = delete;

  /// False, and the task is dropped unstarted, when the scope is closing.
  bool spawn(const Executor& executor, Task<void> task);
  Task<void> close();
  /// Waits until everything spawned so far has ended, without cancelling. Admission stays open.
  Task<void> join();
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tombolo
