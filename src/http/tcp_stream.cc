#include "http/tcp_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>

#include "base/assert.h"
#include "http/guarded_socket.h"

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Takes `size` bytes away, and the empty buffers behind them.
void drop_front(std::span<iovec>& buffers, std::size_t size) {
  while (!buffers.empty() && size >= buffers.front().iov_len) {
    size -= buffers.front().iov_len;
    buffers = buffers.subspan(1);
  }
  if (buffers.empty()) return;
  buffers.front().iov_base = static_cast<std::byte*>(buffers.front().iov_base) + size;
  buffers.front().iov_len -= size;
}

// Asio clears an array of 64 buffers before each write of its own; most have two.
std::size_t send_some(tcp::socket& socket, std::span<iovec> buffers, error_code& error) {
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  while (true) {
    const ssize_t sent = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    error =
        errno == EAGAIN ? error_code(asio::error::would_block) : error_code(errno, boost::system::system_category());
    return 0;
  }
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(std::shared_ptr<GuardedSocket> guarded) : guarded_(std::move(guarded)) {}
  ~TcpStream() override { guarded_->close(); }

  Task<void> settle(Deadline) override { co_return Result<void>{}; }

  Task<void> wait_readable(Deadline until) override { return guarded_->wait(tcp::socket::wait_read, until); }

  void sleep(Deadline until, std::shared_ptr<Sleeper> sleeper) override { guarded_->sleep(until, std::move(sleeper)); }

  Task<std::size_t> read_some(MutableBytes into, Deadline until) override {
    while (true) {
      if (guarded_->may_try()) {
        error_code error;
        const std::size_t n = guarded_->socket.read_some(asio::buffer(into.data(), into.size()), error);
        if (!error || error == asio::error::eof) co_return n;
        if (error != asio::error::would_block) co_return guarded_->failure(error);
      }
      CO_TRY(guarded_->wait(tcp::socket::wait_read, until));
    }
  }

  Task<void> write(std::span<const BytesView> pieces, Duration stall_max) override {
    std::array<iovec, kPiecesMax> buffers;
    ASSERT(pieces.size() <= buffers.size());
    std::transform(pieces.begin(), pieces.end(), buffers.begin(), [](BytesView piece) {
      return iovec{const_cast<std::byte*>(piece.data()), piece.size()};  // sendmsg only reads them
    });
    std::span<iovec> left(buffers.data(), pieces.size());
    drop_front(left, 0);
    while (!left.empty()) {
      error_code error;
      const bool tried = guarded_->may_try();
      const std::size_t n = tried ? send_some(guarded_->socket, left, error) : 0;
      if (!tried) error = asio::error::would_block;
      if (error == asio::error::would_block) {
        CO_TRY(guarded_->wait(tcp::socket::wait_write, deadline_after(stall_max)));
        continue;
      }
      if (error) co_return guarded_->failure(error);
      drop_front(left, n);
    }
    co_return Result<void>{};
  }

  void shutdown_write() override { guarded_->shutdown_write(); }
  void abort() override { guarded_->abort(); }
  void cancel() override { guarded_->cancel(); }
  bool quiet() override { return guarded_->quiet(); }

 private:
  const std::shared_ptr<GuardedSocket> guarded_;
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(tcp::socket socket, PaceOptions writes) {
  auto guarded = std::make_shared<GuardedSocket>(std::move(socket));
  guarded->set_up(writes);
  return std::make_unique<TcpStream>(std::move(guarded));
}

Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Duration each_max) {
  CO_TRY_ASSIGN(auto guarded, connect_socket(std::move(host), port, each_max));
  co_return std::make_unique<TcpStream>(std::move(guarded));
}

}  // namespace tombolo::http
