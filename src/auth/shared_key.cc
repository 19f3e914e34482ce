#include "auth/shared_key.h"

#include <algorithm>
#include <utility>

#include "auth/ascii.h"
#include "base/encoding.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

constexpr std::string_view kFullPrefix = "SharedKey ";
constexpr std::string_view kLitePrefix = "SharedKeyLite ";
constexpr std::string_view kBlankZeroLengthSince = "2015-02-21";

void line(std::string& out, std::string_view text) {
  out += text;
  out += '\n';
}

std::string_view content_length(const SignedRequest& request) {
  const std::string_view length = header(request, "content-length");
  const std::string_view version = header(request, "x-ms-version");
  const bool blank_zero = version.empty() || version >= kBlankZeroLengthSince;
  return length == "0" && blank_zero ? std::string_view{} : length;
}

std::string_view date_line(const SignedRequest& request) {
  return header(request, "x-ms-date").empty() ? header(request, "date") : std::string_view{};
}

// One "name:value\n" per x-ms- header; values trimmed, those of a repeated name joined by commas in wire order.
std::string canonical_headers(const SignedRequest& request, HeaderOrder order) {
  std::vector<std::pair<std::string, std::string_view>> own;
  for (const NameValue& field : request.headers) {
    std::string name = lower(field.name);
    if (name.starts_with("x-ms-")) own.emplace_back(std::move(name), trim(field.value));
  }
  std::stable_sort(own.begin(), own.end(),
                   [order](const auto& a, const auto& b) { return header_before(order, a.first, b.first); });
  std::string out;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const bool repeated = i > 0 && own[i].first == own[i - 1].first;
    if (repeated) {
      out.back() = ',';
    } else {
      out += own[i].first;
      out += ':';
    }
    line(out, own[i].second);
  }
  return out;
}

// "\nname:value" per query parameter.
std::string canonical_query(const SignedRequest& request) {
  std::vector<std::pair<std::string, std::string_view>> pairs;
  for (const NameValue& parameter : request.query) pairs.emplace_back(lower(parameter.name), parameter.value);
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const bool repeated = i > 0 && pairs[i].first == pairs[i - 1].first;
    out += repeated ? "," : "\n" + pairs[i].first + ":";
    out += pairs[i].second;
  }
  return out;
}

std::string canonical_path(const SignedRequest& request, std::string_view account) {
  std::string out = "/";
  out += account;
  out += request.path.empty() ? std::string_view("/") : request.path;
  return out;
}

std::string full_string(const SignedRequest& request, std::string_view account, HeaderOrder order) {
  std::string out;
  line(out, request.method);
  line(out, header(request, "content-encoding"));
  line(out, header(request, "content-language"));
  line(out, content_length(request));
  line(out, header(request, "content-md5"));
  line(out, header(request, "content-type"));
  line(out, date_line(request));
  line(out, header(request, "if-modified-since"));
  line(out, header(request, "if-match"));
  line(out, header(request, "if-none-match"));
  line(out, header(request, "if-unmodified-since"));
  line(out, header(request, "range"));
  return out + canonical_headers(request, order) + canonical_path(request, account) + canonical_query(request);
}

// Lite signs fewer headers and, of the query, "comp" alone.
std::string lite_string(const SignedRequest& request, std::string_view account, HeaderOrder order) {
  std::string out;
  line(out, request.method);
  line(out, header(request, "content-md5"));
  line(out, header(request, "content-type"));
  line(out, date_line(request));
  out += canonical_headers(request, order) + canonical_path(request, account);
  if (const std::string_view comp = query_value(request, "comp"); !comp.empty()) {
    out += "?comp=";
    out += comp;
  }
  return out;
}

}  // namespace

std::optional<SharedKeyCredential> parse_shared_key(std::string_view authorization) {
  SharedKeyCredential credential;
  if (authorization.starts_with(kFullPrefix)) {
    authorization.remove_prefix(kFullPrefix.size());
  } else if (authorization.starts_with(kLitePrefix)) {
    authorization.remove_prefix(kLitePrefix.size());
    credential.scheme = SharedKeyScheme::kLite;
  } else {
    return std::nullopt;
  }
  authorization = trim(authorization);
  const std::size_t colon = authorization.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::optional<Bytes> signature = base64_decode(authorization.substr(colon + 1));
  if (!signature) return std::nullopt;
  credential.account = authorization.substr(0, colon);
  credential.signature = *std::move(signature);
  return credential;
}

std::string string_to_sign(const SignedRequest& request, std::string_view account, SharedKeyOptions options) {
  switch (options.scheme) {
    case SharedKeyScheme::kFull:
      return full_string(request, account, options.order);
    case SharedKeyScheme::kLite:
      return lite_string(request, account, options.order);
  }
  return {};
}

std::string sign(const SignedRequest& request, const AccountKeys& keys, SharedKeyOptions options) {
  std::string out(options.scheme == SharedKeyScheme::kFull ? kFullPrefix : kLitePrefix);
  out += keys.account + ":" + sign_text(keys.key1, string_to_sign(request, keys.account, options));
  return out;
}

bool verify_signature(const SignedRequest& request, const SharedKeyCredential& credential, const AccountKeys& keys) {
  const std::string culture =
      string_to_sign(request, credential.account, {.scheme = credential.scheme, .order = HeaderOrder::kCulture});
  const std::string ordinal =
      string_to_sign(request, credential.account, {.scheme = credential.scheme, .order = HeaderOrder::kOrdinal});
  bool valid = signed_by(keys, culture, credential.signature);
  if (ordinal != culture) valid = signed_by(keys, ordinal, credential.signature) || valid;
  return valid;
}

std::optional<WallTime> signed_at(const SignedRequest& request) {
  const std::string_view own = header(request, "x-ms-date");
  return parse_http_date(own.empty() ? header(request, "date") : own);
}

}  // namespace tombolo::auth
