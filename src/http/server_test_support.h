// What tests of server and client need: event loops on threads, and a peer that speaks raw bytes.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "async/run.h"
#include "base/clock.h"
#include "http/server.h"

namespace tombolo::http {

/// Event loops, one thread each, until destroyed.
class Loops {
 public:
  explicit Loops(int count) {
    for (int i = 0; i < count; ++i) {
      auto& loop = contexts_.emplace_back(1);
      guards_.push_back(boost::asio::make_work_guard(loop));
      threads_.emplace_back([&loop] { loop.run(); });
    }
  }
  ~Loops() {
    for (auto& guard : guards_) guard.reset();
    for (auto& loop : contexts_) loop.stop();
    for (auto& thread : threads_) thread.join();
  }
  std::vector<Executor> executors() {
    std::vector<Executor> out;
    for (auto& loop : contexts_) out.emplace_back(loop.get_executor());
    return out;
  }

 private:
  std::list<boost::asio::io_context> contexts_;
  std::list<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  // tidy: allow raw-thread: the loops of a test run somewhere
  std::vector<std::thread> threads_;
};

/// A blocking socket; every wait ends after ten seconds.
class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~RawSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  static RawSocket connect(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return RawSocket(fd);
  }

  /// False when the peer is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  int fd() const { return fd_; }
  /// The peer has ended it, whatever is left to read; without waiting.
  bool ended() const {
    pollfd look{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
  /// How much the kernel takes in ahead of the reader.
  void receive_buffer(int bytes) { ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  /// Makes closing send a reset.
  void reset_on_close() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

  enum class End { kOrderly, kReset, kTimeout };
  /// Appends what comes to `into` until the peer's end.
  End read_to_end(std::string& into) {
    while (true) {
      const int n = read_some(into);
      if (n == 0) return End::kOrderly;
      if (n < 0) return errno == ECONNRESET ? End::kReset : End::kTimeout;
    }
  }
  /// Until `into` contains `mark`; false at the peer's end or after ten seconds.
  bool read_until(std::string& into, std::string_view mark) {
    while (into.find(mark) == std::string::npos) {
      if (read_some(into) <= 0) return false;
    }
    return true;
  }
  /// One answer whose body has a Content-Length; empty when none came.
  std::string read_answer(bool to_head = false) {
    std::string out;
    while (!out.ends_with("\r\n\r\n")) {
      if (!receive(out, 1)) return {};
    }
    const std::size_t at = out.find("Content-Length: ");
    if (to_head || at == std::string::npos) return out;
    const std::size_t whole = out.size() + std::stoul(out.substr(at + 16));
    while (out.size() < whole) {
      if (!receive(out, whole - out.size())) return {};
    }
    return out;
  }

  /// At most so much; false at the peer's end or after ten seconds.
  bool receive(std::string& into, std::size_t most) {
    const std::size_t had = into.size();
    into.resize(had + most);
    const auto n = ::recv(fd_, into.data() + had, most, 0);
    into.resize(had + (n > 0 ? static_cast<std::size_t>(n) : 0));
    return n > 0;
  }

 private:
  int read_some(std::string& into) {
    char buffer[64 * 1024];
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    return static_cast<int>(n);
  }

  int fd_;
};

}  // namespace tombolo::http
