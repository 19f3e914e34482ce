// Heads as bytes.
#pragma once

#include "http/message.h"

namespace tombolo::http {

/// What the server says of its own accord.
struct ResponseExtras {
  std::string_view date;
  std::optional<std::uint64_t> content_length;  // none in 204 and 304
  bool close = false;
};

/// Fields that belong to the connection (see ResponseHead) are dropped from `head`. kInternal when a name or value
/// could not be told from framing (a control byte): it must not reach the wire.
Result<std::string> render(const ResponseHead& head, const ResponseExtras& extras);

struct RequestExtras {
  std::string_view method;
  std::string_view target;
  std::string_view host;                        // sent where `headers` has no Host
  std::optional<std::uint64_t> content_length;  // none: no body
};

/// kInvalid as above, and for a method or target that would break the first line.
Result<std::string> render(const Headers& headers, const RequestExtras& extras);

}  // namespace tombolo::http
