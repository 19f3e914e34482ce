#include "store/ops/resolve.h"

#include "meta/model/read_conditions.h"
#include "meta/ops/containers.h"

namespace tombolo::store {

Task<meta::ContainerKey> find_container(meta::Cell cell, ContainerRef ref) {
  CO_TRY_ASSIGN(const meta::Container container,
                meta::get_container(cell, ref.tenant, std::move(ref.account), std::move(ref.container)));
  co_return meta::key_of(container);
}

meta::ObjectAddress address_of(ObjectRef ref) {
  return {ref.container.tenant, std::move(ref.container.account), std::move(ref.container.container),
          std::move(ref.name)};
}

Result<void> check_read(const meta::Conditions& conditions, const meta::Object& object) {
  switch (meta::judge_read(conditions, object.etag_stamp)) {
    case meta::Verdict::kPass:
      return {};
    case meta::Verdict::kFailed:
      return Error{Code::kConditionFailed, "the object is not in the state that the request asks for",
                   "ConditionNotMet"};
    case meta::Verdict::kNotModified:
    case meta::Verdict::kExists:
      return Error{Code::kConditionFailed, "the object has not changed", "NotModified"};
  }
  return Error{Code::kInternal, "no such verdict"};
}

}  // namespace tombolo::store
