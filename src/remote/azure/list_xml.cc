#include "remote/azure/list_xml.h"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>

#include "base/encoding.h"
#include "base/times.h"
#include "remote/azure/endpoint.h"

namespace tombolo::remote::azure {
namespace {

constexpr int kDepthMax = 16;
// No end-of-line normalisation: a name is bytes. DOCTYPE and what is outside the root are parsed to be refused.
constexpr unsigned kParse = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_doctype | pugi::parse_fragment |
                            pugi::parse_ws_pcdata_single | pugi::parse_declaration;

Error bad(std::string_view why) {
  return Error{Code::kUnavailable, fmt::format("the listing is not what a blob service answers: {}", why)};
}

class DepthCheck final : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node&) override { return depth() <= kDepthMax; }
};

Result<RemoteObject> parse_blob(const pugi::xml_node& blob) {
  RemoteObject object;
  const auto name = blob.child("Name");
  object.key = name.text().get();
  // From version 2021-02-12 on, names that XML cannot hold come percent-encoded.
  if (std::string_view(name.attribute("Encoded").value()) == "true") {
    auto decoded = percent_decode(object.key);
    if (!decoded) return bad("a name with a bad escape");
    object.key = *std::move(decoded);
  }
  if (object.key.empty()) return bad("a blob without a name");
  const auto properties = blob.child("Properties");
  const std::string_view size = properties.child("Content-Length").text().get();
  const auto parsed = std::from_chars(size.data(), size.data() + size.size(), object.size);
  if (size.empty() || parsed.ec != std::errc() || parsed.ptr != size.data() + size.size()) {
    return bad("a blob without a size");
  }
  object.etag = unquoted(properties.child("Etag").text().get());
  if (object.etag.empty()) return bad("a blob without an ETag");
  if (const auto when = parse_http_date(properties.child("Last-Modified").text().get())) object.last_modified = *when;
  return object;
}

}  // namespace

Result<ListPage> parse_list(BytesView xml) {
  std::string_view text = as_text(xml);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  // To pugixml a NUL is the end: what follows it would go unseen.
  if (text.find('\0') != std::string_view::npos || has_bad_reference(text)) return bad("a NUL");
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size(), kParse, pugi::encoding_utf8);
  if (!parsed) return bad(parsed.description());
  pugi::xml_node root;
  for (const auto& node : document.children()) {
    if (node.type() == pugi::node_declaration) continue;
    if (node.type() != pugi::node_element || root) return bad("something beside its root");
    root = node;
  }
  DepthCheck depth;
  if (!root || !root.traverse(depth)) return bad("too deep, or empty");
  if (std::string_view(root.name()) != "EnumerationResults") return bad("another root");
  const auto blobs = root.child("Blobs");
  if (!blobs) return bad("no list of blobs");
  ListPage page;
  for (const auto& node : blobs.children()) {
    if (std::string_view(node.name()) != "Blob") return bad(fmt::format("a \"{}\" among its blobs", node.name()));
    TRY_ASSIGN(RemoteObject object, parse_blob(node));
    page.objects.push_back(std::move(object));
  }
  page.next_marker = root.child("NextMarker").text().get();
  return page;
}

}  // namespace tombolo::remote::azure
