// tls: GET, what new handshakes show; tls/reload: POST, certificate and key are read again.
#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "base/times.h"

namespace tombolo::admin {

Task<Reply> tls_resource(Context& context, Call call) {
  const bool shows = call.path.size() == 1 && call.method == "GET";
  const bool reloads = call.path.size() == 2 && call.path[1] == "reload" && call.method == "POST";
  if (!shows && !reloads) co_return Error{Code::kNotFound, "tls: GET; tls/reload: POST"};
  Result<TlsView> view;
  if (reloads) {
    view = co_await context.control.reload_tls();
  } else {
    view = co_await context.control.tls();
  }
  if (!view.ok()) co_return std::move(view).error();
  co_return json_reply(200, {{"certificate_file", view->certificate_file},
                             {"subject", view->subject},
                             {"names", view->names},
                             {"sha256", view->sha256},
                             {"not_before", iso8601(view->not_before)},
                             {"not_after", iso8601(view->not_after)},
                             {"handshakes", view->handshakes},
                             {"handshakes_failed", view->handshakes_failed}});
}

}  // namespace tombolo::admin
