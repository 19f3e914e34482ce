// BlobRig: the handler in front of a real Store over memory, spoken to in requests and answers.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "auth/http_request.h"
#include "auth/sas_make.h"
#include "auth/shared_key.h"
#include "base/times.h"
#include "http/memory_exchange.h"
#include "protocol/azure_blob/handler.h"
#include "store/rig_test.h"

namespace tombolo::azure_blob::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Asked {
  std::string method = "GET";
  std::string target = "/";  // behind the account: "/box/b?comp=block"
  Fields headers = {};
  std::string body = {};
  std::string host = "127.0.0.1:10000";
};

struct Answered {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::uint64_t content_length = 0;
  bool aborted = false;

  std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(std::string_view()));
  }
  std::string code() const { return header("x-ms-error-code"); }
  bool holds(std::string_view text) const { return body.find(text) != std::string::npos; }
};

/// An exchange in memory whose head the handler sees as the test wants it; a test may override more.
class ForwardingExchange : public http::Exchange {
 public:
  explicit ForwardingExchange(http::RequestHead head, std::string body = {})
      : inner(std::move(head), std::move(body)), seen(inner.head()) {}

  const http::RequestHead& head() const override { return seen; }
  const http::ConnectionInfo& connection() const override { return inner.connection(); }
  ByteSource& body() override { return inner.body(); }
  void abandon_body() override { inner.abandon_body(); }
  Task<void> respond(http::ResponseHead answer, Block bytes) override {
    return inner.respond(std::move(answer), std::move(bytes));
  }
  Task<void> respond(http::ResponseHead answer, ByteSource& bytes, std::uint64_t length) override {
    return inner.respond(std::move(answer), bytes, length);
  }
  Task<void> respond_head_only(http::ResponseHead answer, std::uint64_t length) override {
    return inner.respond_head_only(std::move(answer), length);
  }
  bool responded() const override { return inner.responded(); }

  http::MemoryExchange inner;
  http::RequestHead seen;
};

class BlobRig {
 public:
  explicit BlobRig(admission::AdmissionOptions bounds = {}) : gate(bounds, rig.clock) {
    keys.tenant = store::testing::kTenant;
    keys.account = "acc";
    keys.key1 = to_bytes("the first key of the test");
    keys.key2 = to_bytes("the second key of the test");
    ring.set(keys);
  }

  /// As it is: without credentials unless the target or the headers have them. Path style: the target is /acc/….
  Answered send(Asked asked) {
    asked.target = "/acc" + asked.target;
    return exchange(std::move(asked));
  }
  /// With the account's key.
  Answered ask(Asked asked) {
    asked.target = "/acc" + asked.target;
    return exchange(signed_with(std::move(asked), keys));
  }
  /// With a SAS behind the target.
  Answered ask_with_sas(Asked asked, const Result<std::string>& sas) {
    EXPECT_TRUE(sas.ok()) << (sas.ok() ? "" : sas.error().message);
    asked.target += (asked.target.find('?') == std::string::npos ? "?" : "&") + *sas;
    return send(std::move(asked));
  }

  Asked signed_with(Asked asked, const auth::AccountKeys& with) {
    asked.headers.emplace_back("x-ms-date", http_date(rig.clock.wall()));
    asked.headers.emplace_back("x-ms-version", "2025-07-05");
    http::RequestHead head = head_of(asked);
    const auto query = http::parse_query(head.query(), http::Plus::kSpace);
    EXPECT_TRUE(query.ok());
    auth::SignedRequest view = auth::view_of(head, *query);
    asked.headers.emplace_back("Authorization", auth::sign(view, with, {}));
    return asked;
  }

  Answered exchange(const Asked& asked) {
    http::MemoryExchange exchange(head_of(asked), asked.body);
    const Result<void> done = rig.run(handler.handle(exchange));
    Answered out;
    EXPECT_TRUE(exchange.responded()) << (done.ok() ? "" : done.error().message);
    if (!exchange.responded()) return out;
    out.status = exchange.answer().head.status;
    out.headers = exchange.answer().head.headers;
    out.body = exchange.answer().body;
    out.content_length = exchange.answer().content_length;
    out.aborted = exchange.answer().aborted;
    return out;
  }

  /// Every name of the container with its ETag, in one text: equal texts mean that nothing was stored.
  std::string inventory() {
    const Answered listed = ask({.target = "/box?restype=container&comp=list&include=metadata,uncommittedblobs"});
    EXPECT_EQ(listed.status, 200);
    return listed.body;
  }

  WallTime later(Duration by) { return {rig.clock.wall().micros + by.count()}; }

  static http::RequestHead head_of(const Asked& asked) {
    http::RequestHead head;
    head.method = asked.method;
    head.target = asked.target;
    head.host = asked.host;
    for (const auto& [name, value] : asked.headers) head.headers.add(name, value);
    if (!asked.body.empty()) head.headers.set("Content-Length", std::to_string(asked.body.size()));
    return head;
  }

  store::testing::Rig rig;
  auth::AccountKeys keys;
  auth::MemoryKeyRing ring;
  auth::AzureVerifier verifier{ring, rig.clock};
  std::mutex seen_mutex;          // over a server, observers run on several loops
  std::vector<std::string> seen;  // "PutBlob 201", one an answer
  admission::Admission gate;
  AzureBlobHandler handler{{rig.store, verifier, gate, rig.clock, rig.random, rig.workers},
                           [this](const Observation& what) {
                             const std::lock_guard lock(seen_mutex);
                             seen.push_back(std::string(what.operation) + " " + std::to_string(what.status));
                             last_throttled = what.throttled;
                             last_received = what.bytes_received;
                             last_sent = what.bytes_sent;
                           }};
  std::uint64_t last_received = 0, last_sent = 0;
  std::string last_throttled;
};

inline const Fields kBlock = {{"x-ms-blob-type", "BlockBlob"}};

inline Fields plus(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace tombolo::azure_blob::testing
