// null_server: the fastest Blob service there is for AzCopy: it discards what is written, keeps only names and lengths,
// and serves zeros. What AzCopy does against it is AzCopy's own limit on this machine.
//
//   null_server --port P
//
// One thread, epoll, loopback only, no authentication. Answers what AzCopy asks for in copies up and down: Put Blob,
// Put Block, Put Block List, HEAD, ranged GET, listings in one page.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/encoding.h"

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::string_view kSame =
    "ETag: \"0x8D0000000000001\"\r\nLast-Modified: Sat, 21 Nov 2026 00:00:00 GMT\r\nx-ms-version: 2025-07-05\r\n"
    "x-ms-request-id: 00000000-0000-0000-0000-000000000000\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

struct Connection {
  int socket = -1;
  std::string in;               // what came and was not looked at, up to the end of a head
  std::uint64_t body_left = 0;  // of the request, to be discarded
  std::string out;
  std::size_t sent = 0;
  std::uint64_t zeros_left = 0;  // to be sent after `out`
  bool waits_to_send = false;
};

struct Blob {
  std::uint64_t bytes = 0;
  std::string md5;  // in base64, of as many zeros; of Put Blob only, as with everybody
  std::map<std::string, std::uint64_t> blocks;
};

/// One request's head, as far as it matters here.
struct Head {
  std::string_view method, path, query;
  std::uint64_t body_bytes = 0;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> range;  // first, last
};

std::string_view cut(std::string_view& text, std::string_view until) {
  const auto at = text.find(until);
  const auto piece = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + until.size());
  return piece;
}

bool starts_with_name(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         strncasecmp(line.data(), name.data(), name.size()) == 0;
}

Head parse(std::string_view text) {
  Head head;
  std::string_view first = cut(text, "\r\n");
  head.method = cut(first, " ");
  std::string_view target = cut(first, " ");
  head.path = cut(target, "?");
  head.query = target;
  while (!text.empty()) {
    std::string_view line = cut(text, "\r\n");
    if (starts_with_name(line, "content-length")) {
      head.body_bytes = std::strtoull(std::string(line.substr(15)).c_str(), nullptr, 10);
    } else if (starts_with_name(line, "x-ms-range") || starts_with_name(line, "range")) {
      cut(line, "bytes=");
      const std::string bounds(line);
      char* end = nullptr;
      const auto from = std::strtoull(bounds.c_str(), &end, 10);
      const auto to = end != nullptr && *end == '-' && end[1] != 0 ? std::strtoull(end + 1, nullptr, 10) : UINT64_MAX;
      head.range = {from, to};
    }
  }
  return head;
}

std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = cut(query, "&");
    if (cut(value, "=") == name) return value;
  }
  return {};
}

/// Without percent escapes.
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

class Server {
 public:
  explicit Server(std::uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(listener_, 1024) != 0) {
      std::perror("null_server");
      std::exit(1);
    }
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, listener_, &event);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(256);
    for (;;) {
      const int found = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < found; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        auto* connection = static_cast<Connection*>(event.data.ptr);
        if (connection == nullptr) {
          accept_all();
        } else if (!serve(*connection, event.events)) {
          close(connection->socket);
          delete connection;
        }
      }
    }
  }

 private:
  void accept_all() {
    for (;;) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket < 0) return;
      const int on = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto connection = std::make_unique<Connection>();
      connection->socket = socket;
      epoll_event event{.events = EPOLLIN, .data = {.ptr = connection.get()}};
      if (epoll_ctl(poll_, EPOLL_CTL_ADD, socket, &event) == 0) (void)connection.release();  // serve() ends it
    }
  }

  /// False when the connection has ended.
  bool serve(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !send(connection)) return false;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
    const ssize_t got = connection.body_left >= kBufferBytes
                            ? recv(connection.socket, nullptr, connection.body_left, MSG_TRUNC)
                            : recv(connection.socket, buffer_.data(), buffer_.size(), 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const auto bytes = static_cast<std::uint64_t>(got);
    const auto body = std::min(bytes, connection.body_left);
    connection.body_left -= body;
    if (body < bytes) connection.in.append(buffer_.data() + body, bytes - body);
    return connection.body_left != 0 || answer_all(connection);
  }

  /// An answer is written once its request's body has come.
  bool answer_all(Connection& connection) {
    if (!connection.out.empty() && connection.waits_to_send) return true;
    for (;;) {
      if (!pending(connection)) return true;
      if (!send(connection)) return false;
      if (connection.waits_to_send) return true;
    }
  }

  /// Takes the next request from `in`. True when there is something to send.
  bool pending(Connection& connection) {
    if (!connection.out.empty()) return true;
    const auto end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const Head head = parse(std::string_view(connection.in).substr(0, end + 2));
    answer(head, connection);
    const auto body = head.body_bytes;
    connection.in.erase(0, end + 4);
    const auto here = std::min<std::uint64_t>(body, connection.in.size());
    connection.in.erase(0, here);
    connection.body_left = body - here;
    return connection.body_left == 0;
  }

  void answer(const Head& head, Connection& connection) {
    const bool is_container = std::count(head.path.begin(), head.path.end(), '/') <= 2;
    if (is_container) {
      const bool lists = parameter(head.query, "comp") == "list";
      return reply(connection, "200 OK", lists ? "Content-Type: application/xml\r\n" : "",
                   lists ? listing(parameter(head.query, "prefix")) : std::string());
    }
    const std::string name = plain(head.path);
    if (head.method == "PUT") return write(head, name, connection);
    const auto found = blobs_.find(name);
    if (found == blobs_.end()) return reply(connection, "404 Not Found", "x-ms-error-code: BlobNotFound\r\n", {});
    read(head, found->second.bytes, connection);
  }

  void write(const Head& head, const std::string& name, Connection& connection) {
    Blob& blob = blobs_[name];
    if (parameter(head.query, "comp") == "block") {
      blob.blocks[std::string(parameter(head.query, "blockid"))] = head.body_bytes;
    } else if (parameter(head.query, "comp") == "blocklist") {
      blob.bytes = 0;
      blob.md5.clear();
      for (const auto& [id, bytes] : blob.blocks) blob.bytes += bytes;
      blob.blocks.clear();
    } else {
      blob.bytes = head.body_bytes;
      blob.md5 = md5_of_zeros(blob.bytes);
    }
    reply(connection, "201 Created", "x-ms-request-server-encrypted: true\r\n", {});
  }

  const std::string& md5_of_zeros(std::uint64_t bytes) {
    std::string& md5 = md5s_[bytes];
    if (md5.empty()) md5 = tombolo::base64_encode(tombolo::md5(tombolo::Bytes(bytes)));
    return md5;
  }

  void read(const Head& head, std::uint64_t bytes, Connection& connection) {
    const std::string kind =
        "x-ms-blob-type: BlockBlob\r\nAccept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\n";
    if (head.method == "HEAD") {
      connection.out = status_line("200 OK", kind, bytes);
      return;
    }
    if (!head.range) {
      connection.out = status_line("200 OK", kind, bytes);
      connection.zeros_left = bytes;
      return;
    }
    const auto first = std::min(head.range->first, bytes), last = std::min(head.range->second, bytes - 1);
    const std::string range = "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                              std::to_string(bytes) + "\r\n";
    connection.out = status_line("206 Partial Content", kind + range, last + 1 - first);
    connection.zeros_left = last + 1 - first;
  }

  static std::string status_line(std::string_view status, std::string_view headers, std::uint64_t bytes) {
    std::string out = "HTTP/1.1 ";
    out += status;
    out += "\r\n";
    out += kSame;
    out += headers;
    out += "Content-Length: " + std::to_string(bytes) + "\r\n\r\n";
    return out;
  }

  static void reply(Connection& connection, std::string_view status, std::string_view headers,
                    const std::string& body) {
    connection.out = status_line(status, headers, body.size()) + body;
  }

  /// All names of all containers, which is one: they keep it in front of them in the map.
  std::string listing(std::string_view prefix_escaped) const {
    const std::string prefix = plain(prefix_escaped);
    std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>";
    for (const auto& [path, blob] : blobs_) {
      const std::string name = path.substr(path.find('/', path.find('/', 1) + 1) + 1);
      if (!name.starts_with(prefix)) continue;
      out += "<Blob><Name>" + name +
             "</Name><Properties><Last-Modified>Sat, 21 Nov 2026 00:00:00 GMT</Last-Modified>"
             "<Etag>0x8D0000000000001</Etag><Content-Length>" +
             std::to_string(blob.bytes) + "</Content-Length>" +
             (blob.md5.empty() ? std::string() : "<Content-MD5>" + blob.md5 + "</Content-MD5>") +
             "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>"
             "<AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
             "</Properties></Blob>";
    }
    return out + "</Blobs><NextMarker /></EnumerationResults>";
  }

  bool send(Connection& connection) {
    while (connection.sent < connection.out.size() || connection.zeros_left != 0) {
      iovec parts[2] = {{connection.out.data() + connection.sent, connection.out.size() - connection.sent},
                        {zeros_.data(), std::min<std::uint64_t>(zeros_.size(), connection.zeros_left)}};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      const ssize_t got = sendmsg(connection.socket, &message, MSG_NOSIGNAL);
      if (got < 0 && errno != EAGAIN) return false;
      if (got < 0) return wait_to_send(connection, true);
      const auto of_head = std::min<std::size_t>(static_cast<std::size_t>(got), parts[0].iov_len);
      connection.sent += of_head;
      connection.zeros_left -= static_cast<std::size_t>(got) - of_head;
    }
    connection.out.clear();
    connection.sent = 0;
    return wait_to_send(connection, false);
  }

  bool wait_to_send(Connection& connection, bool wanted) {
    if (connection.waits_to_send == wanted) return true;
    connection.waits_to_send = wanted;
    epoll_event event{.events = EPOLLIN | (wanted ? std::uint32_t{EPOLLOUT} : 0u), .data = {.ptr = &connection}};
    return epoll_ctl(poll_, EPOLL_CTL_MOD, connection.socket, &event) == 0;
  }

  int listener_ = -1, poll_ = -1;
  std::map<std::string, Blob> blobs_;
  std::map<std::uint64_t, std::string> md5s_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes), zeros_ = std::vector<char>(1 << 20);
};

}  // namespace

int main(int count, char** words) {
  std::uint16_t port = 0;
  CLI::App app("discards writes, serves zeros");
  app.add_option("--port", port)->required();
  CLI11_PARSE(app, count, words);
  Server(port).run();
}
