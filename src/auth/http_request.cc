#include "auth/http_request.h"

namespace tombolo::auth {

SignedRequest view_of(const http::RequestHead& head, std::span<const http::QueryParam> query) {
  SignedRequest out{.method = head.method, .path = head.path()};
  out.query.reserve(query.size());
  for (const http::QueryParam& parameter : query) out.query.push_back({parameter.name, parameter.value});
  out.headers.reserve(head.headers.size());
  for (const auto field : head.headers) out.headers.push_back({field.name, field.value});
  return out;
}

}  // namespace tombolo::auth
