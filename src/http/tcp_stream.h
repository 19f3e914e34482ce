// Streams over plain TCP.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "http/stream.h"

namespace tombolo::http {

/// Over a connected socket; its executor's loop is the stream's.
std::unique_ptr<Stream> make_tcp_stream(boost::asio::ip::tcp::socket socket);

/// To a name or IP literal: the addresses of a name are tried in turn, at most kAddressesMax, each for `each_max`.
/// kUnavailable or kDeadline of the last one. The name look-up cannot be cancelled and has the system's own limits.
Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Duration each_max);
inline constexpr int kAddressesMax = 4;

}  // namespace tombolo::http
