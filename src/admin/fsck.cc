// fsck: POST {"depth": "rows" | "bytes" | "all", "repair": true, "name": …} checks everything, heals what it can if
// asked, and answers with what was found; until then GET fsck/NAME says how far it is.
#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "tiering/fsck.h"

namespace tombolo::admin {

namespace {

constexpr std::size_t kNameMax = 64;

Reply show(const Context& context, const std::string& name) {
  const auto counts = context.checks->find(name);
  return counts ? json_reply(200, fsck_json(*counts))
                : error_reply(Error{Code::kNotFound, "no fsck of that name runs"});
}

}  // namespace

Result<tiering::FsckOptions> fsck_options(const nlohmann::json& asked) {
  tiering::FsckOptions options;
  const std::string depth = text_of(asked, "depth");
  if (depth == "rows") {
    options.depth = tiering::Depth::kRows;
  } else if (depth == "all") {
    options.depth = tiering::Depth::kAll;
  } else if (!depth.empty() && depth != "bytes") {
    return Error{Code::kInvalid, "\"depth\" must be rows, bytes or all"};
  }
  TRY_ASSIGN(const bool repair, flag_of(asked, "repair"));
  if (repair) options.mending = tiering::Mending::kYes;
  return options;
}

Task<Reply> fsck_resource(Context& context, Call call) {
  if (call.path.size() == 2 && call.method == "GET") co_return show(context, call.path[1]);
  if (call.path.size() != 1 || call.method != "POST") co_return Error{Code::kNotFound, "fsck: POST; fsck/NAME: GET"};
  CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {}, {"depth", "name"}, {"repair"}));
  CO_CHECK_ASSIGN(const tiering::FsckOptions options, fsck_options(body));
  const std::string name = text_of(body, "name");
  if (name.size() > kNameMax) co_return Error{Code::kInvalid, "\"name\" is too long"};
  tiering::FsckProgress progress;
  if (!name.empty()) {
    const auto entry = context.checks->begin(name);
    if (!entry) co_return Error{Code::kConflict, "an fsck of that name runs"};
    progress = [entry](const tiering::FsckCounts& counts) { entry->set(counts); };
  }
  CO_TRY_ASSIGN(const tiering::FsckReport report, context.control.fsck(options, std::move(progress)));
  co_return json_reply(200, fsck_json(report));
}

nlohmann::json fsck_json(const tiering::FsckCounts& counts) {
  return {{"objects", counts.objects},
          {"gens", counts.gens},
          {"runs", counts.runs},
          {"bytes_verified", counts.bytes_verified},
          {"segments", counts.segments},
          {"remote_objects", counts.remote_objects},
          {"foreign_objects", counts.foreign_objects},
          {"findings_total", counts.findings_total},
          {"repairs_total", counts.repairs_total}};
}

nlohmann::json fsck_json(const tiering::FsckReport& report) {
  nlohmann::json findings = nlohmann::json::array();
  for (const tiering::Finding& finding : report.findings) {
    findings.push_back({{"kind", finding.kind}, {"what", finding.what}, {"advice", finding.advice}});
  }
  nlohmann::json out = fsck_json(static_cast<const tiering::FsckCounts&>(report));
  out["not_searched"] = report.not_searched;
  out["findings"] = std::move(findings);
  nlohmann::json repairs = nlohmann::json::array();
  for (const tiering::Repair& repair : report.repairs) {
    repairs.push_back({{"kind", repair.kind}, {"what", repair.what}, {"did", repair.did}});
  }
  out["repairs"] = std::move(repairs);
  return out;
}

}  // namespace tombolo::admin
