// CRC64-NVME: the checksum of granules, runs, gens and objects (DESIGN decision 12).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tombolo {

/// CRC-64/NVME (reflected polynomial 0x9A6C9329AC4BC9B5, init and xorout all ones; check value of "123456789" is
/// 0xAE8B14860A799888). It is Azure's x-ms-content-crc64 and S3's CRC64NVME.
/// `crc64(b, crc64(a))` is the CRC of a followed by b. Folds with carry-less multiplication where the CPU has it.
std::uint64_t crc64(BytesView bytes, std::uint64_t crc_before = 0);

/// The CRC of a‖b from the CRCs of a and b and the length of b, without the bytes. O(log length).
std::uint64_t crc64_combine(std::uint64_t crc_a, std::uint64_t crc_b, std::uint64_t length_b);

/// The table-driven form, for tests of the fast one.
std::uint64_t crc64_portable(BytesView bytes, std::uint64_t crc_before = 0);

}  // namespace tombolo
