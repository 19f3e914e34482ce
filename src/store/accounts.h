// Accounts: storage accounts and their sealed keys, and the KeyRing that the verifiers ask.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "auth/key_ring.h"
#include "auth/seal.h"
#include "meta/cell.h"
#include "meta/model/account.h"

namespace tombolo::store {

/// Thread-safe. Opened keys are cached in memory for kCacheFor, so that a revoked key stops working within that time
/// (faults-and-threats case 41) and a signed request costs no row read.
class Accounts final : public auth::KeyRing {
 public:
  static constexpr Duration kCacheFor = std::chrono::seconds(10);
  static constexpr std::size_t kCachedMax = 10'000;

  Accounts(meta::Cell cell, const auth::Sealer& sealer) : cell_(cell), sealer_(sealer) {}

  /// A new account with two fresh random keys of 64 bytes (or `keys` as given, for the emulator's well-known account).
  /// Its tenant is made with it, named like it. kInvalid for a bad name, kAlreadyExists.
  Task<auth::AccountKeys> create(std::string name);
  /// Creates it with these keys where it is missing; leaves it alone where it exists.
  Task<void> ensure(std::string name, Bytes key1);
  Task<std::shared_ptr<const auth::PreparedKeys>> find(std::string account) override;
  /// In name order.
  Task<std::vector<std::string>> list();
  /// Opens the keys of every account. kCorrupt, and nothing should be sealed any more, when there are accounts and none
  /// opens: the root key is not the one that they were sealed with. Single ones that do not open are told of in the
  /// log.
  Task<void> check_root_key();

 private:
  struct Cached {
    std::shared_ptr<const auth::PreparedKeys> keys;  // nullptr: known not to exist
    SteadyTime read;
  };
  Result<auth::AccountKeys> open_keys(const meta::Account& row) const;
  Task<auth::AccountKeys> store_new(std::string name, Bytes key1, Bytes key2);
  void remember(const std::string& name, std::shared_ptr<const auth::PreparedKeys> keys);

  const meta::Cell cell_;
  const auth::Sealer& sealer_;
  std::mutex mutex_;
  std::map<std::string, Cached> cache_;
};

}  // namespace tombolo::store
