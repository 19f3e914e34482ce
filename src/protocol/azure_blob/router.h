// Which operation a request asks for.
#pragma once

#include <span>
#include <string_view>

#include "auth/authorize.h"
#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

struct Operation {
  std::string_view name;  // as in Microsoft's documentation, without spaces: "PutBlob"
  Level level;
  std::string_view method;
  std::string_view restype;  // lower case; empty: none
  std::string_view comp;     // lower case; empty: none
  auth::Rights rights;
  Task<Reply> (*run)(const Call& call);
};

/// Every operation there is; the list that the documentation shows.
std::span<const Operation> operations();

/// UnsupportedHttpVerb: the resource has no such method. UnsupportedQueryParameter: an operation of Azure's that is not
/// built. InvalidQueryParameterValue, MissingRequiredQueryParameter: no operation of anybody's.
Result<const Operation*> route(Level level, std::string_view method, const Query& query);

}  // namespace tombolo::azure_blob
