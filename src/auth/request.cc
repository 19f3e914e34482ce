#include "auth/request.h"

#include <algorithm>

#include "auth/ascii.h"

namespace tombolo::auth {
namespace {

std::string_view first(const std::vector<NameValue>& pairs, std::string_view name) {
  // Sizes first: nearly all differ, and a signature asks for a dozen names.
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const NameValue& p) {
    return p.name.size() == name.size() && equal_ignoring_case(p.name, name);
  });
  return found == pairs.end() ? std::string_view{} : found->value;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view header(const SignedRequest& request, std::string_view name) {
  return trim(first(request.headers, name));
}

std::string_view query_value(const SignedRequest& request, std::string_view name) {
  return first(request.query, name);
}

}  // namespace tombolo::auth
