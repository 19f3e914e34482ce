#include "kv/rocks/table_tail.h"

#include <array>
#include <optional>
#include <vector>

#include "base/endian.h"
#include "kv/rocks/status.h"

namespace tombolo::kv {

namespace {

// Footer: type of the checksums (1), handles of the meta index and of the index as varints, padding, version (4),
// magic.
constexpr std::size_t kFooterBytes = 53;
constexpr std::uint64_t kMagic = 0x88e241b785f4cff7;
// The properties are the block before the meta index. A block ends with a word that counts its restarts, whose highest
// bit says that a hash index precedes it, which properties never have; then come its compression (1) and checksum (4).
constexpr std::uint64_t kHighestByteBehind = 6;

std::optional<std::uint64_t> parse_varint(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

/// False when the bit is set; true also where the end of the file cannot be made out.
Result<bool> is_sound(rocksdb::Env& env, const std::string& file) {
  const std::string reading = "reading the end of " + file;
  std::uint64_t size = 0;
  TRY(result_of(env.GetFileSize(file, &size), reading));
  if (size < kFooterBytes) return true;
  std::unique_ptr<rocksdb::RandomAccessFile> table;
  TRY(result_of(env.NewRandomAccessFile(file, &table, {}), reading));
  std::array<char, kFooterBytes> room{};
  rocksdb::Slice footer, highest;
  TRY(result_of(table->Read(size - room.size(), room.size(), &footer, room.data()), reading));
  if (footer.size() != room.size() || load_le<std::uint64_t>(footer.data() + room.size() - 8) != kMagic) return true;
  const auto meta_index = parse_varint({footer.data() + 1, footer.size() - 1});
  if (!meta_index || *meta_index < kHighestByteBehind || *meta_index > size) return true;
  char byte = 0;
  TRY(result_of(table->Read(*meta_index - kHighestByteBehind, 1, &highest, &byte), reading));
  return highest.size() != 1 || (static_cast<unsigned char>(highest[0]) & 0x80) == 0;
}

}  // namespace

Result<void> check_table_tails(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (!env.GetChildren(path, &names).ok()) return {};  // there is none yet
  for (const std::string& name : names) {
    if (!name.ends_with(".sst")) continue;
    TRY_ASSIGN(const bool sound, is_sound(env, path + "/" + name));
    if (!sound) {
      return Error{Code::kCorrupt, "RocksDB's table " + path + "/" + name +
                                       ": its properties are damaged; restore index/ and log/ together from a copy of "
                                       "the data directory"};
    }
  }
  return {};
}

}  // namespace tombolo::kv
