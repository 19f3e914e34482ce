// The account that signed the test vectors. Included by tests only.
#pragma once

#include "auth/key_ring.h"

namespace tombolo::auth {

/// "tombolotest"; key1 is the bytes 0..63, as in the scripts that made the vectors.
inline AccountKeys test_keys() {
  AccountKeys keys{.tenant = TenantId{7}, .account = "tombolotest"};
  for (int i = 0; i < 64; ++i) keys.key1.push_back(static_cast<std::byte>(i));
  keys.key2 = to_bytes("a second key, for rotation");
  return keys;
}

}  // namespace tombolo::auth
