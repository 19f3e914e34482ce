// fsck: POST {"depth": "rows" | "bytes" | "all"} checks everything and answers with what was found.
#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "tiering/fsck.h"

namespace tombolo::admin {

Task<Reply> fsck_resource(Context& context, Call call) {
  if (call.path.size() != 1 || call.method != "POST") co_return Error{Code::kNotFound, "fsck: POST"};
  CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {}, {"depth"}));
  const std::string depth = text_of(body, "depth");
  tiering::FsckOptions options;
  if (depth == "rows") {
    options.depth = tiering::Depth::kRows;
  } else if (depth == "all") {
    options.depth = tiering::Depth::kAll;
  } else if (!depth.empty() && depth != "bytes") {
    co_return Error{Code::kInvalid, "\"depth\" must be rows, bytes or all"};
  }
  CO_TRY_ASSIGN(const tiering::FsckReport report, context.control.fsck(options));
  co_return json_reply(200, fsck_json(report));
}

nlohmann::json fsck_json(const tiering::FsckReport& report) {
  nlohmann::json findings = nlohmann::json::array();
  for (const tiering::Finding& finding : report.findings) {
    findings.push_back({{"kind", finding.kind}, {"what", finding.what}, {"advice", finding.advice}});
  }
  return {{"objects", report.objects},
          {"gens", report.gens},
          {"runs", report.runs},
          {"bytes_verified", report.bytes_verified},
          {"segments", report.segments},
          {"remote_objects", report.remote_objects},
          {"findings_total", report.findings_total},
          {"findings", findings}};
}

}  // namespace tombolo::admin
