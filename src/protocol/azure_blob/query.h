// Query: the decoded parameters of a request.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace tombolo::azure_blob {

/// Names are compared ignoring case, as Azure does.
class Query {
 public:
  /// InvalidQueryParameterValue: bad escapes, too many parameters, no UTF-8, NUL, a parameter given twice (which of the
  /// two counts is what request smuggling is made of).
  static Result<Query> parse(std::string_view raw);

  std::optional<std::string_view> get(std::string_view name) const;
  /// Empty when absent.
  std::string_view value(std::string_view name) const { return get(name).value_or(std::string_view()); }
  /// In wire order, "+" read as a space: what a verifier wants.
  const std::vector<http::QueryParam>& params() const { return params_; }

 private:
  std::vector<http::QueryParam> params_;
};

}  // namespace tombolo::azure_blob
