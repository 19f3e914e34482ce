#include "meta/ops/row_cursor.h"

#include <algorithm>

#include "kv/tables.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kPageRowsMin = 16;  // a seek that finds a folded prefix reads no more than this
constexpr std::uint32_t kPageRowsMax = 1'024;

}  // namespace

RowCursor::RowCursor(kv::Snapshot& snapshot, std::string prefix, std::string begin)
    : snapshot_(snapshot),
      end_(kv::prefix_end(prefix)),
      next_(std::max(std::move(begin), std::move(prefix))),
      page_rows_(kPageRowsMin) {}

Task<const kv::Row*> RowCursor::peek() {
  while (at_ == page_.rows.size()) {
    if (!more_ || next_ >= end_) co_return nullptr;
    kv::RangeQuery query;
    query.begin = next_;
    query.end = end_;
    query.limit = page_rows_;
    CO_TRY_ASSIGN(page_, snapshot_.range(std::move(query)));
    at_ = 0;
    more_ = page_.more;
    if (!page_.rows.empty()) next_ = page_.rows.back().key + '\0';
    page_rows_ = std::min(page_rows_ * 4, kPageRowsMax);
  }
  co_return &page_.rows[at_];
}

void RowCursor::advance() {
  ++at_;
}

void RowCursor::skip_to(std::string key) {
  while (at_ < page_.rows.size() && page_.rows[at_].key < key) ++at_;
  if (at_ < page_.rows.size() || key <= next_) return;
  next_ = std::move(key);
  page_rows_ = kPageRowsMin;
}

}  // namespace tombolo::meta
