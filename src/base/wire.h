// WireWriter and WireReader: how persisted values are laid out. Little-endian integers, length-prefixed strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/endian.h"
#include "base/result.h"

namespace tombolo {

/// Appends fields to a string.
class WireWriter {
 public:
  void u8(std::uint8_t value) { out_ += static_cast<char>(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  /// A u32 length, then the bytes.
  void text(std::string_view bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    out_ += bytes;
  }
  void raw(std::string_view bytes) { out_ += bytes; }
  std::string take() && { return std::move(out_); }
  const std::string& bytes() const { return out_; }

 private:
  template <class T>
  void fixed(T value) {
    char buffer[sizeof(T)];
    store_le(buffer, value);
    out_.append(buffer, sizeof(T));
  }
  std::string out_;
};

/// Reads fields back. Never reads past the end: the first field that does not fit makes the reader bad, and from then
/// on every field is zero or empty. Check with finish() once, at the end.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed<std::uint8_t>()); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::string text() { return std::string(raw(u32())); }
  std::string_view raw(std::size_t length) {
    if (length > rest_.size()) {
      bad_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }

  bool bad() const { return bad_; }
  std::size_t remaining() const { return rest_.size(); }
  /// kCorrupt, naming `what`, when a field did not fit or bytes are left over.
  Result<void> finish(std::string_view what) const {
    if (bad_) return Error{Code::kCorrupt, std::string(what) + ": the value is cut short"};
    if (!rest_.empty()) return Error{Code::kCorrupt, std::string(what) + ": bytes are left over behind the value"};
    return {};
  }

 private:
  template <class T>
  T fixed() {
    const std::string_view bytes = raw(sizeof(T));
    return bytes.empty() ? T{} : load_le<T>(bytes.data());
  }
  std::string_view rest_;
  bool bad_ = false;
};

}  // namespace tombolo
