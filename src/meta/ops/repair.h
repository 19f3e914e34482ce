// What fsck --repair changes in rows. Each follows from other rows, read with conflict, and gives false, changing
// nothing, where these no longer say so. None erases a row that something could still need.
#pragma once

#include <cstdint>
#include <string>

#include "meta/cell.h"
#include "meta/model/container.h"
#include "meta/model/gen.h"
#include "meta/model/native.h"

namespace tombolo::meta {

/// Row i loses its native place: its bytes are on flash, whole, and the copy in the remote is not. Row K turns into an
/// intent with the nonce that it had, so that an offload goes on from whatever lies there. Requires row i to be
/// `expected` byte for byte, live, not evicted.
Task<bool> forget_native(Cell cell, TenantId tenant, Gen expected);
/// The remote object has another ETag now (restored from a copy of the bucket, say), and its bytes have been verified:
/// rows i and K get it. Requires row i to be `expected`, and row K to be live for it.
Task<bool> adopt_native(Cell cell, TenantId tenant, Gen expected, std::string etag, std::string version_id);
/// Row K of the native place that row i names, where there is none.
Task<bool> restore_native_key(Cell cell, TenantId tenant, Gen expected, std::string nonce);
/// A condemned native object, or an intent whose gen is gone, goes to garbage collection again.
Task<bool> requeue_native_key(Cell cell, TenantId tenant, NativeKey native);
/// A gen that is condemned, or staging of a process that has ended, goes to garbage collection again.
Task<bool> requeue_dead_gen(Cell cell, TenantId tenant, GenId gen);

/// The edge that the record of an object, a staged block or a slice relies on, to a gen that is live.
Task<bool> restore_edge_of_object(Cell cell, ContainerKey container, std::string name);
Task<bool> restore_edge_of_block(Cell cell, ContainerKey container, UploadId upload, std::string block_id);
Task<bool> restore_edge_of_slice(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset);
/// An edge of a holder that is no gen (and no name or upload, says the caller) goes if another edge keeps the gen.
Task<bool> drop_lonely_edge(Cell cell, TenantId tenant, GenId gen, HolderId holder);

/// The counter of cold bytes was found to be wrong by so much.
Task<void> correct_cold_bytes(Cell cell, std::int64_t by);

}  // namespace tombolo::meta
