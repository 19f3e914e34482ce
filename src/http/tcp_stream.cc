#include "http/tcp_stream.h"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/guarded_socket.h"

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(std::shared_ptr<GuardedSocket> guarded) : guarded_(std::move(guarded)) {}
  ~TcpStream() override { guarded_->close(); }

  Task<void> wait_readable(Deadline until) override { return guarded_->wait(tcp::socket::wait_read, until); }

  Task<std::size_t> read_some(MutableBytes into, Deadline until) override {
    error_code error;
    guarded_->begin(until);
    const std::size_t n = co_await guarded_->socket.async_read_some(asio::buffer(into.data(), into.size()),
                                                                    asio::redirect_error(asio::use_awaitable, error));
    guarded_->end();
    if (error && error != asio::error::eof) co_return guarded_->failure(error);
    co_return n;
  }

  Task<void> write(BytesView first, BytesView second, Duration stall_max) override {
    while (!first.empty() || !second.empty()) {
      const std::array<asio::const_buffer, 2> pieces = {asio::buffer(first.data(), first.size()),
                                                        asio::buffer(second.data(), second.size())};
      error_code error;
      guarded_->begin(deadline_after(stall_max));
      const std::size_t n =
          co_await guarded_->socket.async_write_some(pieces, asio::redirect_error(asio::use_awaitable, error));
      guarded_->end();
      if (error) co_return guarded_->failure(error);
      const std::size_t of_first = std::min(n, first.size());
      first = first.subspan(of_first);
      second = second.subspan(n - of_first);
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

std::unique_ptr<Stream> make_tcp_stream(tcp::socket socket) {
  auto guarded = std::make_shared<GuardedSocket>(std::move(socket));
  guarded->set_up();
  return std::make_unique<TcpStream>(std::move(guarded));
}

Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Duration each_max) {
  CO_TRY_ASSIGN(auto guarded, connect_socket(std::move(host), port, each_max));
  co_return std::make_unique<TcpStream>(std::move(guarded));
}

}  // namespace tombolo::http
