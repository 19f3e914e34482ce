// Gets: exactly the bytes asked for, of exactly the object asked for.
#pragma once

#include <memory>

#include "remote/azure/caller.h"
#include "remote/remote.h"

namespace tombolo::remote::azure {

Task<std::unique_ptr<ByteSource>> get_object(std::shared_ptr<Caller> caller, GetRequest request);

}  // namespace tombolo::remote::azure
