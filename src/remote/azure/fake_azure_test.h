// A blob service in the test's process, with the ways in which a real one goes wrong.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "async/sleep.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/times.h"
#include "http/exchange.h"

namespace tombolo::remote::azure::testing {

enum class Trouble {
  kStatus,            // answers `status` and does nothing
  kStatusAfterDoing,  // does what was asked, then answers `status`
  kClaimOnly,         // answers 201, or 202 to DELETE, and does nothing
  kNoEtagAfterDoing,  // does it, and leaves the ETag out of the answer
  kWrongCrc,          // does it, and says another CRC64
  kBreakBody,         // the body breaks off after `bytes`
  kStallBody,         // the body stops after `bytes`
  kStallError,        // answers `status`, with a body that stops after `bytes`
  kStallAnswer,       // no answer
  kStallAfterDoing,   // does it, no answer
  kOtherEtag,         // good bytes under another ETag, in listings too
  kOtherRange,        // bytes of another range, and says so
  kShortBody,         // a shorter body than asked for, well framed
  kWholeObject,       // 200 and everything
  kSlow,              // answers after 30 ms
  kFlipDown,          // one bit of the answer's body is another
  kFlipUp,            // stores one bit that is another, and does not check
  kStaleList,         // lists what is in `listed_before`
};

struct Fault {
  std::string method;  // or "LIST", for listings alone
  Trouble trouble = Trouble::kStatus;
  int times = 1;
  int status = 500;
  std::string code = {};         // x-ms-error-code
  std::string retry_after = {};  // header
  std::size_t bytes = 0;
};

/// Runs on the loop of the test. Speaks as much of the protocol as AzureRemote uses; checks no signature.
class FakeAzure final : public http::Handler {
 public:
  struct Blob {
    std::string bytes, etag;
    http::Headers headers;
  };

  /// The first fault of the request's method is used until its times are over.
  std::deque<Fault> faults;
  std::map<std::string, Blob> blobs;  // by encoded path
  std::map<std::string, Blob> listed_before;
  std::vector<std::string> log;  // "PUT /c/key?query"
  std::string last_host, last_authorization, last_crc64;

  std::size_t count(std::string_view method) const {
    std::size_t n = 0;
    for (const auto& line : log) n += line.starts_with(method) ? 1 : 0;
    return n;
  }

  Task<void> handle(http::Exchange& exchange) override {
    const http::RequestHead& head = exchange.head();
    log.push_back(head.method + " " + head.target);
    last_host = head.host;
    last_crc64 = head.headers.get("x-ms-content-crc64").value_or("");
    last_authorization = head.headers.get("Authorization").value_or("");
    CO_TRY_ASSIGN(Bytes raw, read_all(exchange.body(), 64 * 1024 * 1024));
    const std::string refused = refused_checksum(head, raw);
    const bool lists = head.query().find("comp=list") != std::string_view::npos;
    Fault fault{.method = {}, .times = 0};
    for (auto it = faults.begin(); it != faults.end(); ++it) {
      if (it->method != head.method && !(lists && it->method == "LIST")) continue;
      fault = *it;
      if (--it->times == 0) faults.erase(it);
      break;
    }
    if (fault.times == 0) co_return co_await answer(exchange, act(head, std::string(as_text(raw)), refused), fault);
    switch (fault.trouble) {
      case Trouble::kStatus:
        co_return co_await answer(exchange, error(fault.status, fault.code), fault);
      case Trouble::kStallError: {
        Answer slow = error(fault.status, fault.code);
        slow.body.assign(1'000, 'x');
        co_return co_await answer(exchange, std::move(slow), fault);
      }
      case Trouble::kClaimOnly: {
        Answer claim = created("\"claimed\"");
        if (head.method == "DELETE") claim.head.status = 202;
        co_return co_await answer(exchange, std::move(claim), fault);
      }
      case Trouble::kSlow: {
        CO_TRY(sleep_for(std::chrono::milliseconds(30)));
        break;
      }
      case Trouble::kFlipUp:
        if (!raw.empty()) raw[raw.size() / 2] ^= std::byte{1};
        break;
      case Trouble::kStaleList:
        std::swap(blobs, listed_before);
        break;
      case Trouble::kStallAnswer:
        co_return co_await sleep_for(std::chrono::seconds(20));
      default:
        break;
    }
    Answer done = act(head, std::string(as_text(raw)), refused);
    if (fault.trouble == Trouble::kStallAfterDoing) co_return co_await sleep_for(std::chrono::seconds(20));
    if (fault.trouble == Trouble::kStatusAfterDoing) done = error(fault.status, fault.code);
    if (fault.trouble == Trouble::kNoEtagAfterDoing) done.head.headers.remove("ETag");
    if (fault.trouble == Trouble::kWrongCrc) done.head.headers.set("x-ms-content-crc64", "AAAAAAAAAAA=");
    if (fault.trouble == Trouble::kStaleList) std::swap(blobs, listed_before);
    if (fault.trouble == Trouble::kFlipDown && !done.body.empty()) done.body[done.body.size() / 2] ^= 1;
    if (fault.trouble == Trouble::kOtherEtag) {
      done.head.headers.set("ETag", "\"other\"");
      for (std::size_t at = done.body.find("<Etag>"); lists && at != std::string::npos;
           at = done.body.find("<Etag>", at + 1)) {
        done.body.replace(at, done.body.find("</Etag>", at) - at, "<Etag>other");
      }
    }
    if (fault.trouble == Trouble::kOtherRange) done.head.headers.set("Content-Range", "bytes 1-2/3");
    if (fault.trouble == Trouble::kShortBody) done.body.resize(done.body.size() / 2);
    if (fault.trouble == Trouble::kWholeObject) done.head.status = 200;
    co_return co_await answer(exchange, std::move(done), fault);
  }

 private:
  struct Answer {
    http::ResponseHead head;
    std::string body;
    std::uint64_t head_length = 0;  // told to HEAD
  };

  class TroubledBody final : public ByteSource {
   public:
    TroubledBody(std::string bytes, const Fault& fault) : bytes_(std::move(bytes)), fault_(fault) {}
    Task<Block> next() override {
      if (at_ > 0 && fault_.trouble == Trouble::kBreakBody) co_return Error{Code::kInternal, "the test says so"};
      if (at_ > 0 && fault_.trouble != Trouble::kBreakBody) {
        CO_TRY(sleep_for(std::chrono::seconds(20)));
      }
      const std::string part = bytes_.substr(at_, at_ == 0 ? fault_.bytes : std::string::npos);
      at_ += part.size();
      co_return Block(to_bytes(part));
    }

   private:
    const std::string bytes_;
    const Fault fault_;
    std::size_t at_ = 0;
  };

  static Task<void> answer(http::Exchange& exchange, Answer done, const Fault& fault) {
    if (!fault.retry_after.empty()) done.head.headers.add("Retry-After", fault.retry_after);
    if (exchange.head().method == "HEAD") {
      co_return co_await exchange.respond_head_only(std::move(done.head), done.head_length);
    }
    const bool troubled = fault.trouble == Trouble::kBreakBody || fault.trouble == Trouble::kStallBody ||
                          fault.trouble == Trouble::kStallError;
    if (!troubled) co_return co_await exchange.respond(std::move(done.head), Block(to_bytes(done.body)));
    TroubledBody body(done.body, fault);
    co_return co_await exchange.respond(std::move(done.head), body, done.body.size());
  }

  static Answer error(int status, const std::string& code) {
    Answer out;
    out.head.status = status;
    if (!code.empty()) out.head.headers.add("x-ms-error-code", code);
    out.body = "<Error/>";
    return out;
  }
  static Answer created(const std::string& etag) {
    Answer out;
    out.head.status = 201;
    out.head.headers.add("ETag", etag);
    return out;
  }

  // The code with which Azure refuses a write for its checksums: one a request, and an MD5 to be kept is one where the
  // body is the whole blob. Sources: Azure/Azurite#2644, azure-storage-ruby#64.
  static std::string refused_checksum(const http::RequestHead& head, const Bytes& body) {
    if (head.method != "PUT") return {};
    const bool crc = head.headers.has("x-ms-content-crc64");
    if (crc && head.headers.has("Content-MD5")) return "BothCrc64AndMd5HeaderPresent";
    const auto kept = head.headers.get("x-ms-blob-content-md5");
    if (!kept || !head.headers.has("x-ms-blob-type")) return {};
    if (crc) return "BothCrc64AndMsMd5HeaderPresent";
    return *kept == base64_encode(md5(body)) ? "" : "Md5Mismatch";
  }

  Answer act(const http::RequestHead& head, const std::string& body, const std::string& refused) {
    if (!refused.empty()) return error(400, refused);
    const std::string path(head.path());
    const auto params = http::parse_query(head.query());
    const auto param = [&](std::string_view name) -> std::string {
      for (const auto& each : *params) {
        if (each.name == name) return each.value;
      }
      return {};
    };
    if (param("comp") == "list") return list(path, param("prefix"), param("marker"), std::stoul(param("maxresults")));
    if (param("comp") == "block") {
      blocks_[path][param("blockid")] = body;
      return created("\"block\"");
    }
    const auto it = blobs.find(path);
    if (head.method == "PUT") {
      const auto match = head.headers.get("If-Match");
      if (head.headers.get("If-None-Match") && it != blobs.end()) return error(409, "BlobAlreadyExists");
      if (match && (it == blobs.end() || it->second.etag != *match)) return error(412, "ConditionNotMet");
      Blob blob;
      blob.etag = fmt::format("\"e{}\"", ++etags_);
      if (param("comp") == "blocklist") {
        for (std::size_t at = body.find("<Latest>"); at != std::string::npos; at = body.find("<Latest>", at + 1)) {
          const std::size_t begin = at + 8;
          const auto block = blocks_[path].find(body.substr(begin, body.find('<', begin) - begin));
          if (block == blocks_[path].end()) return error(400, "InvalidBlockList");
          blob.bytes += block->second;
        }
        blocks_.erase(path);
      } else {
        blob.bytes = body;
      }
      for (const auto field : head.headers) {
        if (field.name.starts_with("x-ms-meta-")) blob.headers.add(field.name, field.value);
      }
      const std::pair<const char*, const char*> names[] = {
          {"x-ms-blob-content-type", "Content-Type"},         {"x-ms-blob-content-encoding", "Content-Encoding"},
          {"x-ms-blob-content-language", "Content-Language"}, {"x-ms-blob-content-disposition", "Content-Disposition"},
          {"x-ms-blob-content-md5", "Content-MD5"},           {"x-ms-blob-cache-control", "Cache-Control"}};
      for (const auto& [sent, kept] : names) {
        if (const auto value = head.headers.get(sent)) blob.headers.add(kept, *value);
      }
      Answer out = created(blob.etag);
      blobs[path] = std::move(blob);
      return out;
    }
    if (it == blobs.end()) return error(404, "BlobNotFound");
    const auto match = head.headers.get("If-Match");
    if (match && it->second.etag != *match) return error(412, "ConditionNotMet");
    Answer out;
    if (head.method == "DELETE") {
      blobs.erase(it);
      out.head.status = 202;
      return out;
    }
    out.head.headers = it->second.headers;
    out.head.headers.add("ETag", it->second.etag);
    out.head_length = it->second.bytes.size();
    out.body = it->second.bytes;
    if (const auto range = head.headers.get("x-ms-range")) {
      const std::size_t dash = range->find('-');
      const std::size_t first = std::stoul(std::string(range->substr(6, dash - 6)));
      const std::size_t last = std::stoul(std::string(range->substr(dash + 1)));
      if (first >= out.body.size()) return error(416, "InvalidRange");
      out.head.status = 206;
      out.head.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", first, last, out.body.size()));
      out.body = out.body.substr(first, last - first + 1);
    }
    return out;
  }

  Answer list(const std::string& container, const std::string& prefix, const std::string& marker, std::size_t limit) {
    std::map<std::string, const Blob*> sorted;
    for (const auto& [path, blob] : blobs) sorted[*percent_decode(path.substr(container.size() + 1))] = &blob;
    Answer out;
    out.body = "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>";
    std::size_t count = 0;
    std::string next;
    for (auto it = sorted.lower_bound(std::max(prefix, marker)); it != sorted.end(); ++it) {
      if (!it->first.starts_with(prefix)) break;
      if (count++ == limit) {
        next = it->first;
        break;
      }
      out.body += fmt::format(
          "<Blob><Name Encoded=\"true\">{}</Name><Properties><Last-Modified>Sun, 06 Nov 1994 08:49:37 "
          "GMT</Last-Modified>"
          "<Etag>{}</Etag><Content-Length>{}</Content-Length></Properties></Blob>",
          percent_encode(it->first), it->second->etag, it->second->bytes.size());
    }
    out.body += fmt::format("</Blobs><NextMarker>{}</NextMarker></EnumerationResults>", next);
    return out;
  }

  std::map<std::string, std::map<std::string, std::string>> blocks_;  // by path, by id
  int etags_ = 0;
};

}  // namespace tombolo::remote::azure::testing
