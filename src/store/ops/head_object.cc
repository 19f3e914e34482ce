#include "meta/ops/objects.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Object> Store::head_object(ObjectRef ref, meta::Conditions conditions) {
  CO_TRY_ASSIGN(meta::FoundObject found, meta::find_object(services_.cell, address_of(std::move(ref))));
  CO_CHECK(check_read(conditions, found.object));
  co_return std::move(found.object);
}

}  // namespace tombolo::store
