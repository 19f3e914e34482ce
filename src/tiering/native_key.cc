#include "tiering/native_key.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"

namespace tombolo::tiering {
namespace {

constexpr std::size_t kHalfBytes = 8;

// Remotes differ in which case of metadata names they keep.
bool is_nonce_field(std::string_view name) {
  return equal_ignoring_case(name, kNonceField);
}

std::string_view origin_of(std::string_view nonce) {
  return nonce.substr(0, nonce.find('.'));
}

}  // namespace

std::string native_prefix(const std::string& remote_prefix, const meta::Container& container,
                          const std::string& remote_name) {
  if (container.native_remote == remote_name) return remote_prefix;
  return remote_prefix + container.name + "/";
}

std::string next_nonce(Random& random, const std::string& before) {
  std::string nonce = before.empty() ? random.hex(kHalfBytes) : std::string(origin_of(before));
  nonce += '.';
  return nonce + random.hex(kHalfBytes);
}

bool same_origin(std::string_view a, std::string_view b) {
  return !a.empty() && origin_of(a) == origin_of(b);
}

std::string nonce_of(const remote::RemoteHeaders& headers) {
  for (const auto& [name, value] : headers.metadata) {
    if (is_nonce_field(name)) return value;
  }
  return {};
}

remote::RemoteHeaders headers_of(const meta::Object& object, const std::string& nonce) {
  remote::RemoteHeaders out;
  out.content_type = object.headers.content_type;
  out.content_encoding = object.headers.content_encoding;
  out.content_language = object.headers.content_language;
  out.content_disposition = object.headers.content_disposition;
  out.cache_control = object.headers.cache_control;
  if (object.headers.content_md5) out.content_md5 = std::string(as_text(*object.headers.content_md5));
  for (const auto& [name, value] : object.metadata) {
    if (!is_nonce_field(name)) out.metadata.emplace(name, value);
  }
  out.metadata.emplace(kNonceField, nonce);
  return out;
}

}  // namespace tombolo::tiering
