// What a SAS may grant: permissions, services and resource types, as small bit sets.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace tombolo::auth {

/// A set of the enumerators of E, whose values are bit numbers below 32.
template <class E>
class BitSet {
 public:
  constexpr BitSet() = default;
  constexpr BitSet(std::initializer_list<E> members) {
    for (const E member : members) add(member);
  }
  constexpr void add(E member) { bits_ |= 1U << static_cast<unsigned>(member); }
  constexpr bool has(E member) const { return (bits_ >> static_cast<unsigned>(member) & 1U) != 0; }
  constexpr bool intersects(BitSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(BitSet, BitSet) = default;

 private:
  std::uint32_t bits_ = 0;
};

/// One per letter of "sp". "p" has two meanings: setting owner and ACL in a service SAS, queues in an account SAS.
enum class Permission : std::uint8_t {
  kRead,                // r
  kAdd,                 // a: append a block
  kCreate,              // c: write what does not exist yet
  kWrite,               // w
  kDelete,              // d
  kDeleteVersion,       // x
  kPermanentDelete,     // y
  kList,                // l
  kTags,                // t
  kFilter,              // f: find by tags
  kMove,                // m
  kExecute,             // e
  kChangeOwner,         // o
  kChangePermissions,   // p, service SAS
  kChangeImmutability,  // i
  kUpdate,              // u, account SAS: tables and queues
  kProcess,             // p, account SAS: queues
};
inline constexpr unsigned kPermissionCount = static_cast<unsigned>(Permission::kProcess) + 1;
using Permissions = BitSet<Permission>;

enum class Service : std::uint8_t { kBlob, kQueue, kTable, kFile };
using Services = BitSet<Service>;

enum class ResourceType : std::uint8_t { kService, kContainer, kObject };
using ResourceTypes = BitSet<ResourceType>;

enum class SasKind : std::uint8_t { kAccount, kService };

/// The letters of "sp", in any order. nullopt for an unknown letter (it might restrict), a repeated or no letter.
std::optional<Permissions> parse_permissions(SasKind kind, std::string_view text);
/// The letters in the order that Azure demands for that kind. Requires permissions that the kind has letters for.
std::string to_string(SasKind kind, Permissions permissions);
/// All that a kind of SAS can grant.
Permissions every_permission(SasKind kind);

std::optional<Services> parse_services(std::string_view text);             // letters of "ss": b q t f
std::optional<ResourceTypes> parse_resource_types(std::string_view text);  // letters of "srt": s c o
std::string to_string(Services services);
std::string to_string(ResourceTypes types);

}  // namespace tombolo::auth
