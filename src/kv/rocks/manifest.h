// What power loss does to RocksDB's MANIFEST, made good: without this a hole in its unsynced end refuses to open.
#pragma once

#include <rocksdb/env.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::kv {

/// How many bytes from the front of a MANIFEST are whole records that verify. Pure; never crashes.
std::size_t whole_records(std::string_view manifest);

/// Cuts the MANIFEST that CURRENT names behind its last whole record, when something lies behind that. True when it
/// did, and RocksDB is worth another try; false when there is nothing to cut, or nothing would be left.
///
/// What is lost are versions of the index that no sync had covered, or that rot took. Whether the commit log reaches
/// back to what is left is for the log to say, which halts if not. Every file of a version that was never synced is
/// there still: RocksDB removes files only once the version without them is durable.
Result<bool> cut_damaged_manifest(rocksdb::Env& env, const std::string& path);

}  // namespace tombolo::kv
