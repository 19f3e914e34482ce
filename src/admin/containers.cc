// accounts/NAME/containers: POST {"name"}, GET; accounts/NAME/containers/C: GET, DELETE.
#include <fmt/format.h>

#include <algorithm>
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
          {"url", fmt::format("{}/{}", context.control.account_url(container.account), container.name)}};
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

// What every client can say: Azure Blob's rule. `$root`, `$web` and `$logs` are made by clients that know them.
Result<void> check_name(const std::string& name) {
  const bool known = std::all_of(name.begin(), name.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (name.size() >= 3 && name.size() <= 63 && known && name.front() != '-' && name.back() != '-' &&
      name.find("--") == std::string::npos) {
    return {};
  }
  return Error{Code::kInvalid, fmt::format("\"{}\" cannot name a container: use 3 to 63 lower-case letters, digits and "
                                           "single hyphens between them",
                                           name)};
}

}  // namespace

Task<Reply> containers_resource(Context& context, Call call) {
  CO_TRY_ASSIGN(const auto keys, context.accounts.find(call.path[1]));
  if (!keys) co_return no_account(call.path[1]);
  store::ContainerRef ref{keys->raw.tenant, keys->raw.account, call.path.size() > 3 ? call.path[3] : ""};
  if (call.path.size() == 3 && call.method == "GET")
    co_return co_await list(context, keys->raw.tenant, keys->raw.account);
  if (call.path.size() == 3 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {"name"}, {}));
    ref.container = text_of(body, "name");
    CO_CHECK(check_name(ref.container));
    const std::string name = ref.container;
    const auto made = co_await context.store.create_container(std::move(ref), {});
    if (!made.ok()) co_return naming(made.error(), name);
    co_return json_reply(201, view(context, *made));
  }
  if (call.path.size() == 4 && call.method == "GET") {
    const auto found = co_await context.store.get_container(std::move(ref));
    if (!found.ok()) co_return naming(found.error(), call.path[3]);
    co_return json_reply(200, view(context, *found));
  }
  if (call.path.size() == 4 && call.method == "DELETE") {
    const auto gone = co_await context.store.delete_container(std::move(ref), {});
    if (!gone.ok()) co_return naming(gone.error(), call.path[3]);
    co_return json_reply(200, nlohmann::json::object());
  }
  co_return Error{Code::kNotFound, "containers: POST or GET; containers/NAME: GET or DELETE"};
}

}  // namespace tombolo::admin
