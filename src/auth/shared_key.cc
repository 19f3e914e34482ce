#include "auth/shared_key.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
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

// The x-ms- headers, names in lower case, values trimmed; one allocation for all names.
class OwnHeaders {
  struct Before {
    HeaderOrder order;
    bool operator()(const NameValue& a, const NameValue& b) const { return header_before(order, a.name, b.name); }
  };

 public:
  explicit OwnHeaders(const SignedRequest& request) {
    std::size_t names_bytes = 0, count = 0;
    for (const NameValue& field : request.headers) {
      if (!is_own(field.name)) continue;
      names_bytes += field.name.size();
      ++count;
    }
    names_.reserve(names_bytes);  // views into it stay
    fields_.reserve(count);
    for (const NameValue& field : request.headers) {
      if (!is_own(field.name)) continue;
      const std::size_t begin = names_.size();
      for (const char c : field.name) names_ += lower(c);
      fields_.push_back({std::string_view(names_).substr(begin), trim(field.value)});
    }
  }

  void sort(HeaderOrder order) { std::stable_sort(fields_.begin(), fields_.end(), Before{order}); }
  bool is_sorted(HeaderOrder order) const { return std::is_sorted(fields_.begin(), fields_.end(), Before{order}); }

  // One "name:value\n" each; values of a repeated name joined by commas in wire order.
  void append_to(std::string& out) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (i > 0 && fields_[i].name == fields_[i - 1].name) {
        out.back() = ',';
      } else {
        out += fields_[i].name;
        out += ':';
      }
      line(out, fields_[i].value);
    }
  }

 private:
  static bool is_own(std::string_view name) {
    constexpr std::string_view kPrefix = "x-ms-";
    return equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
  }
  std::string names_;
  std::vector<NameValue> fields_;
};

// "\nname:value" per query parameter.
void append_query(std::string& out, const SignedRequest& request) {
  std::vector<std::pair<std::string, std::string_view>> pairs;
  for (const NameValue& parameter : request.query) pairs.emplace_back(lower(parameter.name), parameter.value);
  std::sort(pairs.begin(), pairs.end());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0 && pairs[i].first == pairs[i - 1].first) {
      out += ',';
    } else {
      out += '\n';
      out += pairs[i].first;
      out += ':';
    }
    out += pairs[i].second;
  }
}

void append_path(std::string& out, const SignedRequest& request, std::string_view account) {
  out += '/';
  out += account;
  out += request.path.empty() ? std::string_view("/") : request.path;
}

// Holds the strings of most requests.
constexpr std::size_t kUsualBytes = 512;

std::string full_string(const SignedRequest& request, std::string_view account, const OwnHeaders& own) {
  std::string out;
  out.reserve(kUsualBytes);
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
  own.append_to(out);
  append_path(out, request, account);
  append_query(out, request);
  return out;
}

// Lite signs fewer headers and, of the query, "comp" alone.
std::string lite_string(const SignedRequest& request, std::string_view account, const OwnHeaders& own) {
  std::string out;
  out.reserve(kUsualBytes);
  line(out, request.method);
  line(out, header(request, "content-md5"));
  line(out, header(request, "content-type"));
  line(out, date_line(request));
  own.append_to(out);
  append_path(out, request, account);
  if (const std::string_view comp = query_value(request, "comp"); !comp.empty()) {
    out += "?comp=";
    out += comp;
  }
  return out;
}

std::string to_sign(const SignedRequest& request, std::string_view account, SharedKeyScheme scheme,
                    const OwnHeaders& own) {
  switch (scheme) {
    case SharedKeyScheme::kFull:
      return full_string(request, account, own);
    case SharedKeyScheme::kLite:
      return lite_string(request, account, own);
  }
  return {};
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
  OwnHeaders own(request);
  own.sort(options.order);
  return to_sign(request, account, options.scheme, own);
}

std::string sign(const SignedRequest& request, const AccountKeys& keys, SharedKeyOptions options) {
  std::string out(options.scheme == SharedKeyScheme::kFull ? kFullPrefix : kLitePrefix);
  out += keys.account + ":" + sign_text(keys.key1, string_to_sign(request, keys.account, options));
  return out;
}

bool verify_signature(const SignedRequest& request, const SharedKeyCredential& credential, const PreparedKeys& keys) {
  const auto valid = [&](const OwnHeaders& own) {
    return signed_by(keys, to_sign(request, credential.account, credential.scheme, own), credential.signature);
  };
  OwnHeaders own(request);
  own.sort(HeaderOrder::kCulture);
  if (valid(own)) return true;
  if (own.is_sorted(HeaderOrder::kOrdinal)) return false;
  own.sort(HeaderOrder::kOrdinal);
  return valid(own);
}

std::optional<WallTime> signed_at(const SignedRequest& request) {
  const std::string_view own = header(request, "x-ms-date");
  return parse_http_date(own.empty() ? header(request, "date") : own);
}

}  // namespace tombolo::auth
