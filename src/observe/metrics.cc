#include "observe/metrics.h"

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include "base/assert.h"

namespace tombolo::observe {
namespace {

enum class Kind { counter, gauge, histogram, total };

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

const char* type_name(Kind kind) {
  switch (kind) {
    case Kind::counter:
    case Kind::total:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      return "histogram";
  }
  return "untyped";
}

std::string escape(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

// `name="value",…`: also the key under which a series is kept.
std::string render_labels(const Definition& definition, Labels values) {
  ASSERT(values.size() == definition.labels.size());
  std::string out;
  auto name = definition.labels.begin();
  for (const std::string_view value : values) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", *name++, escape(value));
  }
  return out;
}

double seconds(std::uint64_t micros) {
  return static_cast<double>(micros) / 1e6;
}

void write_sample(std::string& to, std::string_view name, std::string_view labels, double value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(to), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(to), "{}{{{}}} {}\n", name, labels, value);
  }
}

void write_histogram(std::string& to, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const Histogram::Reading reading = histogram.read();
  const std::string_view comma = labels.empty() ? "" : ",";
  std::uint64_t below = 0;
  for (unsigned n = 0; n < Histogram::kBuckets; ++n) {
    below += reading.buckets[n];
    fmt::format_to(std::back_inserter(to), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma,
                   seconds(Histogram::bound_micros(n)), below);
  }
  fmt::format_to(std::back_inserter(to), "{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, reading.count);
  write_sample(to, fmt::format("{}_sum", name), labels, seconds(reading.sum_micros));
  write_sample(to, fmt::format("{}_count", name), labels, static_cast<double>(reading.count));
}

}  // namespace

// Series by their rendered labels. Addresses of a map's values do not change.
struct Metrics::Family {
  mutable std::mutex mutex;
  std::map<std::string, Counter> counters;
  std::map<std::string, Gauge> gauges;
  std::map<std::string, Histogram> histograms;
};

Metrics::Metrics() : families_(std::make_unique<Family[]>(table().size())) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(Metric counter, Labels labels) {
  const auto i = static_cast<std::size_t>(counter);
  ASSERT(table()[i].kind == Kind::counter);
  const std::lock_guard lock(families_[i].mutex);
  return families_[i].counters[render_labels(table()[i], labels)];
}

Gauge& Metrics::gauge(Metric gauge_or_total, Labels labels) {
  const auto i = static_cast<std::size_t>(gauge_or_total);
  ASSERT(table()[i].kind == Kind::gauge || table()[i].kind == Kind::total);
  const std::lock_guard lock(families_[i].mutex);
  return families_[i].gauges[render_labels(table()[i], labels)];
}

Histogram& Metrics::histogram(Metric histogram, Labels labels) {
  const auto i = static_cast<std::size_t>(histogram);
  ASSERT(table()[i].kind == Kind::histogram);
  const std::lock_guard lock(families_[i].mutex);
  return families_[i].histograms[render_labels(table()[i], labels)];
}

std::string Metrics::text() const {
  std::string out;
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Definition& d = table()[i];
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", d.name, d.help, d.name, type_name(d.kind));
    const std::lock_guard lock(families_[i].mutex);
    for (const auto& [labels, counter] : families_[i].counters) {
      write_sample(out, d.name, labels, static_cast<double>(counter.value()));
    }
    for (const auto& [labels, gauge] : families_[i].gauges) write_sample(out, d.name, labels, gauge.value());
    for (const auto& [labels, histogram] : families_[i].histograms) write_histogram(out, d.name, labels, histogram);
  }
  return out;
}

}  // namespace tombolo::observe
