// A client's body into a new gen: what put_object and stage_block have in common.
#pragma once

#include "store/checked_body.h"
#include "store/write_gen.h"

namespace tombolo::store {

struct WrittenBody {
  meta::NewGen gen;
  std::optional<Md5Digest> md5;  // where it was computed
};

/// Writes the whole body and holds it to what was promised. An error means that nothing names a byte of it.
inline Task<WrittenBody> write_body(GenWriter& writer, CheckedBody& body) {
  WrittenBody out;
  while (true) {
    CO_TRY_ASSIGN(const Block block, body.next());
    if (block.empty()) break;
    CO_TRY(writer.append(block));
  }
  CO_TRY_ASSIGN(out.gen, writer.finish());
  CO_TRY_ASSIGN(out.md5, body.finish(out.gen.gen.crc64));
  co_return out;
}

}  // namespace tombolo::store
