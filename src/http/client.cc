#include "http/client.h"

#include <fmt/format.h>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>

#include "http/body_reader.h"
#include "http/client_pool.h"
#include "http/response_parser.h"
#include "http/serialize.h"
#include "http/tcp_stream.h"
#include "http/tls_stream.h"

namespace tombolo::http {
namespace {

constexpr int kInterimMax = 8;               // 1xx answers before the final one
constexpr std::size_t kIdleBuffersMax = 64;  // 16 MiB
// How long to wait for an answer that explains why the peer stopped taking the request.
constexpr Duration kLastWordsMax = std::chrono::seconds(1);

bool idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

std::string host_header(const Request& request) {
  const bool tls = !request.tls_name.empty();
  const std::string& name = tls ? request.tls_name : request.host;
  const bool v6 = name.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + name + "]" : name;
  return request.port == (tls ? 443 : 80) ? host : fmt::format("{}:{}", host, request.port);
}

Task<std::unique_ptr<Stream>> connect(const ClientConfig& config, const Request& request) {
  if (request.tls_name.empty()) co_return co_await connect_tcp(request.host, request.port, config.connect_max);
  if (!config.tls) co_return Error{Code::kUnsupported, "this client was set up without TLS"};
  TlsDial dial{.host = request.host, .port = request.port, .name = request.tls_name, .each_max = config.connect_max};
  co_return co_await connect_tls(std::move(dial), config.tls);
}

// A failure of the peer, told with its name; the caller's cancellation stays what it is.
Error about_peer(const Request& request, Error error) {
  if (error.code == Code::kInvalid || error.code == Code::kUnsupported || error.code == Code::kTooLarge) {
    error.code = Code::kUnavailable;
  }
  error.message = fmt::format("{}:{}: {}", request.host, request.port, error.message);
  return error;
}

Error not_connected(Error error) {
  if (error.code == Code::kUnavailable || error.code == Code::kDeadline) error.detail = kNotConnected;
  return error;
}

// One attempt at a request over one connection.
class Call {
 public:
  Call(const ClientConfig& config, BufferPool& buffers, const Request& request, ClientPool::Lease lease)
      : config_(config), buffers_(buffers), request_(request), lease_(std::move(lease)) {}

  /// `owner` keeps what the references above refer to, for the answer's body.
  Task<Response> run(std::shared_ptr<void> owner);
  /// A byte of the answer has come, or a byte of the body was taken.
  bool begun() const { return answered_ || body_taken_; }

 private:
  Task<void> send_body(std::string head);
  Task<ResponseParser> read_head(Duration limit);

  const ClientConfig& config_;
  BufferPool& buffers_;
  const Request& request_;
  ClientPool::Lease lease_;
  bool answered_ = false;
  bool body_taken_ = false;
  bool source_failed_ = false;  // not the peer's fault
};

// The body of an answer; gives the connection back at its end.
class ResponseBody final : public ByteSource {
 public:
  ResponseBody(ClientPool::Lease lease, std::shared_ptr<void> owner, BufferPool& buffers, BodyReaderOptions options,
               bool keep_alive)
      : owner_(std::move(owner)),
        lease_(std::move(lease)),
        reader_(*lease_.connection->stream, lease_.connection->input, buffers, options),
        keep_alive_(keep_alive) {
    end_if_finished();
  }
  Task<Block> next() override {
    auto block = co_await reader_.next();
    if (!block.ok()) {
      lease_.close();
      Error error = std::move(block).error();
      if (error.code == Code::kInvalid) error.code = Code::kUnavailable;
      co_return error;
    }
    end_if_finished();
    co_return block;
  }

 private:
  void end_if_finished() {
    if (!reader_.finished()) return;
    // Bytes behind the body belong to no request of ours.
    if (keep_alive_ && lease_.connection && lease_.connection->input.empty()) {
      lease_.give_back();
    } else {
      lease_.close();
    }
  }

  const std::shared_ptr<void> owner_;  // keeps the buffer pool
  ClientPool::Lease lease_;
  BodyReader reader_;
  const bool keep_alive_;
};

Task<void> Call::send_body(std::string head) {
  Stream& stream = *lease_.connection->stream;
  const Error wrong{Code::kInternal, "the body of a request has another length than announced"};
  std::uint64_t left = request_.body_size;
  body_taken_ = true;
  do {
    auto block = co_await request_.body->next();
    source_failed_ = !block.ok();
    if (!block.ok()) co_return std::move(block).error();
    source_failed_ = block->size() > left || (block->empty() && left > 0);
    if (source_failed_) co_return wrong;
    left -= block->size();
    if (left == 0 && !block->empty()) {
      // The last block leaves only when the source has ended in good order: it may verify at its end.
      const auto behind = co_await request_.body->next();
      source_failed_ = !behind.ok() || !behind->empty();
      if (!behind.ok()) co_return behind.error();
      if (!behind->empty()) co_return wrong;
    }
    const BytesView pieces[] = {as_bytes(head), block->view()};
    CO_TRY(stream.write(pieces, config_.stall_max));
    head.clear();
  } while (left > 0);
  co_return Result<void>{};
}

Task<ResponseParser> Call::read_head(Duration limit) {
  ClientConnection& connection = *lease_.connection;
  const Deadline until = deadline_after(limit);
  for (int interim = 0; interim <= kInterimMax;) {
    ResponseParser parser(request_.method);
    while (true) {
      if (!connection.input.empty()) {
        answered_ = true;
        const auto progress = parser.advance(connection.input.text());
        if (!progress) co_return to_error(progress.error());
        if (*progress == Progress::kDone) break;
      }
      CO_TRY_ASSIGN(const std::size_t n, connection.stream->read_some(connection.input.room(), until));
      if (n == 0) co_return to_error(Failure::kConnectionLost);
      connection.input.added(n);
    }
    connection.input.take(parser.head_size());
    if (!parser.interim()) co_return parser;
    ++interim;
  }
  co_return Error{Code::kUnavailable, "too many interim answers"};
}

Task<Response> Call::run(std::shared_ptr<void> owner) {
  RequestExtras extras{.method = request_.method, .target = request_.target, .host = {}, .content_length = {}};
  const std::string host = host_header(request_);
  extras.host = host;
  const bool sends = request_.method == "PUT" || request_.method == "POST" || request_.method == "PATCH";
  if (request_.body != nullptr || sends) extras.content_length = request_.body == nullptr ? 0 : request_.body_size;
  CO_CHECK_ASSIGN(std::string head, render(request_.headers, extras));

  Result<void> sent;
  if (request_.body != nullptr) {
    sent = co_await send_body(std::move(head));
  } else {
    const BytesView pieces[] = {as_bytes(head)};
    sent = co_await lease_.connection->stream->write(pieces, config_.stall_max);
  }
  if (source_failed_) {
    lease_.connection->stream->abort();
    co_return std::move(sent).error();
  }
  if (!sent.ok() && sent.error().code == Code::kCancelled) co_return std::move(sent).error();
  // A peer that stops taking the request may have said why.
  auto parser = co_await read_head(sent.ok() ? config_.first_byte_max : kLastWordsMax);
  if (!parser.ok()) co_return about_peer(request_, sent.ok() ? std::move(parser).error() : std::move(sent).error());

  const BodyReaderOptions options{.chunked = parser->chunked(),
                                  .size = parser->body_size(),
                                  .pace = {.stall_max = config_.stall_max, .rate_min = config_.rate_min}};
  const bool keep_alive = parser->keep_alive() && sent.ok();
  Response response;
  response.content_length = parser->content_length();
  response.head = parser->take();
  response.body = std::make_unique<ResponseBody>(std::move(lease_), std::move(owner), buffers_, options, keep_alive);
  co_return response;
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientConfig config)
      : config_(config), pool_(std::make_shared<ClientPool>(config)), buffers_(kIdleBuffersMax) {}

  static Task<Response> send(std::shared_ptr<Impl> self, Request request) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    const auto context = boost::asio::execution::context_as<boost::asio::execution_context&>;
    const void* loop = &boost::asio::query(executor, context);
    auto want = ClientPool::Want::kAny;
    while (true) {
      CO_CHECK_ASSIGN(auto lease, self->pool_->lease({loop, request.host, request.port, request.tls_name}, want));
      const bool pooled = lease.connection != nullptr;
      if (!pooled) {
        auto stream = co_await connect(self->config_, request);
        if (!stream.ok()) co_return not_connected(about_peer(request, std::move(stream).error()));
        lease.connection = std::make_unique<ClientConnection>();
        lease.connection->stream = *std::move(stream);
        lease.connection->executor = executor;
      }
      Call call(self->config_, self->buffers_, request, std::move(lease));
      auto response = co_await call.run(self);
      const bool stale = !response.ok() && response.error().code == Code::kUnavailable && pooled && !call.begun();
      if (!stale || !idempotent(request.method)) co_return response;
      want = ClientPool::Want::kFresh;  // never pooled twice: this ends
    }
  }

 private:
  const ClientConfig config_;
  const std::shared_ptr<ClientPool> pool_;
  BufferPool buffers_;
};

Client::Client(ClientConfig config) : impl_(std::make_shared<Impl>(config)) {}

Client::~Client() = default;

Task<Response> Client::send(Request request) {
  return Impl::send(impl_, std::move(request));
}

}  // namespace tombolo::http
