// For tests: a database as RocksDB makes it, without what the index asks of it.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <memory>
#include <string>

namespace tombolo::kv {

inline std::unique_ptr<rocksdb::DB> open_plain_db(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options, path, &db);
  EXPECT_TRUE(opened.ok()) << opened.ToString();
  return std::unique_ptr<rocksdb::DB>(db);
}

}  // namespace tombolo::kv
