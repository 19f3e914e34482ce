#include "kv/rocks/rocks_index.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/system_clock.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>

#include "base/endian.h"
#include "kv/rocks/insert_hints.h"
#include "kv/rocks/manifest.h"
#include "kv/rocks/row_cache.h"
#include "kv/rocks/status.h"
#include "kv/rocks/table_checksum.h"
#include "kv/rocks/table_tail.h"

namespace tombolo::kv {

namespace {

// The one row of our own: no caller's key begins with a zero byte.
const rocksdb::Slice kAppliedKey("\0applied", 8);
constexpr std::size_t kAppliedBytes = 24;
// Above this a batch is written on a worker: inserting takes about a microsecond a row.
constexpr std::size_t kInlineBatchBytes = 64 * 1024;
// Above this a range is read on a worker at once.
constexpr std::uint32_t kInlineRangeRows = 1'000;
// So many rows that were erased, and are still in the way, one read passes at most: a millisecond or two. Past it a
// worker reads the range. RocksDB counts from one row to the next, so that each has a share of it, within bounds.
constexpr std::uint64_t kInlineSkipsMax = 10'000, kRowSkipsMin = 16, kRowSkipsMax = 1'000;

/// RocksDB counts each comparison of keys in memory of the thread, which a shared library looks up with two calls each
/// time: a quarter of the instructions of a row's way into the memtable. The level is the thread's, too.
void count_nothing() {
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

/// The same on RocksDB's own threads.
class CountNothing final : public rocksdb::EventListener {
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { count_nothing(); }
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { count_nothing(); }
};

std::string encode_position(const Position& position) {
  std::string value(kAppliedBytes, '\0');
  store_le(value.data(), position.log_id);
  store_le(value.data() + 8, position.sequence.value);
  store_le(value.data() + 16, position.chain);
  return value;
}

/// The rows between one apply() and the next. All views of that time share it: RocksDB's own snapshots take a lock of
/// the whole database.
struct State {
  State(rocksdb::DB& given, std::uint64_t given_number) : db(given), at(given.GetSnapshot()), number(given_number) {}
  ~State() { db.ReleaseSnapshot(at); }
  State(const State&) = delete;

  rocksdb::DB& db;
  const rocksdb::Snapshot* const at;
  const std::uint64_t number;  // 0 after opening, one more with each apply()
};

/// The rows as of one moment.
class RocksView final : public Snapshot {
 public:
  RocksView(std::shared_ptr<const State> state, RowCache& cache, Workers& workers)
      : state_(std::move(state)), cache_(cache), workers_(workers) {}

  Task<std::optional<std::string>> get(std::string key) override {
    if (const SharedValue row = cache_.find(key, state_->number)) co_return *row;
    auto found = find(key, rocksdb::kBlockCacheTier);
    if (!found) {
      auto read = [this, &key] { return *find(key, rocksdb::kReadAllTier); };
      found = co_await offload(workers_, std::move(read));
    }
    if (found->ok() && **found) cache_.insert(key, ***found, state_->number);
    co_return *std::move(found);
  }

  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override {
    std::vector<std::optional<std::string>> out(keys.size());
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto cached = find(keys[i], rocksdb::kBlockCacheTier);
      if (!cached) {
        missing.push_back(i);
        continue;
      }
      CO_CHECK_ASSIGN(out[i], *std::move(cached));
    }
    if (missing.empty()) co_return out;
    auto read = [this, &keys, &missing, &out] { return find_all(keys, missing, out); };
    CO_TRY(offload(workers_, std::move(read)));
    co_return out;
  }

  Task<RangePage> range(RangeQuery query) override {
    if (query.begin >= query.end) co_return RangePage{};
    if (query.limit <= kInlineRangeRows) {
      if (auto cached = scan(query, rocksdb::kBlockCacheTier)) co_return *std::move(cached);
    }
    auto read = [this, &query] { return *scan(query, rocksdb::kReadAllTier); };
    co_return co_await offload(workers_, std::move(read));
  }

  SharedValue at_hand(std::string_view key) override { return cache_.find(key, state_->number); }

 private:
  using Value = std::optional<std::string>;

  rocksdb::ReadOptions options(rocksdb::ReadTier tier) const {
    rocksdb::ReadOptions options;
    options.snapshot = state_->at;
    options.read_tier = tier;
    return options;
  }

  /// nullopt: only the disk can tell. Always answers for kReadAllTier.
  std::optional<Result<Value>> find(const std::string& key, rocksdb::ReadTier tier) const {
    count_nothing();
    std::string value;
    const auto status = state_->db.Get(options(tier), key, &value);
    if (status.ok() && value.empty() && tier == rocksdb::kBlockCacheTier && !is_empty_at_hand(key)) return std::nullopt;
    if (status.ok()) return Value(std::move(value));
    if (status.IsNotFound()) return Value();
    if (status.IsIncomplete() && tier == rocksdb::kBlockCacheTier) return std::nullopt;
    return Result<Value>(error_of(status, "reading a row"));
  }

  /// Of a row in a file that is not open, kBlockCacheTier says that it is there and empty: "may exist" is all it knows
  /// (TableCache::Get of 7.8). After opening that is so of all files but 16, and later of all past max_open_files.
  bool is_empty_at_hand(const std::string& key) const {
    std::string value;
    bool found = false;
    return state_->db.KeyMayExist(options(rocksdb::kBlockCacheTier), key, &value, &found) && found && value.empty();
  }

  Result<void> find_all(const std::vector<std::string>& keys, const std::vector<std::size_t>& places,
                        std::vector<Value>& out) const {
    for (const std::size_t i : places) {
      TRY_ASSIGN(out[i], *find(keys[i], rocksdb::kReadAllTier));
    }
    return {};
  }

  /// As find(), for a range.
  std::optional<Result<RangePage>> scan(const RangeQuery& query, rocksdb::ReadTier tier) const {
    count_nothing();
    const rocksdb::Slice begin(query.begin), end(query.end);
    auto settings = options(tier);
    settings.iterate_lower_bound = &begin;
    settings.iterate_upper_bound = &end;
    if (tier == rocksdb::kBlockCacheTier) {
      const std::uint64_t share = kInlineSkipsMax / std::max<std::uint64_t>(1, query.limit);
      settings.max_skippable_internal_keys = std::clamp(share, kRowSkipsMin, kRowSkipsMax);
    }
    const std::unique_ptr<rocksdb::Iterator> at(state_->db.NewIterator(settings));
    const bool forward = query.direction == Direction::kForward;
    RangePage page;
    std::size_t bytes = 0;
    for (forward ? at->SeekToFirst() : at->SeekToLast(); at->Valid(); forward ? at->Next() : at->Prev()) {
      if (page.rows.size() == query.limit || bytes >= query.byte_limit) {
        page.more = true;
        break;
      }
      bytes += at->key().size() + at->value().size();
      page.rows.push_back({at->key().ToString(), at->value().ToString()});
    }
    if (at->status().ok()) return page;
    if (at->status().IsIncomplete() && tier == rocksdb::kBlockCacheTier) return std::nullopt;
    return Result<RangePage>(error_of(at->status(), "reading a range"));
  }

  const std::shared_ptr<const State> state_;
  RowCache& cache_;
  Workers& workers_;
};

/// RocksDB's environment over another file system, and another clock where one is given.
class RocksEnv final : public rocksdb::EnvWrapper {
 public:
  RocksEnv(const std::shared_ptr<rocksdb::FileSystem>& files, const std::shared_ptr<rocksdb::SystemClock>& clock)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = clock ? clock : rocksdb::SystemClock::Default();
  }
};

class RocksIndex final : public Index {
 public:
  RocksIndex(std::uint64_t row_cache_bytes, Workers& workers) : workers_(workers), rows_(row_cache_bytes) {}

  /// Blocks.
  Result<void> open(const RocksIndexOptions& options) {
    rocksdb::Options settings = make_settings(options);
    if (options.files) {
      env_ = std::make_unique<RocksEnv>(options.files, options.clock);
      settings.env = env_.get();
    }
    TRY(check_table_tails(*settings.env, options.path));
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(settings, options.path, &db);
    if (status.IsCorruption()) {
      TRY_ASSIGN(const bool cut, cut_damaged_manifest(*settings.env, options.path));
      if (cut) status = rocksdb::DB::Open(settings, options.path, &db);
    }
    if (!status.ok()) return error_of(status, "opening the index in '" + options.path + "'");
    db_.reset(db);
    state_ = std::make_shared<const State>(*db_, 0);
    std::string value;
    const auto read = db_->Get({}, kAppliedKey, &value);
    if (read.IsNotFound()) return {};
    TRY(result_of(read, "reading the applied position"));
    if (value.size() != kAppliedBytes) return Error{Code::kCorrupt, "the index's applied position does not parse"};
    applied_ = {.log_id = load_le<std::uint64_t>(value.data()),
                .sequence = {load_le<std::uint64_t>(value.data() + 8)},
                .chain = load_le<std::uint64_t>(value.data() + 16)};
    return {};
  }

  Position applied() const override {
    const std::lock_guard lock(mutex_);
    return applied_;
  }

  Task<void> apply(const std::vector<LogEntry>& group, Position to) override {
    rocksdb::WriteBatch batch;
    for (const auto& entry : group) {
      for (const auto& [key, value] : entry.writes) {
        const auto status = value ? batch.Put(key, *value) : batch.Delete(key);
        CO_CHECK(result_of(status, "collecting rows"));
      }
    }
    CO_CHECK(result_of(batch.Put(kAppliedKey, encode_position(to)), "collecting rows"));
    CO_TRY(write(batch));
    const std::uint64_t number = state_->number + 1;
    for (const auto& entry : group) {
      for (const auto& change : entry.writes) rows_.changed(change.first, number);
    }
    auto state = std::make_shared<const State>(*db_, number);  // and only now can the group be seen
    const std::lock_guard lock(mutex_);
    state_.swap(state);
    applied_ = to;
    co_return Result<void>{};
  }

  std::unique_ptr<Snapshot> snapshot() override {
    std::shared_ptr<const State> state;
    {
      const std::lock_guard lock(mutex_);
      state = state_;
    }
    return std::make_unique<RocksView>(std::move(state), rows_, workers_);
  }

  Task<void> flush() override {
    auto work = [this]() -> Result<void> {
      recover();
      rocksdb::FlushOptions options;
      options.wait = true;
      options.allow_write_stall = true;
      return result_of(db_->Flush(options), "flushing");
    };
    co_return co_await offload(workers_, std::move(work));
  }

  std::uint64_t flush_bytes() const override {
    std::uint64_t bytes = 0;
    (void)db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
    return bytes;  // a table holds their rows compressed
  }

  Task<void> verify() override {
    auto work = [this]() -> Result<void> {
      TRY(result_of(db_->VerifyChecksum(), "verifying its files"));
      // Tables that were written before they had a checksum as a whole are passed over here.
      return result_of(db_->VerifyFileChecksums({}), "verifying its files");
    };
    co_return co_await offload(workers_, std::move(work));
  }

 private:
  static rocksdb::Options make_settings(const RocksIndexOptions& options) {
    rocksdb::Options settings;
    settings.create_if_missing = true;
    settings.paranoid_checks = true;
    settings.paranoid_file_checks = true;  // a flushed file is read back before it counts (core.md §1)
    settings.avoid_flush_during_shutdown = true;
    settings.write_buffer_size = options.write_buffer_bytes;
    settings.max_write_buffer_number = 3;
    settings.memtable_insert_with_hint_prefix_extractor = insert_hints();
    // Half of what a PUT looks for is not there: the object, and an upload of its name.
    settings.memtable_whole_key_filtering = true;
    settings.memtable_prefix_bloom_size_ratio = 0.01;
    settings.listeners.push_back(std::make_shared<CountNothing>());
    settings.max_background_jobs = 2;
    settings.max_open_files = 512;
    // Small objects lie in rows, so a compaction moves their bytes: half as often costs a third less, and a look into
    // four more files, which their filters spare most reads.
    settings.level0_file_num_compaction_trigger = 8;
    settings.compaction_readahead_size = 1u << 20;  // else it reads block by block, a system call each
    settings.level_compaction_dynamic_level_bytes = true;
    settings.compression = rocksdb::kLZ4Compression;
    settings.bottommost_compression = rocksdb::kZSTD;
    settings.info_log_level = rocksdb::WARN_LEVEL;
    settings.max_log_file_size = 1u << 20;
    settings.keep_log_file_num = 2;
    settings.stats_dump_period_sec = 0;
    settings.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
    table.block_size = 16 * 1024;  // of 4 KiB, every small object would be a block, a read and an index entry
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.format_version = 5;
    table.checksum = rocksdb::kXXH3;
    settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    // Of whole tables, in the MANIFEST: a footer, which tells whether blocks have checksums, has none of its own.
    settings.file_checksum_gen_factory = table_checksums();
    return settings;
  }

  /// In memory only, so it rarely waits; when it would (a stall), a worker waits.
  Task<void> write(rocksdb::WriteBatch& batch) {
    count_nothing();
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    if (batch.GetDataSize() <= kInlineBatchBytes) {
      options.no_slowdown = true;
      const auto status = db_->Write(options, &batch);
      if (status.ok()) co_return Result<void>{};
    }
    auto work = [this, &batch]() -> Result<void> {
      count_nothing();
      recover();
      rocksdb::WriteOptions patient;
      patient.disableWAL = true;
      return result_of(db_->Write(patient, &batch), "applying transactions");
    };
    co_return co_await offload(workers_, std::move(work));
  }

  /// After a failed flush or compaction RocksDB refuses writes until it is told to go on; after kNoSpace it looks every
  /// 5 s by itself whether it can (kBusy here). Does nothing when all is well.
  void recover() { db_->Resume().PermitUncheckedError(); }

  Workers& workers_;
  std::unique_ptr<rocksdb::Env> env_;  // outlives db_
  std::unique_ptr<rocksdb::DB> db_;
  RowCache rows_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_;  // written by apply() alone
  Position applied_;
};

}  // namespace

Task<std::unique_ptr<Index>> open_rocks_index(RocksIndexOptions options, Workers& workers) {
  auto index = std::make_unique<RocksIndex>(options.row_cache_bytes, workers);
  auto work = [&index, &options] { return index->open(options); };
  CO_TRY(offload(workers, std::move(work)));
  co_return index;
}

}  // namespace tombolo::kv
