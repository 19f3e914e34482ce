// What the codec's files share: versions, enums, metadata. Included by model/codec*.cc only.
#pragma once

#include <string>

#include "base/wire.h"
#include "meta/model/container.h"

namespace tombolo::meta {

/// Opens a value: its version byte is checked at once, everything else by finish().
class ValueReader : public WireReader {
 public:
  ValueReader(std::string_view record, std::uint8_t newest, std::string_view value)
      : WireReader(value), record_(record), newest_(newest), version_(u8()) {}

  /// A number that must be at most `largest`.
  template <class E>
  E enumerated(E largest) {
    const std::uint8_t number = u8();
    if (number > static_cast<std::uint8_t>(largest)) senseless_ = true;
    return static_cast<E>(number);
  }
  bool flag() { return enumerated(std::uint8_t{1}) != 0; }
  Stamp stamp() { return Stamp{u64()}; }
  /// A count of things that take at least `bytes_min` each: never more than fit into what is left.
  std::uint32_t count(std::size_t bytes_min) {
    const std::uint32_t number = u32();
    if (number <= remaining() / bytes_min) return number;
    senseless_ = true;
    return 0;
  }
  Metadata metadata() {
    Metadata out(count(8));
    for (auto& [name, value] : out) {
      name = text();
      value = text();
    }
    return out;
  }
  void require(bool sensible) {
    if (!sensible) senseless_ = true;
  }

  Result<void> finish() const {
    const std::string record(record_);
    if (version_ > newest_) {
      return Error{Code::kUnsupported, record + " was written by a newer version of tombolo (layout " +
                                           std::to_string(version_) + "): upgrade this one"};
    }
    if (version_ == 0) return Error{Code::kCorrupt, record + ": the value has no version"};
    if (senseless_) return Error{Code::kCorrupt, record + ": a field holds a number that means nothing"};
    return WireReader::finish(record_);
  }

 private:
  std::string_view record_;
  std::uint8_t newest_;
  std::uint8_t version_;
  bool senseless_ = false;
};

/// Starts a value with its version.
class ValueWriter : public WireWriter {
 public:
  explicit ValueWriter(std::uint8_t version) { u8(version); }
  void stamp(Stamp value) { u64(value.micros); }
  template <class E>
  void enumerated(E value) {
    u8(static_cast<std::uint8_t>(value));
  }
  void metadata(const Metadata& pairs) {
    u32(static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [name, value] : pairs) {
      text(name);
      text(value);
    }
  }
};

}  // namespace tombolo::meta
