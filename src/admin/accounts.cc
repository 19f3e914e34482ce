// accounts: POST {"name"} creates one, GET lists them; accounts/NAME/keys: GET.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "base/encoding.h"

namespace tombolo::admin {
namespace {

nlohmann::json view(const Context& context, const auth::AccountKeys& keys) {
  const std::string url = context.control.account_url(keys.account);
  const std::string key1 = base64_encode(keys.key1);
  return {{"name", keys.account},
          {"key1", key1},
          {"key2", base64_encode(keys.key2)},
          {"blob_endpoint", url},
          {"connection_string", fmt::format("DefaultEndpointsProtocol={};AccountName={};AccountKey={};BlobEndpoint={};",
                                            url.substr(0, url.find(':')), keys.account, key1, url)}};
}

}  // namespace

Task<Reply> accounts_resource(Context& context, Call call) {
  if (call.path.size() == 1 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {"name"}, {}));
    CO_TRY_ASSIGN(const auto keys, context.accounts.create(text_of(body, "name")));
    co_return json_reply(201, view(context, keys));
  }
  if (call.path.size() == 1 && call.method == "GET") {
    CO_TRY_ASSIGN(const auto names, context.accounts.list());
    nlohmann::json list = nlohmann::json::array();
    for (const auto& name : names) {
      list.push_back({{"name", name}, {"blob_endpoint", context.control.account_url(name)}});
    }
    co_return json_reply(200, {{"accounts", list}});
  }
  if (call.path.size() == 3 && call.path[2] == "keys" && call.method == "GET") {
    CO_TRY_ASSIGN(const auto keys, context.accounts.find(call.path[1]));
    if (!keys) co_return no_account(call.path[1]);
    co_return json_reply(200, view(context, keys->raw));
  }
  co_return Error{Code::kNotFound, "accounts: POST or GET; accounts/NAME/keys: GET"};
}

}  // namespace tombolo::admin
