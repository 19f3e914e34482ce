#include "http/exchange.h"

namespace tombolo::http {

Refusal plain_refusal(Failure failure) {
  const FailureInfo& row = info(failure);
  Refusal refusal;
  refusal.head.status = row.status;
  refusal.head.headers.add("Content-Type", "text/plain");
  refusal.body = Block(std::string(row.text) + "\n");
  return refusal;
}

}  // namespace tombolo::http
