// commit_log_bench: our commit log bare. Writers that each put 4 KiB, wait until it is durable, and put again; behind
// the log an index that keeps nothing. What a durable PUT can be compared with.
//
//   commit_log_bench --directory D [--seconds 1] [--writers 64] [--bytes 4096]
//
// Prints one line of JSON.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "async/run.h"
#include "async/scope.h"
#include "disk/posix/posix_disk.h"
#include "kv/log/log_engine.h"

namespace tombolo {
namespace {

class NoRows final : public kv::Snapshot {
 public:
  Task<std::optional<std::string>> get(std::string) override { co_return std::optional<std::string>{}; }
  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override {
    co_return std::vector<std::optional<std::string>>(keys.size());
  }
  Task<kv::RangePage> range(kv::RangeQuery) override { co_return kv::RangePage{}; }
};

/// Keeps a position, no rows.
class NoIndex final : public kv::Index {
 public:
  kv::Position applied() const override { return at_; }
  Task<void> apply(const std::vector<kv::LogEntry>&, kv::Position to) override {
    at_ = to;
    co_return Result<void>{};
  }
  std::unique_ptr<kv::Snapshot> snapshot() override { return std::make_unique<NoRows>(); }
  Task<void> flush() override { co_return Result<void>{}; }
  std::uint64_t flush_bytes() const override { return 0; }
  Task<void> verify() override { co_return Result<void>{}; }

 private:
  kv::Position at_;
};

struct Options {
  std::string directory;
  double seconds = 1;
  unsigned writers = 64;
  std::size_t bytes = 4096;
};

struct Counted {
  std::uint64_t commits = 0;
  std::chrono::steady_clock::time_point end;
};

Task<void> write_until_end(kv::Engine& engine, Counted& counted, unsigned writer, std::size_t bytes) {
  const std::string value(bytes, static_cast<char>('a' + writer % 26));
  for (std::uint64_t i = 0; std::chrono::steady_clock::now() < counted.end; ++i) {
    const auto transaction = engine.begin();
    transaction->put("w" + std::to_string(writer) + "/" + std::to_string(i), value);
    CO_TRY(transaction->commit());
    ++counted.commits;
  }
  co_return Result<void>{};
}

Task<double> measure(kv::Engine& engine, Executor executor, Options options, Counted& counted) {
  const auto begun = std::chrono::steady_clock::now();
  counted.end = begun + std::chrono::microseconds(static_cast<std::int64_t>(options.seconds * 1e6));
  Scope writers("writers");
  for (unsigned i = 0; i < options.writers; ++i) {
    writers.spawn(executor, write_until_end(engine, counted, i, options.bytes));
  }
  CO_TRY(writers.join());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  CO_TRY(writers.close());
  co_return took.count();
}

Result<void> run(const Options& options) {
  Workers workers;
  TRY_ASSIGN(const auto disk, disk::PosixDisk::open_root(options.directory, workers));
  boost::asio::io_context loop(1);
  SystemClock clock;
  SystemRandom random;
  kv::LogEngine::Services services{.disk = *disk,
                                   .index = std::make_unique<NoIndex>(),
                                   .clock = clock,
                                   .random = random,
                                   .executor = loop.get_executor()};
  TRY_ASSIGN(const auto engine, run_to_end(loop, kv::LogEngine::open(std::move(services), {})));
  Counted counted;
  TRY_ASSIGN(const double seconds, run_to_end(loop, measure(*engine, loop.get_executor(), options, counted)));
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const double cpu_s = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                       static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::printf("{\"ops\": %llu, \"seconds\": %.6f, \"cpu_s\": %.3f, \"syncs\": %llu}\n",
              static_cast<unsigned long long>(counted.commits), seconds, cpu_s,
              static_cast<unsigned long long>(engine->status().log.syncs));
  return run_to_end(loop, engine->close());
}

}  // namespace
}  // namespace tombolo

int main(int count, char** words) {
  tombolo::Options options;
  CLI::App app("our commit log bare");
  app.add_option("--directory", options.directory)->required();
  app.add_option("--seconds", options.seconds);
  app.add_option("--writers", options.writers);
  app.add_option("--bytes", options.bytes);
  CLI11_PARSE(app, count, words);
  const auto done = tombolo::run(options);
  if (done.ok()) return 0;
  std::fprintf(stderr, "commit_log_bench: %s\n", to_string(done.error()).c_str());
  return 1;
}
