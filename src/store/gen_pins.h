// GenPins: who reads which gen right now, so that the second phase of a gen's death waits for them (core.md §3).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/ids.h"

namespace tombolo::store {

/// Thread-safe. Readers pin, then read the gen's row; whoever erases rows claims first. A claim fails while a pin is
/// held and a pin fails while a claim is held, so no reader sees half of a gen's rows gone.
/// The pins and claims must not outlive this.
class GenPins {
 public:
  class Handle {
   public:
    Handle() = default;
    Handle(GenPins* pins, TenantId tenant, GenId gen) : pins_(pins), tenant_(tenant), gen_(gen) {}
    Handle(Handle&& other) noexcept { swap(other); }
    Handle& operator=(Handle&& other) noexcept {
      swap(other);
      return *this;
    }
    ~Handle() {
      if (pins_ != nullptr) pins_->release(tenant_, gen_);
    }

   private:
    void swap(Handle& other) noexcept {
      std::swap(pins_, other.pins_);
      std::swap(tenant_, other.tenant_);
      std::swap(gen_, other.gen_);
    }
    GenPins* pins_ = nullptr;
    TenantId tenant_;
    GenId gen_;
  };

  /// nullopt while the gen is claimed: its rows are going, treat it as gone.
  std::optional<Handle> pin(TenantId tenant, GenId gen);
  /// nullopt while somebody reads the gen: try again later.
  std::optional<Handle> claim(TenantId tenant, GenId gen);

 private:
  struct Key {
    TenantId tenant;
    GenId gen;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>(key.gen.value * 0x9E3779B97F4A7C15ULL ^ key.tenant.value);
    }
  };
  void release(TenantId tenant, GenId gen);

  std::mutex mutex_;
  std::unordered_map<Key, std::int64_t, Hash> held_;  // readers, or kClaimed
};

}  // namespace tombolo::store
