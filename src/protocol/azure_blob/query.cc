#include "protocol/azure_blob/query.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/encoding.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {

Result<Query> Query::parse(std::string_view raw) {
  Result<std::vector<http::QueryParam>> params = http::parse_query(raw, http::Plus::kSpace);
  if (!params.ok()) {
    return refuse(codes::kInvalidQueryParameterValue, "The query has a bad percent escape, or too many parameters.");
  }
  Query query;
  for (http::QueryParam& param : *params) {
    if (!is_utf8(param.name) || !is_utf8(param.value) || param.value.find('\0') != std::string::npos) {
      return refuse(codes::kInvalidQueryParameterValue, "The query is not UTF-8, or contains a NUL.");
    }
    if (query.get(param.name)) {
      return refuse(codes::kInvalidQueryParameterValue, fmt::format("The parameter {} is given twice.", param.name));
    }
    query.params_.push_back(std::move(param));
  }
  return query;
}

std::optional<std::string_view> Query::get(std::string_view name) const {
  for (const http::QueryParam& param : params_) {
    if (equal_ignoring_case(param.name, name)) return param.value;
  }
  return std::nullopt;
}

}  // namespace tombolo::azure_blob
