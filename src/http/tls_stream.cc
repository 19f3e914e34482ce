#include "http/tls_stream.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

#include "base/assert.h"
#include "base/log.h"
#include "http/guarded_socket.h"

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kRecordMax = 16 * 1024;  // RFC 8446 §5.1
constexpr int kCallsPerTurn = 16;              // that did not wait; then others on the loop have their turn

// What OpenSSL reads from and writes to: our socket, which never blocks and never raises SIGPIPE.
struct Wire {
  tcp::socket* socket = nullptr;
  error_code error;  // of the last call that failed for good
  bool ended = false;
  bool received = false;
};

Wire& wire_of(BIO* bio) {
  return *static_cast<Wire*>(BIO_get_data(bio));
}

int wire_result(BIO* bio, const error_code& error, int retry_flag) {
  BIO_clear_retry_flags(bio);
  if (!error) return 1;
  if (error == asio::error::would_block || error == asio::error::try_again) {
    BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    return 0;
  }
  Wire& wire = wire_of(bio);
  wire.ended = error == asio::error::eof;
  wire.error = error;
  return 0;
}

int wire_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  error_code error;
  *written = wire_of(bio).socket->send(asio::buffer(data, size), 0, error);
  return wire_result(bio, error, BIO_FLAGS_WRITE);
}

int wire_read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  error_code error;
  *got = wire_of(bio).socket->receive(asio::buffer(into, size), 0, error);
  wire_of(bio).received |= *got > 0;
  return wire_result(bio, error, BIO_FLAGS_READ);
}

long wire_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return wire_of(bio).ended ? 1 : 0;
  return 0;
}

BIO_METHOD* wire_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tombolo socket");
    ASSERT(made != nullptr);
    BIO_meth_set_write_ex(made, wire_write);
    BIO_meth_set_read_ex(made, wire_read);
    BIO_meth_set_ctrl(made, wire_control);
    return made;
  }();
  return method;
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::shared_ptr<GuardedSocket> guarded, std::shared_ptr<TlsServer> server)
      : guarded_(std::move(guarded)), server_(std::move(server)) {
    wire_.socket = &guarded_->socket;
  }
  TlsStream(std::shared_ptr<GuardedSocket> guarded, SslSession session)
      : guarded_(std::move(guarded)), server_(nullptr), ssl_(std::move(session)) {
    wire_.socket = &guarded_->socket;
  }
  ~TlsStream() override {
    say_goodbye();
    guarded_->close();
  }

  Task<void> shake_hands(Deadline until) {
    if (state_ == State::kOpen) co_return Result<void>{};
    if (state_ == State::kBroken) co_return Error{Code::kUnavailable, "the TLS connection is broken"};
    if (!ssl_) {
      CO_TRY(guarded_->wait(tcp::socket::wait_read, until));
      ssl_ = server_->begin();
    }
    while (true) {
      ERR_clear_error();
      const int done = SSL_do_handshake(wired());
      if (done == 1) break;
      const int error = SSL_get_error(ssl_.get(), done);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) co_return handshake_failure();
      const auto waited = co_await guarded_->wait(direction(error), until);
      if (!waited.ok()) {
        state_ = State::kBroken;
        if (server_) server_->failed();
        co_return waited.error();
      }
    }
    state_ = State::kOpen;
    if (server_) server_->ended_well();
    co_return Result<void>{};
  }

  Task<void> settle(Deadline until) override { return shake_hands(until); }

  // Not a coroutine itself: an idle connection holds one frame less.
  Task<void> wait_readable(Deadline until) override {
    const bool idle = state_ == State::kOpen && SSL_has_pending(ssl_.get()) == 0;
    return idle ? guarded_->wait(tcp::socket::wait_read, until) : shake_hands_and_wait(until);
  }

  void sleep(Deadline until, std::shared_ptr<Sleeper> sleeper) override {
    ASSERT(state_ == State::kOpen && SSL_has_pending(ssl_.get()) == 0);
    SSL_set_bio(ssl_.get(), nullptr, nullptr);
    guarded_->sleep(until, std::move(sleeper));
  }

  Task<std::size_t> read_some(MutableBytes into, Deadline until) override {
    CO_TRY(shake_hands(until));
    while (true) {
      std::size_t n = 0;
      ERR_clear_error();
      const int done = SSL_read_ex(wired(), into.data(), into.size(), &n);
      if (done == 1) {
        if (++calls_ >= kCallsPerTurn) co_await take_turns();
        co_return n;
      }
      const int error = SSL_get_error(ssl_.get(), done);
      if (error == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) co_return lost();
      calls_ = 0;
      CO_TRY(guarded_->wait(direction(error), until));
    }
  }

  Task<void> write(std::span<const BytesView> pieces, Duration stall_max) override {
    CO_TRY(shake_hands(deadline_after(stall_max)));
    // What is shorter than a record, a head above all, goes into one with what follows it.
    Bytes joined;
    for (BytesView piece : pieces) {
      if (!joined.empty() || (piece.size() < kRecordMax && pieces.size() > 1)) {
        const std::size_t taken = std::min(piece.size(), kRecordMax - joined.size());
        joined.insert(joined.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(taken));
        piece = piece.subspan(taken);
        if (joined.size() < kRecordMax) continue;
        CO_TRY(write_all(joined, stall_max));
        joined.clear();
      }
      CO_TRY(write_all(piece, stall_max));
    }
    co_return co_await write_all(joined, stall_max);
  }

  void shutdown_write() override {
    say_goodbye();
    guarded_->shutdown_write();
  }

  void abort() override {
    said_goodbye_ = true;  // the peer must not take this for an end
    guarded_->abort();
  }
  void cancel() override { guarded_->cancel(); }

  bool quiet() override {
    if (state_ != State::kOpen) return false;
    // Tickets and key updates are no data: OpenSSL takes them up here.
    std::byte probe{};
    std::size_t n = 0;
    ERR_clear_error();
    const int done = SSL_peek_ex(wired(), &probe, 1, &n);
    return done != 1 && SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ && SSL_has_pending(ssl_.get()) == 0;
  }

 private:
  enum class State { kShaking, kOpen, kBroken };

  Task<void> shake_hands_and_wait(Deadline until) {
    CO_TRY(shake_hands(until));
    if (SSL_has_pending(ssl_.get()) == 1) co_return Result<void>{};
    co_return co_await guarded_->wait(tcp::socket::wait_read, until);
  }

  static tcp::socket::wait_type direction(int error) {
    return error == SSL_ERROR_WANT_WRITE ? tcp::socket::wait_write : tcp::socket::wait_read;
  }

  // For calls that read or write: what lies between OpenSSL and the socket is not kept while the connection sleeps.
  SSL* wired() {
    if (SSL_get_rbio(ssl_.get()) == nullptr) {
      BIO* const bio = BIO_new(wire_method());
      ASSERT(bio != nullptr);
      BIO_set_data(bio, &wire_);
      BIO_set_init(bio, 1);
      SSL_set_bio(ssl_.get(), bio, bio);
    }
    return ssl_.get();
  }

  Task<void> write_all(BytesView bytes, Duration stall_max) {
    while (!bytes.empty()) {
      std::size_t n = 0;
      ERR_clear_error();
      const int done = SSL_write_ex(wired(), bytes.data(), std::min(bytes.size(), kRecordMax), &n);
      if (done == 1) {
        half_written_ = false;
        bytes = bytes.subspan(n);
        if (++calls_ >= kCallsPerTurn) co_await take_turns();
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), done);
      half_written_ = true;
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) co_return lost();
      calls_ = 0;
      CO_TRY(guarded_->wait(direction(error), deadline_after(stall_max)));
    }
    co_return Result<void>{};
  }

  // A peer that is as fast as we are never makes us wait: let others on the loop go on nevertheless.
  asio::awaitable<void> take_turns() {
    calls_ = 0;
    co_await asio::post(guarded_->socket.get_executor(), asio::use_awaitable);
  }

  // close_notify, once, as far as the socket takes it at once.
  void say_goodbye() {
    if (state_ != State::kOpen || half_written_ || said_goodbye_) return;
    said_goodbye_ = true;
    ERR_clear_error();
    SSL_shutdown(wired());
    ERR_clear_error();
  }

  // After an error that ends the connection.
  Error lost() {
    const unsigned long error = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(error);
    said_goodbye_ = true;
    if (wire_.error && !wire_.ended) return guarded_->failure(wire_.error);
    if (wire_.ended)
      return {Code::kUnavailable, "the connection is lost: the peer ended it without TLS's close_notify"};
    return {Code::kUnavailable, fmt::format("the connection is lost: {}", reason == nullptr ? "TLS" : reason)};
  }

  Error handshake_failure() {
    const unsigned long error = ERR_peek_last_error();
    state_ = State::kBroken;
    if (server_ && wire_.received) server_->failed();
    if (server_ && ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST) {
      return tell_that_this_is_tls();
    }
    const char* reason = ERR_reason_error_string(error);
    const long verified = SSL_get_verify_result(ssl_.get());
    if (!server_ && verified != X509_V_OK) {
      return {Code::kPermissionDenied,
              fmt::format("the peer's TLS certificate is not trusted: {}", X509_verify_cert_error_string(verified)),
              "tls_not_trusted"};
    }
    if (wire_.error && !wire_.ended) return guarded_->failure(wire_.error);
    return {Code::kUnavailable, fmt::format("the TLS handshake failed: {}",
                                            wire_.ended ? "the peer ended the connection"
                                                        : (reason == nullptr ? "no reason given" : reason))};
  }

  // A client that speaks plain HTTP learns what is wrong.
  Error tell_that_this_is_tls() {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 46\r\nConnection: close\r\n\r\n"
        "This port speaks TLS: write https:// for it.\r\n";
    error_code ignored;
    guarded_->socket.send(asio::buffer(kAnswer.data(), kAnswer.size()), 0, ignored);
    guarded_->shutdown_write();
    return {Code::kUnavailable, "the client spoke plain HTTP to a TLS port"};
  }

  const std::shared_ptr<GuardedSocket> guarded_;
  const std::shared_ptr<TlsServer> server_;  // null: the client's side
  Wire wire_;
  SslSession ssl_;  // refers to wire_
  State state_ = State::kShaking;
  bool half_written_ = false;  // a record, or part of it, waits inside OpenSSL
  bool said_goodbye_ = false;
  int calls_ = 0;
};

}  // namespace

std::unique_ptr<Stream> make_tls_stream(tcp::socket socket, std::shared_ptr<TlsServer> tls, PaceOptions writes) {
  auto guarded = std::make_shared<GuardedSocket>(std::move(socket));
  guarded->set_up(writes);
  return std::make_unique<TlsStream>(std::move(guarded), std::move(tls));
}

Task<std::unique_ptr<Stream>> connect_tls(TlsDial dial, std::shared_ptr<const TlsClient> tls) {
  CO_CHECK_ASSIGN(SslSession session, tls->begin(dial.name));
  CO_TRY_ASSIGN(auto guarded, connect_socket(dial.host, dial.port, dial.each_max));
  auto stream = std::make_unique<TlsStream>(std::move(guarded), std::move(session));
  CO_TRY(stream->shake_hands(deadline_after(dial.each_max)));
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace tombolo::http
