#include "remote/azure/download.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "remote/azure/upload.h"

namespace tombolo::remote::azure {
namespace {

// A try that gives less gets nowhere: it counts against the tries.
constexpr std::uint64_t kProgressBytes = 256 * kKiB;

class Download final : public ByteSource {
 public:
  Download(std::shared_ptr<Caller> caller, GetRequest request)
      : caller_(std::move(caller)),
        request_(std::move(request)),
        at_(request_.offset),
        end_(request_.offset + request_.length),
        attempts_(*caller_) {}

  /// Until the answer has begun.
  Task<void> open();
  Task<Block> next() override;

 private:
  Call call() const;
  std::optional<Failure> refuse(const http::Response& response) const;
  Task<Block> receive();
  Failure broken(Error error) const;
  /// Success: another try may be made.
  Task<void> again(Failure failure);

  const std::shared_ptr<Caller> caller_;
  const GetRequest request_;
  std::uint64_t at_;
  const std::uint64_t end_;
  Caller::Attempts attempts_;
  std::optional<http::Response> response_;
  std::uint64_t gained_ = 0;  // in this try
};

Call Download::call() const {
  Call call;
  call.method = "GET";
  call.key = request_.key;
  call.headers.add("x-ms-range", fmt::format("bytes={}-{}", at_, end_ - 1));
  add_condition(call.headers, {.if_etag = request_.if_etag});
  call.answer_size = 0;  // the body is not part of the try
  call.expected = {200, 206};
  return call;
}

// Why an answer with a good status is not the one asked for.
std::optional<Failure> Download::refuse(const http::Response& response) const {
  const auto& headers = response.head.headers;
  const auto failed = [](Code code, std::string text) {
    return Failure{.error = Error{code, std::move(text)}, .retryable = code == Code::kUnavailable};
  };
  const std::string etag = unquoted(headers.get("ETag").value_or(""));
  if (etag.empty()) return failed(Code::kUnavailable, "it answered without an ETag");
  if (etag != request_.if_etag) {
    return failed(Code::kChangedOutside, fmt::format("it answered with ETag {} instead of {}", etag, request_.if_etag));
  }
  const std::uint64_t length = end_ - at_;
  // Azure refuses a range of an empty object with 416; Azurite (3.35) gives the empty object.
  if (response.content_length == 0) return failed(Code::kOutOfRange, "the object is empty");
  if (response.content_length.value_or(length) != length) {
    return failed(Code::kUnavailable,
                  fmt::format("it answered with {} bytes instead of {}", *response.content_length, length));
  }
  if (response.head.status == 200) {
    // The whole object is the answer only where the whole object was asked for; its length is checked above.
    if (at_ == 0 && response.content_length) return std::nullopt;
    return failed(Code::kUnavailable, "it answered with the whole object instead of a range");
  }
  const std::string wanted = fmt::format("bytes {}-{}/", at_, end_ - 1);
  const std::string_view range = headers.get("Content-Range").value_or("");
  if (range.starts_with(wanted)) return std::nullopt;
  return failed(Code::kUnavailable, fmt::format("it answered with the range \"{}\" instead of \"{}\"", range, wanted));
}

Task<void> Download::again(Failure failure) {
  Error error = caller_->told(call(), attempts_, failure);
  if (error.code == Code::kConditionFailed) {
    CO_TRY_ASSIGN(const bool gone, is_gone(caller_, request_.key));
    error.code = gone ? Code::kNotFound : Code::kChangedOutside;
    co_return error;
  }
  CO_TRY_ASSIGN(const bool more, attempts_.again(std::move(failure)));
  if (!more) co_return error;
  log(LogLevel::kInfo, "remote", "{}; going on from byte {}", error.message, at_);
  co_return Result<void>();
}

Task<void> Download::open() {
  while (true) {
    CO_TRY_ASSIGN(Outcome outcome, caller_->try_once(call(), attempts_.number()));
    if (outcome.response) {
      auto refused = refuse(*outcome.response);
      if (!refused) {
        response_ = std::move(outcome.response);
        gained_ = 0;
        co_return Result<void>();
      }
      outcome.response.reset();  // its body is not ours; the connection goes
      outcome.failure = *std::move(refused);
    }
    CO_TRY(again(std::move(outcome.failure)));
  }
}

Failure Download::broken(Error error) const {
  Failure failure;
  failure.retryable = error.code == Code::kUnavailable || error.code == Code::kDeadline;
  failure.error = Error{failure.retryable ? Code::kUnavailable : error.code,
                        fmt::format("the body broke off at byte {}: {}", at_, error.message)};
  return failure;
}

Task<Block> Download::receive() {
  CO_TRY_ASSIGN(Block block, response_->body->next());
  if (block.empty()) co_return Error{Code::kUnavailable, "it ended early"};
  if (block.size() > end_ - at_) co_return Error{Code::kUnavailable, "it is longer than announced"};
  co_return block;
}

Task<Block> Download::next() {
  if (at_ == end_) co_return Block();
  while (true) {
    if (!response_) {
      CO_TRY(open());
    }
    auto block = co_await receive();
    if (block.ok()) {
      at_ += block->size();
      gained_ += block->size();
      if (gained_ >= kProgressBytes) attempts_.progress();
      if (at_ == end_) response_.reset();  // the connection is free for others before the reader is done
      co_return block;
    }
    response_.reset();
    if (block.error().code == Code::kCancelled) co_return std::move(block).error();
    CO_TRY(again(broken(std::move(block).error())));
  }
}

}  // namespace

Task<std::unique_ptr<ByteSource>> get_object(std::shared_ptr<Caller> caller, GetRequest request) {
  ASSERT(!request.if_etag.empty() && request.length > 0);
  CO_CHECK(check_key(request.key));
  if (request.again && !caller->may_repeat("get")) {
    co_return Error{Code::kUnavailable, "too many retries lately to ask for the same again", kNoRetryLeft};
  }
  auto download = std::make_unique<Download>(std::move(caller), std::move(request));
  CO_TRY(download->open());
  co_return download;
}

}  // namespace tombolo::remote::azure
