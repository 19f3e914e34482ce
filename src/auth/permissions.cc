#include "auth/permissions.h"

#include <array>
#include <span>

namespace tombolo::auth {
namespace {

template <class E>
struct Letter {
  char letter;
  E meaning;
};

// In the order in which Microsoft Learn ("Create an account SAS", "Create a service SAS") and the SDKs write them.
constexpr auto kAccountLetters = std::to_array<Letter<Permission>>({
    {'r', Permission::kRead},
    {'w', Permission::kWrite},
    {'d', Permission::kDelete},
    {'x', Permission::kDeleteVersion},
    {'y', Permission::kPermanentDelete},
    {'l', Permission::kList},
    {'a', Permission::kAdd},
    {'c', Permission::kCreate},
    {'u', Permission::kUpdate},
    {'p', Permission::kProcess},
    {'t', Permission::kTags},
    {'f', Permission::kFilter},
    {'i', Permission::kChangeImmutability},
});

constexpr auto kServiceLetters = std::to_array<Letter<Permission>>({
    {'r', Permission::kRead},
    {'a', Permission::kAdd},
    {'c', Permission::kCreate},
    {'w', Permission::kWrite},
    {'d', Permission::kDelete},
    {'x', Permission::kDeleteVersion},
    {'y', Permission::kPermanentDelete},
    {'l', Permission::kList},
    {'t', Permission::kTags},
    {'f', Permission::kFilter},
    {'m', Permission::kMove},
    {'e', Permission::kExecute},
    {'o', Permission::kChangeOwner},
    {'p', Permission::kChangePermissions},
    {'i', Permission::kChangeImmutability},
});

constexpr auto kServices = std::to_array<Letter<Service>>(
    {{'b', Service::kBlob}, {'q', Service::kQueue}, {'t', Service::kTable}, {'f', Service::kFile}});

constexpr auto kResourceTypes = std::to_array<Letter<ResourceType>>(
    {{'s', ResourceType::kService}, {'c', ResourceType::kContainer}, {'o', ResourceType::kObject}});

std::span<const Letter<Permission>> letters_of(SasKind kind) {
  switch (kind) {
    case SasKind::kAccount:
      return kAccountLetters;
    case SasKind::kService:
      return kServiceLetters;
  }
  return {};
}

template <class E>
std::optional<BitSet<E>> parse(std::span<const Letter<E>> letters, std::string_view text) {
  BitSet<E> out;
  for (const char c : text) {
    const Letter<E>* found = nullptr;
    for (const Letter<E>& candidate : letters) {
      if (candidate.letter == c) found = &candidate;
    }
    if (found == nullptr || out.has(found->meaning)) return std::nullopt;
    out.add(found->meaning);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

template <class E>
std::string write(std::span<const Letter<E>> letters, BitSet<E> set) {
  std::string out;
  for (const Letter<E>& letter : letters) {
    if (set.has(letter.meaning)) out += letter.letter;
  }
  return out;
}

}  // namespace

std::optional<Permissions> parse_permissions(SasKind kind, std::string_view text) {
  return parse(letters_of(kind), text);
}

std::string to_string(SasKind kind, Permissions permissions) {
  return write(letters_of(kind), permissions);
}

Permissions every_permission(SasKind kind) {
  Permissions out;
  for (const Letter<Permission>& letter : letters_of(kind)) out.add(letter.meaning);
  return out;
}

std::string to_string(Services services) {
  return write(std::span<const Letter<Service>>(kServices), services);
}

std::string to_string(ResourceTypes types) {
  return write(std::span<const Letter<ResourceType>>(kResourceTypes), types);
}

std::optional<Services> parse_services(std::string_view text) {
  return parse(std::span<const Letter<Service>>(kServices), text);
}

std::optional<ResourceTypes> parse_resource_types(std::string_view text) {
  return parse(std::span<const Letter<ResourceType>>(kResourceTypes), text);
}

}  // namespace tombolo::auth
