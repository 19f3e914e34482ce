#include "kv/rocks/manifest.h"

#include <boost/crc.hpp>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/log.h"
#include "kv/rocks/status.h"

namespace tombolo::kv {

namespace {

// RocksDB's log format: blocks of 32 KiB, no record's header across two of them.
constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;  // masked CRC32C of type and payload (4), payload bytes (2), type (1)
enum Type : std::uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

std::uint32_t crc32c(std::string_view bytes) {
  Crc32c crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace

std::size_t whole_records(std::string_view manifest) {
  std::size_t whole = 0;
  bool within = false;  // a record of several pieces
  for (std::size_t at = 0; at + kHeader <= manifest.size();) {
    const std::size_t left = kBlock - at % kBlock;
    if (left < kHeader) {  // padding
      at += left;
      continue;
    }
    const BytesView header = as_bytes(manifest.substr(at, kHeader));
    const std::size_t length = load_le<std::uint16_t>(header.data() + 4);
    const auto type = load_le<std::uint8_t>(header.data() + 6);
    if (type < kFull || type > kLast || kHeader + length > left || at + kHeader + length > manifest.size()) break;
    if (masked(crc32c(manifest.substr(at + 6, 1 + length))) != load_le<std::uint32_t>(header.data())) break;
    if (within == (type == kFull || type == kFirst)) break;
    within = type == kFirst || type == kMiddle;
    at += kHeader + length;
    if (!within) whole = at;
  }
  return whole;
}

Result<bool> cut_damaged_manifest(rocksdb::Env& env, const std::string& path) {
  std::string name, manifest;
  TRY(result_of(rocksdb::ReadFileToString(&env, path + "/CURRENT", &name), "reading CURRENT"));
  while (name.ends_with('\n')) name.pop_back();
  if (!name.starts_with("MANIFEST-") || name.contains('/')) return false;
  const std::string file = path + "/" + name;
  TRY(result_of(rocksdb::ReadFileToString(&env, file, &manifest), "reading " + name));
  const std::size_t whole = whole_records(manifest);
  if (whole == 0 || whole == manifest.size()) return false;
  log(LogLevel::kWarn, "kv",
      "the index's {} is damaged at byte {} of {}: cut there; the commit log has what is missing", name, whole,
      manifest.size());
  const std::string fresh = path + "/cut.dbtmp";  // a name that RocksDB takes for unfinished, and removes
  manifest.resize(whole);
  TRY(result_of(rocksdb::WriteStringToFile(&env, manifest, fresh, true), "writing " + name + " anew"));
  TRY(result_of(env.RenameFile(fresh, file), "replacing " + name));
  std::unique_ptr<rocksdb::Directory> directory;
  TRY(result_of(env.NewDirectory(path, &directory), "opening its directory"));
  TRY(result_of(directory->Fsync(), "syncing its directory"));
  return true;
}

}  // namespace tombolo::kv
