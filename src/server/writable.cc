#include "server/writable.h"

#include <fmt/format.h>

namespace tombolo::server {

std::optional<Error> stopped_for_good(const kv::LogEngineStatus& engine) {
  if (!engine.stopped) return std::nullopt;
  return Error{engine.stopped->code,
               fmt::format("the cell has stopped: {}; this server ends and has to be started again: systemd does that "
                           "by itself, else do it now (systemctl restart tombolo); do not reboot first, since the "
                           "start writes anew what the disk may have lost and memory still has; restore a backup only "
                           "if that start halts",
                           engine.stopped->message)};
}

std::string why_no_writes(const kv::LogEngineStatus& engine) {
  if (const auto stopped = stopped_for_good(engine)) return stopped->message;
  if (engine.stalled) return engine.stalled->message;
  return "";
}

}  // namespace tombolo::server
