#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<void> Store::change_service_properties(std::string account, meta::ChangeDocument change) {
  co_return co_await meta::change_service_properties(services_.cell, std::move(account), std::move(change));
}

}  // namespace tombolo::store
