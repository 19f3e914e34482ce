// Streams over plain TCP.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "http/pace.h"
#include "http/stream.h"

namespace tombolo::http {

/// Over a connected socket; its executor's loop is the stream's. `writes`: see GuardedSocket::set_up.
std::unique_ptr<Stream> make_tcp_stream(boost::asio::ip::tcp::socket socket, PaceOptions writes = {});

/// As connect_socket (guarded_socket.h).
Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Duration each_max);

}  // namespace tombolo::http
