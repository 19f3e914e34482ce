// Staged blocks of a name and the head row that owns them (core.md §4).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"
#include "meta/model/container.h"

namespace tombolo::meta {

inline constexpr std::size_t kBlockIdBytesMax = 64;
/// Uncommitted blocks go this long after the last one was staged (up to a day later: the head row notes staging once a
/// day).
inline constexpr std::uint64_t kUploadIdleMicrosMax = 7ull * 24 * 3600 * 1'000'000;
inline constexpr std::uint64_t kUploadTouchMicros = 24ull * 3600 * 1'000'000;

enum class UploadState : std::uint8_t { kOpen = 0, kSealed = 1 };

/// Row U <dir>/<name>\0\0<slot>; slot 0 is the one implicit upload of an Azure name.
struct UploadHead {
  UploadId id;
  UploadState state = UploadState::kOpen;
  std::uint32_t block_id_length = 0;  // bytes; 0: nothing was staged (a commit of an unstaged name sealed it)
  Stamp created;
  Stamp touched;                 // last known staging
  std::uint64_t seal_epoch = 0;  // process epoch of the sealer
  std::uint64_t seal_id = 0;     // which seal
  Stamp sealed_at;
};

/// What a commit holds between seal and flip.
struct UploadSeal {
  ContainerKey container;
  std::string name;
  UploadId upload;
  std::uint64_t seal_id = 0;
  std::shared_ptr<const void> hold;  // of HeldSeals: with the last copy the seal is void
};

/// Row u <upload>b<block id>.
struct StagedBlockRow {
  std::string block_id;  // raw bytes, in the key
  GenId gen;
  std::uint64_t length = 0;
  std::uint64_t crc64 = 0;
  Stamp staged;
};

enum class BlockSource : std::uint8_t { kCommitted, kUncommitted, kLatest };
struct BlockChoice {
  BlockSource source = BlockSource::kLatest;
  std::string block_id;  // raw bytes
};

}  // namespace tombolo::meta
