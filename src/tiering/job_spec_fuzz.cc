// Specs of tiering's jobs: what decodes encodes to the same bytes, and neither more nor fewer bytes decode.
#include "tiering/job_spec.h"

#include "testing/fuzz.h"

namespace tombolo::tiering {
namespace {

template <class Spec>
void check(Result<Spec> (*decode)(std::string_view), std::string_view value) {
  const auto spec = decode(value);
  if (!spec.ok()) {
    ASSERT(spec.error().code == Code::kCorrupt || spec.error().code == Code::kUnsupported);
    return;
  }
  ASSERT(encode(*spec) == value && !decode(std::string(value) + '\0').ok());
  const fuzz::Exact cut(value.substr(0, fuzz::hash_of(value) % value.size()));
  ASSERT(!decode(cut.text()).ok());
}

}  // namespace

FUZZ(tiering_job_spec) {
  const fuzz::Exact copy(as_text(input));
  check(decode_offload, copy.text());
  check(decode_recall, copy.text());
}

}  // namespace tombolo::tiering
