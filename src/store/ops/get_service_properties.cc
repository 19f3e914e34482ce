#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<std::string> Store::get_service_properties(std::string account) {
  CO_TRY_ASSIGN(auto found, meta::get_service_properties(services_.cell, std::move(account)));
  co_return found ? std::move(found->document) : std::string();
}

}  // namespace tombolo::store
