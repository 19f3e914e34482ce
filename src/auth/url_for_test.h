// A request made from a URL, as the dialect would view it. Included by tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "auth/request.h"
#include "base/encoding.h"

namespace tombolo::auth {

enum class UrlStyle { kPath, kHost };

/// Owns what a SignedRequest views. `target` is what stands in the request line ("/acct/c/b?x=y" or "/c/b?x=y").
class UrlForTest {
 public:
  UrlForTest(std::string method, std::string target, UrlStyle style = UrlStyle::kPath)
      : method_(std::move(method)), target_(std::move(target)) {
    const std::size_t mark = target_.find('?');
    path_ = target_.substr(0, mark);
    if (mark != std::string::npos) split_query(target_.substr(mark + 1));
    std::string rest = path_.substr(1);
    account_ = style == UrlStyle::kPath ? percent_decode(take(rest)).value() : "tombolotest";
    container_ = percent_decode(take(rest)).value();
    blob_ = percent_decode(rest).value();
  }

  UrlForTest& with(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  SignedRequest view() const {
    SignedRequest out{.method = method_, .path = path_, .account = account_, .container = container_, .blob = blob_};
    out.client_ip = "127.0.0.1";
    for (const auto& [name, value] : query_) out.query.push_back({name, value});
    for (const auto& [name, value] : headers_) out.headers.push_back({name, value});
    return out;
  }

 private:
  static std::string take(std::string& rest) {
    const std::size_t slash = rest.find('/');
    std::string first = rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    return first;
  }

  static std::string decode(std::string text) {
    for (char& c : text) {
      if (c == '+') c = ' ';
    }
    return percent_decode(text).value();
  }

  void split_query(std::string query) {
    while (!query.empty()) {
      const std::size_t end = query.find('&');
      const std::string pair = query.substr(0, end);
      query = end == std::string::npos ? "" : query.substr(end + 1);
      const std::size_t equals = pair.find('=');
      query_.emplace_back(decode(pair.substr(0, equals)),
                          equals == std::string::npos ? "" : decode(pair.substr(equals + 1)));
    }
  }

  std::string method_, target_, path_, account_, container_, blob_;
  std::vector<std::pair<std::string, std::string>> query_, headers_;
};

}  // namespace tombolo::auth
