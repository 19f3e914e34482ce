// Native places: row K, and what the remote holds.
#include <fmt/format.h>

#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "remote/remote.h"
#include "tiering/fsck_check.h"
#include "tiering/native_copy.h"

namespace tombolo::tiering {
namespace {

constexpr const char* kOnlyPlace =
    "if the bytes are on flash too, the object reads well; else restore the remote object, or write the object again";

std::string words_for(const meta::NativePlace& place, GenId gen) {
  return fmt::format("\"{}\" in remote \"{}\", the copy of gen {}", place.key, place.remote, gen.value);
}

Task<std::optional<Finding>> ask_remote(Checking& checking, remote::Remote& remote, meta::NativePlace place,
                                        meta::Gen gen) {
  const std::string what = words_for(place, gen.id);
  const auto head = co_await remote.head(place.key);
  if (!head.ok() && head.error().code == Code::kNotFound) {
    co_return std::optional<Finding>({"remote-missing", what + ", is not there", kOnlyPlace});
  }
  if (!head.ok()) {
    co_return std::optional<Finding>(
        {"remote-unreachable", what + ": " + head.error().message, "check it again once the remote can be reached"});
  }
  checking.count(&FsckReport::remote_objects);
  if (head->object.etag != place.etag) {
    co_return std::optional<Finding>({"remote-changed",
                                      what + fmt::format(", has ETag {} instead of {}", head->object.etag, place.etag),
                                      kOnlyPlace});
  }
  if (head->object.size != gen.length) {
    co_return std::optional<Finding>({"remote-changed",
                                      what + fmt::format(", has {} bytes instead of {}", head->object.size, gen.length),
                                      kOnlyPlace});
  }
  co_return std::optional<Finding>{};
}

}  // namespace

Task<Findings> check_native_place(Checking& checking, TenantId tenant, meta::Gen gen) {
  const store::Services& services = checking.services;
  Findings out;
  const meta::NativePlace place = *gen.native;
  CO_TRY_ASSIGN(const auto row, meta::get_native_key(services.cell, tenant, place.remote, place.key));
  if (!row || row->state != meta::NativeState::kLive || row->gen != gen.id || row->etag != place.etag) {
    out.push_back({"gen-without-native-key", words_for(place, gen.id) + ", is not recorded as taken",
                   "another object may be offloaded over it: recall the object, then offload it again"});
  }
  if (checking.options.depth == Depth::kRows) co_return out;
  const auto remote = services.remotes.find(place.remote);
  if (!remote.ok()) {
    out.push_back({"remote-unknown", words_for(place, gen.id) + ": " + remote.error().message,
                   "configure the remote again under its old name"});
    co_return out;
  }
  CO_TRY_ASSIGN(auto asked, ask_remote(checking, **remote, place, gen));
  if (asked) {
    out.push_back(*std::move(asked));
    co_return out;
  }
  if (checking.options.depth != Depth::kAll) co_return out;
  const std::uint64_t length = gen.length;
  const GenId id = gen.id;
  const auto verified =
      co_await verify_copy(*remote, place.key, place.etag, std::move(gen), services.limits.cold_get_bytes_max);
  if (verified.ok()) {
    checking.count(&FsckReport::bytes_verified, length);
    co_return out;
  }
  const bool damaged = verified.error().code == Code::kCorrupt;
  out.push_back({damaged ? "remote-bytes" : "remote-unreachable",
                 words_for(place, id) + ": " + verified.error().message,
                 damaged ? kOnlyPlace : "check it again once the remote can be reached"});
  co_return out;
}

Task<Findings> check_native_key(Checking& checking, TenantId tenant, std::string remote, std::string key) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  CO_TRY_ASSIGN(const auto row, meta::get_native_key(cell, tenant, remote, key));
  if (!row) co_return out;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, row->gen));
  const bool queued = checking.dying_natives.contains({remote, key});
  const std::string what =
      fmt::format("\"{}\" in remote \"{}\" is recorded as taken by gen {}", key, remote, row->gen.value);
  constexpr const char* kAdvice =
      "the remote object may be garbage that stays: delete it by hand when nothing needs it";
  if (row->state == meta::NativeState::kLive) {
    const bool named = gen && gen->native && gen->native->remote == remote && gen->native->key == key;
    if (!named) {
      out.push_back({"native-key-without-gen",
                     fmt::format("{}, which {}", what, gen ? "does not know it" : "is not there"), kAdvice});
    }
  } else if (!queued && !gen) {
    out.push_back(
        {"native-key-without-gen", what + ", which is not there, and garbage collection does not know of it", kAdvice});
  }
  co_return out;
}

}  // namespace tombolo::tiering
