#include "remote/file/sidecar.h"

#include <fmt/format.h>

#include <array>

#include "base/crc64.h"
#include "base/encoding.h"

namespace tombolo::remote::file {
namespace {

constexpr std::string_view kFirstLine = "tombolo-file-remote 1\n";
constexpr std::string_view kKept = " /;=,:+*\"()";  // readable in a value: percent_encode keeps them

constexpr std::size_t kMd5Bytes = 16;

struct Field {
  std::string_view name;
  std::string RemoteHeaders::* value;
};
constexpr std::array<Field, 5> kFields = {{{"content-type", &RemoteHeaders::content_type},
                                           {"content-encoding", &RemoteHeaders::content_encoding},
                                           {"content-language", &RemoteHeaders::content_language},
                                           {"content-disposition", &RemoteHeaders::content_disposition},
                                           {"cache-control", &RemoteHeaders::cache_control}}};

std::string crc_line(std::string_view text) {
  return fmt::format("crc64 {:016x}\n", crc64(as_bytes(text)));
}

Error corrupt(std::string_view key, std::string_view why) {
  return Error{Code::kCorrupt, fmt::format("the sidecar of \"{}\" is damaged: {}", key, why)};
}

}  // namespace

bool needs_sidecar(const RemoteHeaders& headers) {
  for (const Field& field : kFields) {
    if (!(headers.*field.value).empty()) return true;
  }
  return headers.content_md5.has_value() || !headers.metadata.empty();
}

std::string encode_sidecar(std::string_view key, const RemoteHeaders& headers) {
  std::string out(kFirstLine);
  out += fmt::format("key {}\n", percent_encode(key, kKept));
  for (const Field& field : kFields) {
    const std::string& value = headers.*field.value;
    if (!value.empty()) out += fmt::format("{} {}\n", field.name, percent_encode(value, kKept));
  }
  if (headers.content_md5) out += fmt::format("content-md5 {}\n", hex_encode(as_bytes(*headers.content_md5)));
  for (const auto& [name, value] : headers.metadata) {
    out += fmt::format("meta {} {}\n", percent_encode(name), percent_encode(value, kKept));
  }
  return out += crc_line(out);
}

Result<RemoteHeaders> decode_sidecar(std::string_view text, std::string_view key) {
  // A line of its own: what is before it are whole lines then.
  const std::size_t tail = text.rfind("\ncrc64 ") + 1;
  if (tail == 0 || crc_line(text.substr(0, tail)) != text.substr(tail)) {
    return corrupt(key, "its checksum does not match");
  }
  if (!text.starts_with(kFirstLine)) return corrupt(key, "another version");
  std::string_view body = text.substr(0, tail).substr(kFirstLine.size());
  RemoteHeaders headers;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view name = line.substr(0, space);
    const std::string_view raw = line.substr(std::min(space + 1, line.size()));
    if (name == "meta") {
      const std::size_t gap = std::min(raw.find(' '), raw.size());
      const auto meta_name = percent_decode(raw.substr(0, gap));
      const auto meta_value = percent_decode(raw.substr(std::min(gap + 1, raw.size())));
      if (!meta_name || !meta_value) return corrupt(key, "a bad escape");
      headers.metadata[*meta_name] = *meta_value;
      continue;
    }
    const auto value = percent_decode(raw);
    if (!value) return corrupt(key, "a bad escape");
    if (name == "key") {
      if (*value != key) return corrupt(key, "it belongs to another key");
    } else if (name == "content-md5") {
      const auto digest = hex_decode(raw);
      if (!digest || digest->size() != kMd5Bytes) return corrupt(key, "a bad digest");
      headers.content_md5 = std::string(as_text(*digest));
    } else {
      for (const Field& field : kFields) {
        if (field.name == name) headers.*field.value = *value;
      }
    }
  }
  return headers;
}

}  // namespace tombolo::remote::file
