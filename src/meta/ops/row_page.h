// RowPage: rows of a table, a bounded number at a time, and what does not decode beside what does.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/encoding.h"
#include "kv/kv.h"

namespace tombolo::meta {

template <class Row>
struct RowPage {
  std::vector<Row> rows;
  std::vector<std::string> broken;  // a sentence each: these rows are left out
  std::string next;                 // pass as `from`; empty at the end
};

/// What came of a range. `decode` gives Result<Row> of one kv::Row.
template <class Row, class Decode>
RowPage<Row> decoded_page(const kv::RangePage& page, Decode decode) {
  RowPage<Row> out;
  for (const kv::Row& row : page.rows) {
    auto decoded = decode(row);
    if (decoded.ok()) {
      out.rows.push_back(*std::move(decoded));
    } else {
      out.broken.push_back(fmt::format("row {}: {}", hex_encode(as_bytes(row.key)), decoded.error().message));
    }
  }
  if (page.more) out.next = page.rows.back().key + '\0';
  return out;
}

}  // namespace tombolo::meta
