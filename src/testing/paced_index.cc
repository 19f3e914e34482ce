#include "testing/paced_index.h"

namespace tombolo::testing {

class PacedIndex::View final : public kv::Snapshot {
 public:
  View(std::unique_ptr<kv::Snapshot> inner, Pace& pace) : inner_(std::move(inner)), pace_(pace) {}
  Task<std::optional<std::string>> get(std::string key) override {
    CO_TRY(pace_.pause());
    co_return co_await inner_->get(std::move(key));
  }
  Task<std::vector<std::optional<std::string>>> multi_get(std::vector<std::string> keys) override {
    CO_TRY(pace_.pause());
    co_return co_await inner_->multi_get(std::move(keys));
  }
  Task<kv::RangePage> range(kv::RangeQuery query) override {
    CO_TRY(pace_.pause());
    co_return co_await inner_->range(std::move(query));
  }
  kv::SharedValue at_hand(std::string_view key) override { return inner_->at_hand(key); }

 private:
  const std::unique_ptr<kv::Snapshot> inner_;
  Pace& pace_;
};

std::unique_ptr<kv::Snapshot> PacedIndex::snapshot() {
  return std::make_unique<View>(inner_->snapshot(), pace_);
}

Task<void> PacedIndex::apply(const std::vector<kv::LogEntry>& group, kv::Position to) {
  CO_TRY(pace_.pause());
  CO_TRY(inner_->apply(group, to));
  co_return co_await pace_.pause();
}

Task<void> PacedIndex::flush() {
  CO_TRY(pace_.pause());
  co_return co_await inner_->flush();
}

}  // namespace tombolo::testing
