#include "auth/request.h"

#include <algorithm>

#include "base/ascii.h"

namespace tombolo::auth {
namespace {

std::string_view first(const std::vector<NameValue>& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const NameValue& pair) { return equal_ignoring_case(pair.name, name); });
  return found == pairs.end() ? std::string_view{} : found->value;
}

}  // namespace

std::string_view header(const SignedRequest& request, std::string_view name) {
  return trim(first(request.headers, name));
}

std::string_view query_value(const SignedRequest& request, std::string_view name) {
  return first(request.query, name);
}

}  // namespace tombolo::auth
