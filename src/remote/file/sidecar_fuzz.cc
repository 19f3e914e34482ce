// Sidecars and paths of a file remote.
#include "remote/file/sidecar.h"

#include <fmt/format.h>

#include "base/crc64.h"
#include "remote/file/key_path.h"
#include "testing/fuzz.h"

namespace tombolo::remote::file {
namespace {

constexpr std::size_t kNameMax = 255;  // of a file system

bool same(const RemoteHeaders& a, const RemoteHeaders& b) {
  return a.content_type == b.content_type && a.content_encoding == b.content_encoding &&
         a.content_language == b.content_language && a.content_disposition == b.content_disposition &&
         a.cache_control == b.cache_control && a.content_md5 == b.content_md5 && a.metadata == b.metadata;
}

void check_text(std::string_view text, std::string_view key) {
  const auto headers = decode_sidecar(text, key);
  if (!headers.ok()) {
    ASSERT(headers.error().code == Code::kCorrupt);
    return;
  }
  ASSERT(!headers->content_md5 || headers->content_md5->size() == 16);
  const auto again = decode_sidecar(encode_sidecar(key, *headers), key);
  ASSERT(again.ok() && same(*again, *headers));
}

RemoteHeaders headers_of(fuzz::Pieces& pieces) {
  RemoteHeaders headers;
  for (std::string RemoteHeaders::* field :
       {&RemoteHeaders::content_type, &RemoteHeaders::content_encoding, &RemoteHeaders::content_language,
        &RemoteHeaders::content_disposition, &RemoteHeaders::cache_control}) {
    if (pieces.flag()) headers.*field = pieces.text();
  }
  if (pieces.flag()) headers.content_md5 = std::string(16, static_cast<char>(pieces.byte()));
  for (std::size_t count = pieces.below(3); count > 0; --count) {
    std::string name = pieces.text();
    if (!name.empty()) headers.metadata[std::move(name)] = pieces.text();
  }
  return headers;
}

void check_written(BytesView input) {
  fuzz::Pieces pieces(input);
  const std::string key = pieces.text();
  const RemoteHeaders headers = headers_of(pieces);
  std::string text = encode_sidecar(key, headers);
  const auto back = decode_sidecar(text, key);
  ASSERT(back.ok() && same(*back, headers));
  ASSERT(!decode_sidecar(text, key + "x").ok());
  const std::size_t at = pieces.u64() % text.size();
  text[at] = static_cast<char>(text[at] ^ (1 << pieces.below(8)));
  ASSERT(!decode_sidecar(text, key).ok());
}

void check_path(std::string_view key) {
  const auto path = path_of_key(key);
  if (!path.ok()) {
    ASSERT(key.empty() || key.size() > kKeyBytesMax);
    return;
  }
  std::string again;
  const auto take = [&](std::string_view name, bool last) {
    ASSERT(!name.empty() && name != "." && name != ".." && name.size() <= kNameMax);
    ASSERT(name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos);
    const bool goes_on = !last && name.ends_with(kContinues);
    if (goes_on) name.remove_suffix(kContinues.size());
    const auto decoded = decode_name(name);
    ASSERT(decoded);
    again += *decoded;
    if (!last && !goes_on) again += '/';
  };
  for (const std::string& name : path->directories) take(name, false);
  take(path->leaf, true);
  ASSERT(again == key);
  ASSERT((path->directories.empty() ? path->leaf : path->directories.front()) != kSystemDirectory);
}

}  // namespace

FUZZ(remote_sidecar) {
  const fuzz::Exact copy(as_text(input));
  check_text(copy.text(), "k");
  // With a right checksum: a fuzzer does not guess those.
  const std::string body = "tombolo-file-remote 1\n" + std::string(copy.text());
  check_text(body + fmt::format("crc64 {:016x}\n", crc64(as_bytes(body))), "k");
  check_written(input);
  check_path(copy.text());
}

}  // namespace tombolo::remote::file
