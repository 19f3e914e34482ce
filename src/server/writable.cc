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

namespace {

// The engine tells what its last commit found; whether that still holds is looked at here, or an idle cell would be
// reported as full after space has come back.
std::string why_no_room(const kv::LogEngineStatus& engine, const Room& room) {
  constexpr const char* kWhatToDo = "offload with --evict, delete, or add space; reads go on";
  const bool no_log_file = engine.space_is_low && room.free_bytes < room.reserve_bytes + room.log_file_bytes;
  if (room.free_bytes < room.reserve_bytes || no_log_file) {
    return fmt::format(
        "the disk is nearly full: {} bytes are free, and {} are kept for deletes, flushes and recovery "
        "(data.reserve_bytes), so that only what frees space is taken: {}",
        room.free_bytes, room.reserve_bytes, kWhatToDo);
  }
  if (room.free_bytes < room.segment_needs) {
    return fmt::format(
        "the disk is nearly full: {} bytes are free, and the next segment needs {} (data.segment_bytes and "
        "data.reserve_bytes), so that only objects of at most 4 KiB are taken: {}",
        room.free_bytes, room.segment_needs, kWhatToDo);
  }
  return "";
}

}  // namespace

std::string why_no_writes(const kv::LogEngineStatus& engine, const std::optional<Room>& room) {
  if (const auto stopped = stopped_for_good(engine)) return stopped->message;
  if (engine.stalled) return engine.stalled->message;
  return room ? why_no_room(engine, *room) : "";
}

}  // namespace tombolo::server
