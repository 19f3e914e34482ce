// Query strings: what was decoded can be encoded and decoded again.
#include "base/encoding.h"
#include "http/message.h"
#include "testing/fuzz.h"

namespace tombolo::http {

FUZZ(http_query) {
  const fuzz::Exact copy(as_text(input));
  const auto literal = parse_query(copy.text(), Plus::kLiteral);
  const auto spaced = parse_query(copy.text(), Plus::kSpace);
  ASSERT(literal.ok() == spaced.ok());
  if (!literal.ok()) return;
  ASSERT(literal->size() == spaced->size() && literal->size() <= kQueryParamsMax);
  std::string again;
  for (std::size_t i = 0; i < spaced->size(); ++i) {
    const QueryParam& one = (*spaced)[i];
    ASSERT(one.name.size() == (*literal)[i].name.size() && one.value.size() == (*literal)[i].value.size());
    again += "&&" + percent_encode(one.name) + "=" + percent_encode(one.value) + "&";
  }
  const auto reread = parse_query(again, (fuzz::hash_of(again) & 1) != 0 ? Plus::kLiteral : Plus::kSpace);
  ASSERT(reread.ok() && *reread == *spaced);
}

}  // namespace tombolo::http
