// Shared Key: the string to sign of any request head, in both schemes and both header orders.
#include "auth/shared_key.h"

#include <algorithm>
#include <set>

#include "auth/http_request.h"
#include "base/encoding.h"
#include "http/request_parser.h"
#include "testing/fuzz.h"

namespace tombolo::auth {
namespace {

const AccountKeys& keys() {
  static const AccountKeys made{.account = "tombolotest", .key1 = to_bytes("key"), .key2 = to_bytes("other")};
  return made;
}

std::string lower_case(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A strict order: stable_sort is undefined over anything else.
void check_order(const SignedRequest& request, HeaderOrder order) {
  constexpr std::size_t kNamesMax = 12;
  std::vector<std::string> names;
  for (const NameValue& field : request.headers) {
    if (names.size() < kNamesMax) names.push_back(lower_case(field.name));
  }
  const auto before = [order](const std::string& a, const std::string& b) { return header_before(order, a, b); };
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      ASSERT(!(before(a, b) && before(b, a)));
      ASSERT((a == b) == (!before(a, b) && !before(b, a)));
      for (const std::string& c : names) ASSERT(!(before(a, b) && before(b, c)) || before(a, c));
    }
  }
}

// Headers of different names may come in any order and any case.
SignedRequest shuffled(SignedRequest request, std::vector<std::string>& names) {
  std::stable_sort(request.headers.begin(), request.headers.end(), [](const NameValue& a, const NameValue& b) {
    return fuzz::hash_of(lower_case(a.name)) < fuzz::hash_of(lower_case(b.name));
  });
  names.reserve(request.headers.size());
  for (NameValue& field : request.headers) {
    std::string& name = names.emplace_back(field.name);
    for (char& c : name) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    field.name = name;
  }
  return request;
}

// One reading of what is signed: a line a header, none of which can hold a line end.
void check_lines(const SignedRequest& request, const std::string& text, SharedKeyScheme scheme) {
  ASSERT(text.starts_with(std::string(request.method) + "\n"));
  std::set<std::string> own;
  for (const NameValue& field : request.headers) {
    if (const std::string name = lower_case(field.name); name.starts_with("x-ms-")) own.insert(name);
  }
  const std::size_t lines = (scheme == SharedKeyScheme::kFull ? 12 : 4) + own.size();
  std::size_t at = 0;
  for (std::size_t line = 0; line < lines; ++line) at = text.find('\n', at) + 1;
  ASSERT(text.substr(at).starts_with("/tombolotest" + std::string(request.path)));
}

void check_signature(const SignedRequest& request, SharedKeyOptions options) {
  const auto credential = parse_shared_key(sign(request, keys(), options));
  ASSERT(credential && credential->scheme == options.scheme && credential->account == keys().account);
  static const PreparedKeys right(keys());
  static const PreparedKeys wrong(AccountKeys{.account = keys().account, .key1 = to_bytes("Key"), .key2 = {}});
  ASSERT(verify_signature(request, *credential, right) && !verify_signature(request, *credential, wrong));
  SignedRequest other = request;
  other.method = "PATCH";
  ASSERT(request.method == other.method || !verify_signature(other, *credential, right));
}

void check(const SignedRequest& request) {
  std::vector<std::string> names;
  const SignedRequest moved = shuffled(request, names);
  for (const SharedKeyScheme scheme : {SharedKeyScheme::kFull, SharedKeyScheme::kLite}) {
    for (const HeaderOrder order : {HeaderOrder::kCulture, HeaderOrder::kOrdinal}) {
      const SharedKeyOptions options{.scheme = scheme, .order = order};
      const std::string text = string_to_sign(request, keys().account, options);
      ASSERT(text == string_to_sign(moved, keys().account, options));
      check_lines(request, text, scheme);
    }
  }
  const bool lite = (fuzz::hash_of(request.path) & 1) != 0;
  check_signature(request, {.scheme = lite ? SharedKeyScheme::kLite : SharedKeyScheme::kFull});
  check_order(request, HeaderOrder::kCulture);
  check_order(request, HeaderOrder::kOrdinal);
  if (const auto at = signed_at(request)) ASSERT(at->micros % 1'000'000 == 0);
}

}  // namespace

// The input is a request head, or else an Authorization header's value.
FUZZ(auth_shared_key) {
  const fuzz::Exact copy(as_text(input));
  if (const auto credential = parse_shared_key(copy.text())) {
    ASSERT(!credential->account.empty() && credential->account.find(':') == std::string::npos);
    ASSERT(copy.text().find(base64_encode(credential->signature)) != std::string_view::npos);
  }
  http::RequestParser parser;
  const auto progress = parser.advance(copy.text());
  if (!progress || *progress != http::Progress::kDone) return;
  const http::RequestHead head = parser.take();
  const auto query = http::parse_query(head.query(), http::Plus::kSpace);
  if (query.ok()) check(view_of(head, *query));
}

}  // namespace tombolo::auth
