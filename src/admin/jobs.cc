// jobs: POST {"kind": "offload" | "recall", …} queues one, GET lists them; jobs/ID: GET, DELETE (cancel).
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "base/times.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::admin {
namespace {

constexpr std::uint32_t kListed = 200;

std::string id_text(JobId id) {
  return fmt::format("{:016x}", id.value);
}

Result<JobId> parse_id(const std::string& text) {
  JobId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return Error{Code::kNotFound, fmt::format("\"{}\" is no job id; `tombolo jobs` lists them", text)};
  }
  return id;
}

nlohmann::json view(const jobs::Job& job) {
  const jobs::Progress& p = job.progress;
  return {{"id", id_text(job.id)},
          {"kind", job.kind},
          {"title", job.title},
          {"state", std::string(state_name(job.state))},
          {"ended", jobs::ended(job.state)},
          {"error", job.error},
          {"created", iso8601(job.created)},
          {"updated", iso8601(job.updated)},
          {"starts", job.starts},
          {"progress",
           {{"objects_total", p.objects_total},
            {"bytes_total", p.bytes_total},
            {"objects_done", p.objects_done},
            {"bytes_done", p.bytes_done},
            {"objects_skipped", p.objects_skipped},
            {"objects_failed", p.objects_failed}}}};
}

Task<JobId> submit(Context& context, const nlohmann::json& body) {
  CO_TRY_ASSIGN(const auto keys, context.accounts.find(text_of(body, "account")));
  if (!keys) co_return no_account(text_of(body, "account"));
  store::ContainerRef container{keys->raw.tenant, keys->raw.account, text_of(body, "container")};
  const std::string kind = text_of(body, "kind");
  if (kind == "offload") {
    tiering::OffloadSpec spec;
    spec.container = std::move(container);
    spec.prefix = text_of(body, "prefix");
    spec.remote = text_of(body, "remote");
    CO_CHECK_ASSIGN(const bool evict, flag_of(body, "evict"));
    spec.evict = evict ? tiering::Evict::kYes : tiering::Evict::kNo;
    co_return co_await tiering::submit_offload(context.jobs, context.services, std::move(spec));
  }
  if (kind == "recall") {
    tiering::RecallSpec spec;
    spec.container = std::move(container);
    spec.prefix = text_of(body, "prefix");
    co_return co_await tiering::submit_recall(context.jobs, context.services, std::move(spec));
  }
  co_return Error{Code::kInvalid, fmt::format("there is no job of the kind \"{}\": offload or recall", kind)};
}

}  // namespace

Task<Reply> jobs_resource(Context& context, Call call) {
  if (call.path.size() == 1 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body,
                    parse_object(call.body, {"kind", "account", "container"}, {"prefix", "remote"}, {"evict"}));
    const Result<JobId> id = co_await submit(context, body);
    if (!id.ok()) co_return naming(id.error(), text_of(body, "container"));
    CO_TRY_ASSIGN(const jobs::Job job, context.jobs.get(*id));
    co_return json_reply(202, view(job));
  }
  if (call.path.size() == 1 && call.method == "GET") {
    CO_TRY_ASSIGN(const auto all, context.jobs.list(kListed));
    nlohmann::json list = nlohmann::json::array();
    for (const auto& job : all) list.push_back(view(job));
    co_return json_reply(200, {{"jobs", list}});
  }
  if (call.path.size() != 2 || (call.method != "GET" && call.method != "DELETE")) {
    co_return Error{Code::kNotFound, "jobs: POST or GET; jobs/ID: GET or DELETE"};
  }
  CO_CHECK_ASSIGN(const JobId id, parse_id(call.path[1]));
  if (call.method == "DELETE") {
    CO_TRY(context.jobs.cancel(id));
  }
  CO_TRY_ASSIGN(const jobs::Job job, context.jobs.get(id));
  co_return json_reply(200, view(job));
}

}  // namespace tombolo::admin
