// Puts: one request or blocks, and what to believe when the answer is lost.
#pragma once

#include <memory>

#include "remote/azure/caller.h"
#include "remote/remote.h"

namespace tombolo::remote::azure {

Task<RemoteObject> put_object(std::shared_ptr<Caller> caller, PutRequest request, BodyFactory body);

/// HEAD, until it answers.
Task<HeadResult> head_object(std::shared_ptr<Caller> caller, std::string key);

/// After "condition failed": whether that is because nothing is there. (Azurite 3.35.0 answers 412 to If-Match then,
/// observed 2026-11-21; Azure 404.) False when nobody can say.
Task<bool> is_gone(std::shared_ptr<Caller> caller, std::string key);

}  // namespace tombolo::remote::azure
