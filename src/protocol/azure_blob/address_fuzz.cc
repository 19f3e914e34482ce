// Which account, container and blob a request names: decoded once, and the same name however it was escaped.
#include "protocol/azure_blob/address.h"

#include "base/encoding.h"
#include "testing/fuzz.h"

namespace tombolo::azure_blob {
namespace {

void check_address(const Address& address) {
  ASSERT(!address.account.empty() && address.account.find('/') == std::string::npos);
  ASSERT(is_utf8(address.blob) && address.blob.find('\0') == std::string::npos);
  ASSERT(address.container.empty() || check_container_name(address.container).ok());
  ASSERT(address.level() != Level::kBlob || !address.container.empty());
}

// Written out fully escaped it names the same.
void check_again(const Address& address) {
  if (address.container.empty()) return;
  const std::string path =
      "/" + address.account + "/" + percent_encode(address.container) + "/" + percent_encode(address.blob);
  const auto again = parse_address({.host = "h", .path = path});
  ASSERT(again.ok() && again->account == address.account && again->container == address.container);
  ASSERT(again->blob == address.blob);
}

}  // namespace

// The input is "host path", as in "acct.blob.example:80 /c/b".
FUZZ(azure_address) {
  const fuzz::Exact copy(as_text(input));
  const std::string_view text = copy.text();
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view host = text.substr(0, space), path = text.substr(std::min(space + 1, text.size()));
  for (const LoneSegment lone : {LoneSegment::kBlobInRoot, LoneSegment::kContainer}) {
    const auto address = parse_address({.host = host, .path = path, .lone = lone});
    if (!address.ok()) {
      ASSERT(!address.error().detail.empty());  // an Azure code for every refusal
      continue;
    }
    check_address(*address);
    check_again(*address);
  }
}

}  // namespace tombolo::azure_blob
