// status: GET, the whole at a glance.
#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "base/times.h"

namespace tombolo::admin {
namespace {

nlohmann::json view(const std::optional<Exposed>& exposed) {
  if (!exposed) return nullptr;
  return {{"objects", exposed->objects},
          {"bytes", exposed->bytes},
          {"oldest_seconds", exposed->oldest_seconds},
          {"counted", iso8601(exposed->counted)}};
}

}  // namespace

Task<Reply> status_resource(Context& context, Call call) {
  if (call.path.size() != 1 || call.method != "GET") co_return Error{Code::kNotFound, "status: GET"};
  CO_TRY_ASSIGN(const Status s, context.control.status());
  CO_TRY_ASSIGN(const auto remotes, context.control.remotes());
  nlohmann::json list = nlohmann::json::array();
  for (const RemoteView& remote : remotes) {
    list.push_back({{"name", remote.name}, {"healthy", remote.healthy}, {"problem", remote.problem}});
  }
  co_return json_reply(200, {{"version", s.version},
                             {"durability", s.durability},
                             {"uptime_seconds", s.uptime_seconds},
                             {"objects", s.objects},
                             {"bytes", s.bytes},
                             {"bytes_local", s.bytes_local},
                             {"bytes_cold", s.bytes_cold},
                             {"bytes_cached", s.bytes_cached},
                             {"segment_file_bytes", s.segment_file_bytes},
                             {"open_segment_bytes", s.open_segment_bytes},
                             {"disk_free_bytes", s.disk_free_bytes},
                             {"log_bytes", s.log_bytes},
                             {"log_syncs", s.log_syncs},
                             {"committed_sequence", s.committed_sequence},
                             {"exposed", view(s.exposed)},
                             {"stopped_reason", s.stopped_reason},
                             {"jobs_running", context.jobs.running()},
                             {"remotes", list}});
}

}  // namespace tombolo::admin
