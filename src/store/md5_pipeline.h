// Md5Pipeline: MD5 of a stream on helper threads, while the same bytes are being written.
#pragma once

#include <memory>
#include <optional>

#include "async/one_shot.h"
#include "base/bytes.h"
#include "base/digest.h"

namespace tombolo {
class Workers;
}

namespace tombolo::store {

/// At most one block is being hashed; add() of the next waits for it. So a stream holds two blocks: the one hashed and
/// the one being received. Not thread-safe. May be destroyed at any time: the hashing keeps what it needs.
class Md5Pipeline {
 public:
  /// `workers` must outlive it.
  explicit Md5Pipeline(Workers& workers) : workers_(workers) {}

  /// In the order of the calls. Small blocks are hashed at once, a hop costs more. kBusy: the workers' queue is full.
  Task<void> add(Block block);
  /// Requires: called once, nothing after it.
  Task<Md5Digest> finish();

 private:
  Task<void> drain();

  Workers& workers_;
  std::shared_ptr<Md5> md5_ = std::make_shared<Md5>();
  std::optional<OneShot<void>> pending_;
};

}  // namespace tombolo::store
