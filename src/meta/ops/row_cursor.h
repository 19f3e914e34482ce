// RowCursor: the rows below a prefix one by one, fetched in pages that grow while they are used up.
#pragma once

#include <string>

#include "kv/kv.h"

namespace tombolo::meta {

/// Not thread-safe. The snapshot must outlive it.
class RowCursor {
 public:
  /// Starts at `begin`, or at `prefix` where that is later.
  RowCursor(kv::Snapshot& snapshot, std::string prefix, std::string begin);

  /// The row that the cursor is at, nullptr at the end. Valid until the cursor moves.
  Task<const kv::Row*> peek();
  void advance();
  /// Moves to the first row at or behind `key`; without a read where the page at hand reaches that far.
  void skip_to(std::string key);

 private:
  kv::Snapshot& snapshot_;
  std::string end_;
  std::string next_;  // where the next page begins
  bool more_ = true;
  kv::RangePage page_;
  std::size_t at_ = 0;
  std::uint32_t page_rows_;
};

}  // namespace tombolo::meta
