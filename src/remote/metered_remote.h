// MeteredRemote: any remote, counted.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "observe/metrics.h"
#include "remote/remote.h"

namespace tombolo::remote {

/// Counts operations by outcome, their times, and the bytes of bodies as they pass; a get whose body fails counts once
/// more, with that outcome. Changes nothing else. `metrics` and
/// `clock` outlive it and every source that it hands out.
class MeteredRemote final : public Remote {
 public:
  MeteredRemote(std::shared_ptr<Remote> inner, observe::Metrics& metrics, Clock& clock);

  const std::string& name() const override { return inner_->name(); }
  Capabilities capabilities() const override { return inner_->capabilities(); }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site = {}) override;
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site = {}) override;
  Task<HeadResult> head(std::string key, CallSite site = {}) override;
  Task<ListPage> list(ListRequest request, CallSite site = {}) override;
  Task<void> remove(std::string key, Condition condition, CallSite site = {}) override;
  std::optional<Duration> clock_skew() const override { return inner_->clock_skew(); }

 private:
  struct Operation {
    std::string_view name;
    observe::Histogram& seconds;
  };
  Operation operation(std::string_view name) const;
  template <class T>
  Task<T> counted(const Operation& operation, Task<T> task);

  const std::shared_ptr<Remote> inner_;
  observe::Metrics& metrics_;
  Clock& clock_;
  const Operation put_, get_, head_, list_, remove_;
  observe::Counter& received_;
  observe::Counter& sent_;
};

}  // namespace tombolo::remote
