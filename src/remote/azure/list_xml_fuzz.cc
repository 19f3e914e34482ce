// Listings that a remote answers: whatever it says, a page of objects that can be named or an error.
#include "remote/azure/list_xml.h"

#include "testing/fuzz.h"

namespace tombolo::remote::azure {

FUZZ(remote_list_xml) {
  const fuzz::Exact copy(as_text(input));
  const auto page = parse_list(copy.bytes());
  if (!page.ok()) {
    ASSERT(page.error().code == Code::kUnavailable);
    return;
  }
  for (const RemoteObject& object : page->objects) {
    ASSERT(!object.key.empty() && !object.etag.empty());
    ASSERT(object.etag.find('\0') == std::string::npos);
  }
  const std::string xml(copy.text());
  for (const char* more : {"x", "<EnumerationResults/>", "<", "<![CDATA[x]]>"}) {
    ASSERT(!parse_list(as_bytes(xml + more)).ok());
  }
  ASSERT(!parse_list(as_bytes("<!DOCTYPE x>" + xml)).ok());
}

}  // namespace tombolo::remote::azure
