// The body of Put Block List.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/types.h"

namespace tombolo::azure_blob {

inline constexpr std::size_t kBlocksMax = 50'000;
inline constexpr std::size_t kBlockIdBytesMax = 64;
/// 50,000 blocks, each an id of 88 characters between <Uncommitted> tags, and room for white space.
inline constexpr std::size_t kBlockListBytesMax = 8 * 1024 * 1024;

/// One <BlockList> with <Committed>, <Uncommitted>, <Latest>, each the base64 of a block id; comments and white space
/// between them. InvalidXmlDocument: not well formed, a DOCTYPE, processing instructions, other elements or attributes,
/// anything behind the list, deeper than it is; InvalidBlockId; BlockListTooLong.
Result<std::vector<store::BlockChoice>> parse_block_list(std::string_view xml);

/// The raw bytes of a block id. InvalidBlockId: no base64, empty, over 64 bytes.
Result<std::string> parse_block_id(std::string_view base64);

}  // namespace tombolo::azure_blob
