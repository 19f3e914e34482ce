#include "observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <vector>

#include "base/assert.h"

namespace tombolo::observe {
namespace {

enum class Kind { counter, gauge, histogram };

struct Definition {
  Kind kind;
  const char* name;
  const char* help;
  std::vector<const char*> labels;
};

const std::vector<Definition>& table() {
  static const std::vector<Definition> all = {
#define X(id, kind, name, help, ...) {Kind::kind, name, help, {__VA_ARGS__}},
      TOMBOLO_METRICS(X)
#undef X
  };
  return all;
}

// 100 µs to 52 s, doubling: hot reads to stalled remotes.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.0001, 0.0002, 0.0004, 0.0008,  0.0016,  0.0032, 0.0064,
                                                          0.0128, 0.0256, 0.0512, 0.1024,  0.2048,  0.4096, 0.8192,
                                                          1.6384, 3.2768, 6.5536, 13.1072, 26.2144, 52.4288};

std::map<std::string, std::string> label_map(const Definition& definition,
                                             std::initializer_list<std::string_view> values) {
  ASSERT(values.size() == definition.labels.size());
  std::map<std::string, std::string> labels;
  auto name = definition.labels.begin();
  for (const std::string_view value : values) labels.emplace(*name++, value);
  return labels;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  std::vector<prometheus::Family<prometheus::Counter>*> counters;
  std::vector<prometheus::Family<prometheus::Gauge>*> gauges;
  std::vector<prometheus::Family<prometheus::Histogram>*> histograms;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {
  for (const Definition& d : table()) {
    state_->counters.push_back(nullptr);
    state_->gauges.push_back(nullptr);
    state_->histograms.push_back(nullptr);
    switch (d.kind) {
      case Kind::counter:
        state_->counters.back() = &prometheus::BuildCounter().Name(d.name).Help(d.help).Register(state_->registry);
        break;
      case Kind::gauge:
        state_->gauges.back() = &prometheus::BuildGauge().Name(d.name).Help(d.help).Register(state_->registry);
        break;
      case Kind::histogram:
        state_->histograms.back() = &prometheus::BuildHistogram().Name(d.name).Help(d.help).Register(state_->registry);
        break;
    }
  }
}

Metrics::~Metrics() = default;

void Metrics::count(Metric counter, std::initializer_list<std::string_view> labels, double by) {
  const auto i = static_cast<std::size_t>(counter);
  ASSERT(state_->counters[i] != nullptr);
  state_->counters[i]->Add(label_map(table()[i], labels)).Increment(by);
}

void Metrics::set(Metric gauge, std::initializer_list<std::string_view> labels, double value) {
  const auto i = static_cast<std::size_t>(gauge);
  ASSERT(state_->gauges[i] != nullptr);
  state_->gauges[i]->Add(label_map(table()[i], labels)).Set(value);
}

void Metrics::observe_seconds(Metric histogram, std::initializer_list<std::string_view> labels, double seconds) {
  const auto i = static_cast<std::size_t>(histogram);
  ASSERT(state_->histograms[i] != nullptr);
  state_->histograms[i]->Add(label_map(table()[i], labels), kSeconds).Observe(seconds);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace tombolo::observe
