// remotes: POST adds one, GET lists them with their health; remotes/NAME/test: POST.
#include <nlohmann/json.hpp>

#include "admin/handler.h"

namespace tombolo::admin {

Task<Reply> remotes_resource(Context& context, Call call) {
  if (call.path.size() == 1 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {"name", "kind", "endpoint"},
                                                  {"bucket", "prefix", "account", "key", "sas"}));
    NewRemote made;
    made.name = text_of(body, "name");
    made.kind = text_of(body, "kind");
    made.endpoint = text_of(body, "endpoint");
    made.bucket = text_of(body, "bucket");
    made.prefix = text_of(body, "prefix");
    made.account = text_of(body, "account");
    made.key = text_of(body, "key");
    made.sas = text_of(body, "sas");
    const std::string name = made.name;
    CO_TRY(context.control.add_remote(std::move(made)));
    co_return json_reply(201, {{"name", name}});
  }
  if (call.path.size() == 1 && call.method == "GET") {
    CO_TRY_ASSIGN(const auto views, context.control.remotes());
    nlohmann::json list = nlohmann::json::array();
    for (const RemoteView& view : views) {
      list.push_back({{"name", view.name},
                      {"kind", view.kind},
                      {"endpoint", view.endpoint},
                      {"bucket", view.bucket},
                      {"prefix", view.prefix},
                      {"healthy", view.healthy},
                      {"problem", view.problem}});
    }
    co_return json_reply(200, {{"remotes", list}});
  }
  if (call.path.size() == 3 && call.path[2] == "test" && call.method == "POST") {
    CO_TRY_ASSIGN(const auto steps, context.control.test_remote(call.path[1]));
    nlohmann::json list = nlohmann::json::array();
    bool ok = true;
    for (const RemoteTestStep& step : steps) {
      ok = ok && step.ok;
      list.push_back(
          {{"what", step.what}, {"ok", step.ok}, {"milliseconds", step.milliseconds}, {"problem", step.problem}});
    }
    co_return json_reply(200, {{"ok", ok}, {"steps", list}});
  }
  co_return Error{Code::kNotFound, "remotes: POST or GET; remotes/NAME/test: POST"};
}

}  // namespace tombolo::admin
