// SignedRequest: what a verifier may look at. A view of a parsed request; knows no HTTP library.
#pragma once

#include <string_view>
#include <vector>

namespace tombolo::auth {

struct NameValue {
  std::string_view name;
  std::string_view value;
};

/// Views into the request, which the caller keeps alive until the verification has ended.
struct SignedRequest {
  std::string_view method = {};       // as on the wire, upper case
  std::string_view path = {};         // as on the wire: percent-encoded, without the query; path style has the account
  std::vector<NameValue> query = {};  // decoded once, "+" read as a space, in wire order, empty values kept
  std::vector<NameValue> headers = {};  // in wire order; names in any case
  // What the address resolved to, path style and host style alike, decoded.
  std::string_view account = {};
  std::string_view container = {};  // empty at the level of the account
  std::string_view blob = {};       // empty at the level of the account or container
  // Of the TCP peer, in text; never from a header (X-Forwarded-For is not believed).
  std::string_view client_ip = {};
  bool https = false;
};

/// The first header of that name (any case) without surrounding spaces and tabs; empty when absent.
std::string_view header(const SignedRequest& request, std::string_view name);
/// The first query value of that name (any case); empty when absent.
std::string_view query_value(const SignedRequest& request, std::string_view name);

}  // namespace tombolo::auth
