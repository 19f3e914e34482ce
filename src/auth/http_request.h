// From http's messages to the view that is signed or verified.
#pragma once

#include <span>

#include "auth/request.h"
#include "http/message.h"

namespace tombolo::auth {

/// Method, path, query and headers of a parsed or an outgoing request; the caller fills in the address, the client and
/// the scheme. `query` must be decoded with Plus::kSpace: that is how the SDKs decode before they sign (Go's
/// url.ParseQuery, Azurite). An outgoing head must already hold every header that is signed, Content-Length included.
/// The view lives as long as both arguments stay unchanged.
SignedRequest view_of(const http::RequestHead& head, std::span<const http::QueryParam> query);

}  // namespace tombolo::auth
