// Counter, Gauge, Histogram: what is counted where it happens. No lock, no allocation: a relaxed add on a cache line
// that few threads share.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace tombolo::observe {

/// Each thread adds to one of so many copies, so that event loops do not fight for a cache line.
inline constexpr unsigned kShards = 8;

inline unsigned shard_of_thread() {
  static std::atomic<unsigned> threads{0};
  static thread_local const unsigned mine = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
  return mine;
}

/// Thread-safe. Only grows.
class Counter {
 public:
  void add(std::uint64_t by = 1) { shards_[shard_of_thread()].value.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Shard, kShards> shards_;
};

/// Thread-safe.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Times by powers of two from 100 µs to 52 s: hot reads to stalled remotes. Thread-safe.
class Histogram {
 public:
  static constexpr unsigned kBuckets = 20;  // and one for what is longer than all of them
  /// The bucket's upper bound, inclusive.
  static constexpr std::uint64_t bound_micros(unsigned bucket) { return std::uint64_t{100} << bucket; }

  void observe_micros(std::uint64_t micros) {
    unsigned bucket = 0;
    while (bucket < kBuckets && micros > bound_micros(bucket)) ++bucket;
    Shard& shard = shards_[shard_of_thread()];
    shard.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
    shard.sum_micros.fetch_add(micros, std::memory_order_relaxed);
  }

  struct Reading {
    std::array<std::uint64_t, kBuckets + 1> buckets{};  // not cumulative
    std::uint64_t count = 0, sum_micros = 0;
  };
  Reading read() const {
    Reading sum;
    for (const Shard& shard : shards_) {
      for (unsigned n = 0; n <= kBuckets; ++n) {
        const std::uint64_t value = shard.buckets[n].load(std::memory_order_relaxed);
        sum.buckets[n] += value;
        sum.count += value;
      }
      sum.sum_micros += shard.sum_micros.load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, kBuckets + 1> buckets{};
    std::atomic<std::uint64_t> sum_micros{0};
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace tombolo::observe
