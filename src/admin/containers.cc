// accounts/NAME/containers: POST {"name"}, GET; accounts/NAME/containers/C: GET, DELETE.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "base/times.h"

namespace tombolo::admin {
namespace {

nlohmann::json view(const Context& context, const meta::Container& container) {
  return {{"name", container.name},
          {"account", container.account},
          {"created", iso8601({static_cast<std::int64_t>(container.created.micros)})},
          {"mode", container.mode == meta::Mode::kFlat ? "flat" : "hns"},
          {"url", fmt::format("{}/{}/{}", context.control.blob_url(), container.account, container.name)}};
}

Task<Reply> list(Context& context, TenantId tenant, std::string account) {
  nlohmann::json all = nlohmann::json::array();
  store::ListContainers query;
  while (true) {
    CO_TRY_ASSIGN(const auto page, context.store.list_containers(tenant, account, query));
    for (const auto& container : page.containers) all.push_back(view(context, container));
    if (!page.next) co_return json_reply(200, {{"containers", all}});
    query.start_after = *page.next;
  }
}

}  // namespace

Task<Reply> containers_resource(Context& context, Call call) {
  CO_TRY_ASSIGN(const auto keys, context.accounts.find(call.path[1]));
  if (!keys) co_return Error{Code::kNotFound, fmt::format("there is no account \"{}\"", call.path[1])};
  store::ContainerRef ref{keys->tenant, keys->account, call.path.size() > 3 ? call.path[3] : ""};
  if (call.path.size() == 3 && call.method == "GET") co_return co_await list(context, keys->tenant, keys->account);
  if (call.path.size() == 3 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {"name"}, {}));
    ref.container = text_of(body, "name");
    CO_TRY_ASSIGN(const auto made, context.store.create_container(std::move(ref), {}));
    co_return json_reply(201, view(context, made));
  }
  if (call.path.size() == 4 && call.method == "GET") {
    CO_TRY_ASSIGN(const auto found, context.store.get_container(std::move(ref)));
    co_return json_reply(200, view(context, found));
  }
  if (call.path.size() == 4 && call.method == "DELETE") {
    CO_TRY(context.store.delete_container(std::move(ref), {}));
    co_return json_reply(200, nlohmann::json::object());
  }
  co_return Error{Code::kNotFound, "containers: POST or GET; containers/NAME: GET or DELETE"};
}

}  // namespace tombolo::admin
