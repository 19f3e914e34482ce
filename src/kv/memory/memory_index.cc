#include "kv/memory/memory_index.h"

#include <algorithm>

#include "base/assert.h"

namespace tombolo::kv {

/// The rows as of one apply(); keeps their versions from being forgotten.
class MemoryIndex::View final : public Snapshot {
 public:
  View(MemoryIndex& index, std::uint64_t number) : index_(index), number_(number) {}
  ~View() override { index_.close_view(number_); }

  Task<std::optional<std::string>> get(std::string key) override {
    const std::lock_guard lock(index_.mutex_);
    co_return find(key);
  }

  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override {
    std::vector<std::optional<std::string>> out;
    const std::lock_guard lock(index_.mutex_);
    for (const auto& key : keys) out.push_back(find(key));
    co_return out;
  }

  /// All is in memory, but given as elsewhere: sometimes. Every other row by its key, so that both ways are taken.
  SharedValue at_hand(std::string_view key) override {
    if (std::hash<std::string_view>()(key) % 2 == 0) return nullptr;
    const std::lock_guard lock(index_.mutex_);
    const auto found = find(std::string(key));
    return found ? std::make_shared<const std::string>(*found) : nullptr;
  }

  Task<RangePage> range(RangeQuery query) override {
    RangePage page;
    if (query.begin >= query.end) co_return page;
    const std::lock_guard lock(index_.mutex_);
    const auto first = index_.rows_.lower_bound(query.begin);
    const auto last = index_.rows_.lower_bound(query.end);
    if (query.direction == Direction::kForward) {
      collect(first, last, query, page);
    } else {
      collect(std::make_reverse_iterator(last), std::make_reverse_iterator(first), query, page);
    }
    co_return page;
  }

 private:
  std::optional<std::string> find(const std::string& key) const {
    const auto found = index_.rows_.find(key);
    if (found == index_.rows_.end()) return std::nullopt;
    const auto* value = at(found->second, number_);
    return value != nullptr ? *value : std::nullopt;
  }

  template <class Iterator>
  void collect(Iterator from, Iterator to, const RangeQuery& query, RangePage& page) const {
    std::size_t bytes = 0;
    for (; from != to; ++from) {
      const auto* value = at(from->second, number_);
      if (value == nullptr || !*value) continue;
      if (page.rows.size() == query.limit || bytes >= query.byte_limit) {
        page.more = true;
        return;
      }
      bytes += from->first.size() + (*value)->size();
      page.rows.push_back({from->first, **value});
    }
  }

  MemoryIndex& index_;
  const std::uint64_t number_;
};

MemoryIndex::MemoryIndex() = default;

MemoryIndex::~MemoryIndex() {
  ASSERT(views_.empty());
}

const std::optional<std::string>* MemoryIndex::at(const Versions& versions, std::uint64_t number) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->number <= number) return &version->value;
  }
  return nullptr;
}

Position MemoryIndex::applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

void MemoryIndex::apply_now(const std::vector<LogEntry>& group, Position to) {
  const std::lock_guard lock(mutex_);
  ++number_;
  for (const auto& entry : group) {
    for (const auto& [key, value] : entry.writes) {
      Versions& versions = rows_[key];
      if (!versions.empty() && versions.back().number == number_) {
        versions.back().value = value;
        continue;
      }
      if (!versions.empty() || !value) superseded_.emplace_back(number_, key);
      versions.push_back({number_, value});
    }
  }
  applied_ = to;
  forget();
}

Task<void> MemoryIndex::apply(const std::vector<LogEntry>& group, Position to) {
  apply_now(group, to);
  co_return Result<void>{};
}

/// Drops versions that no view sees. Requires mutex_.
void MemoryIndex::forget() {
  const std::uint64_t oldest = views_.empty() ? number_ : *views_.begin();
  while (!superseded_.empty() && superseded_.front().first <= oldest) {
    const auto row = rows_.find(superseded_.front().second);
    superseded_.pop_front();
    if (row == rows_.end()) continue;
    Versions& versions = row->second;
    // The newest version that the oldest view sees stays; those before it go.
    std::size_t keep = 0;
    while (keep + 1 < versions.size() && versions[keep + 1].number <= oldest) ++keep;
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(keep));
    if (versions.size() == 1 && !versions.front().value && versions.front().number <= oldest) rows_.erase(row);
  }
}

std::unique_ptr<Snapshot> MemoryIndex::snapshot() {
  const std::lock_guard lock(mutex_);
  views_.insert(number_);
  return std::make_unique<View>(*this, number_);
}

void MemoryIndex::close_view(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  views_.erase(views_.find(number));
  forget();
}

std::optional<std::string> MemoryIndex::latest(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(key);
  return found == rows_.end() ? std::nullopt : found->second.back().value;
}

Task<void> MemoryIndex::flush() {
  const std::lock_guard lock(mutex_);
  flushed_rows_.clear();
  for (const auto& [key, versions] : rows_) {
    if (versions.back().value) flushed_rows_.emplace(key, *versions.back().value);
  }
  flushed_ = applied_;
  co_return Result<void>{};
}

void MemoryIndex::crash() {
  const std::lock_guard lock(mutex_);
  ASSERT(views_.empty());
  rows_.clear();
  superseded_.clear();
  for (const auto& [key, value] : flushed_rows_) rows_.emplace(key, Versions{{number_, value}});
  applied_ = flushed_;
}

std::size_t MemoryIndex::versions() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [key, versions] : rows_) count += versions.size();
  return count;
}

}  // namespace tombolo::kv
