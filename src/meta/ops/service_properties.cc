#include "meta/ops/service_properties.h"

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<void> change_in(Cell cell, kv::Transaction& txn, const std::string& account, const ChangeDocument& change) {
  const std::string key = keys::service_properties(account);
  CO_TRY_ASSIGN(const auto there, txn.get(key));
  ServiceProperties properties;
  if (there) {
    CO_CHECK_ASSIGN(properties, decode_service_properties(*there));
  }
  CO_CHECK_ASSIGN(properties.document, change(properties.document));
  if (properties.document.size() > kServiceDocumentBytesMax) {
    co_return Error{Code::kInvalid, "the properties of the service are too large"};
  }
  CO_TRY_ASSIGN(properties.changed, cell.stamper.next());
  txn.put(key, encode(properties));
  co_return Result<void>{};
}

}  // namespace

Task<std::optional<ServiceProperties>> get_service_properties(Cell cell, std::string account) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::service_properties(account)));
  if (!value) co_return std::optional<ServiceProperties>{};
  CO_CHECK_ASSIGN(ServiceProperties properties, decode_service_properties(*value));
  co_return std::optional<ServiceProperties>(std::move(properties));
}

Task<void> change_service_properties(Cell cell, std::string account, ChangeDocument change) {
  CO_CHECK(keys::check_name(account));
  auto body = [&](kv::Transaction& txn) { return change_in(cell, txn, account, change); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
