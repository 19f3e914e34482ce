// What systemd wants to know of a service of Type=notify.
#pragma once

#include <string_view>

namespace tombolo::server {

/// Sends "READY=1" or "STOPPING=1" to $NOTIFY_SOCKET (sd_notify(3)); nothing where there is none.
void notify_service_manager(std::string_view state);

}  // namespace tombolo::server
