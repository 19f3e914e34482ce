// Streams over TLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "http/pace.h"
#include "http/stream.h"
#include "http/tls.h"

namespace tombolo::http {

/// The server's side over a connected socket. The handshake happens in the first wait_readable(), read or write, under
/// that call's deadline; before the client's first byte nothing is allocated for it. After the handshake the connection
/// holds no record buffers while nothing moves. A peer that ends without close_notify has broken off: kUnavailable.
/// `writes`: see GuardedSocket::set_up.
std::unique_ptr<Stream> make_tls_stream(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsServer> tls,
                                        PaceOptions writes = {});

struct TlsDial {
  std::string host = {};  // to connect to: name or IP literal
  std::uint16_t port = 443;
  std::string name = {};   // of the peer's certificate
  Duration each_max = {};  // as connect_socket (guarded_socket.h); the handshake may take as long once more
};

/// Connects and shakes hands. As connect_socket, and kPermissionDenied "tls_not_trusted" when the peer's certificate is
/// not for `name`, or not of a trusted CA, or out of date.
Task<std::unique_ptr<Stream>> connect_tls(TlsDial dial, std::shared_ptr<const TlsClient> tls);

}  // namespace tombolo::http
