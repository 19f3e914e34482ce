// Every fault × every operation, against the tables of docs/remote-faults.md: what is sent, in which order, what the
// caller is told, and what the store then holds.
#include <fstream>
#include <functional>
#include <sstream>

#include "base/digest.h"
#include "http/server.h"
#include "remote/azure/azure_remote.h"
#include "remote/azure/endpoint.h"
#include "remote/azure/fake_azure_test.h"
#include "remote/azure/lying_front_test.h"
#include "remote/contract_test.h"
#include "store/native_reader.h"

namespace tombolo::remote {
// The fixture comes with the contract, which runs in azure_remote_test.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RemoteContract);
}  // namespace tombolo::remote

namespace tombolo::remote::azure {
namespace {

using namespace std::chrono_literals;
using testing::FakeAzure;
using testing::Fault;
using testing::LyingFront;
using testing::Trouble;

enum class Op { kPut, kGet, kHead, kList, kDelete };
constexpr std::pair<Op, std::string_view> kOps[] = {
    {Op::kPut, "PUT"}, {Op::kGet, "GET"}, {Op::kHead, "HEAD"}, {Op::kList, "LIST"}, {Op::kDelete, "DELETE"}};

constexpr int kOnce = 1, kAlways = 1'000;
constexpr std::size_t kSize = 50'000;  // several granules
constexpr const char* kPath = "/acct/box/k";

// A store, whatever lies before it, and a remote that asks it.
class Rig {
 public:
  explicit Rig(Duration patience) : client_({.first_byte_max = patience, .stall_max = patience}) {
    EXPECT_TRUE(server_.start().ok());
    front_.emplace(loop_, server_.port());
    SeededRandom noise(1);
    noise.fill({reinterpret_cast<std::byte*>(ours_.data()), ours_.size()});
    noise.fill({reinterpret_cast<std::byte*>(theirs_.data()), theirs_.size()});
    connect(front_->port());
  }
  ~Rig() {
    EXPECT_TRUE(run_to_end(loop_, front_->stop()).ok());
    front_.reset();  // before the loop, which is declared behind it
    EXPECT_TRUE(run_to_end(loop_, server_.stop()).ok());
  }

  void connect(std::uint16_t port) {
    AzureConfig config;
    config.name = "cold";
    config.endpoint = fmt::format("http://127.0.0.1:{}/acct", port);
    config.container = "box";
    config.reach = Reach::kPrivate;
    config.retry.delay_first = 1ms;
    config.retry.delay_max = 5ms;
    const Signer watch = [this](http::Request& request) {
      const bool lists = request.target.find("comp=list") != std::string::npos;
      calls_.push_back(lists ? "LIST" : request.method);
    };
    auto made = AzureRemote::make(std::move(config), watch, client_, clock_, random_);
    ASSERT_TRUE(made.ok()) << to_string(made.error());
    remote_ = *std::move(made);
  }
  /// Nobody listens there any more, or not yet.
  void refuse() {
    const boost::asio::ip::tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
    const boost::asio::ip::tcp::acceptor nobody(loop_, any);
    connect(nobody.local_endpoint().port());
  }

  /// Ours, or somebody else's.
  void plant(bool ours) {
    FakeAzure::Blob blob;
    blob.bytes = ours ? ours_ : theirs_;
    blob.etag = ours ? "\"e-ours\"" : "\"e-theirs\"";
    azure_.blobs[kPath] = std::move(blob);
  }
  std::string stored() const {
    const auto it = azure_.blobs.find(kPath);
    if (it == azure_.blobs.end()) return "nothing";
    if (it->second.bytes == ours_) return "ours";
    return it->second.bytes == theirs_ ? "theirs" : "other bytes";
  }
  std::string stored_etag() const { return unquoted(azure_.blobs.at(kPath).etag); }

  /// Tries, in order: "PUT HEAD×2".
  std::string calls() const {
    std::string text;
    for (std::size_t n = 0; n < calls_.size();) {
      std::size_t same = n;
      while (same < calls_.size() && calls_[same] == calls_[n]) ++same;
      text += (n > 0 ? " " : "") + calls_[n] + (same - n > 1 ? fmt::format("×{}", same - n) : "");
      n = same;
    }
    return text;
  }

  /// "ok", "ok, …" where the remote passes on what it cannot know, or the error's code.
  std::string act(Op op) {
    switch (op) {
      case Op::kPut:
        return put();
      case Op::kGet:
        return get();
      case Op::kHead:
        return head();
      case Op::kList:
        return list();
      case Op::kDelete: {
        const auto removed = run_to_end(loop_, remote_->remove("k", {.if_etag = "e-ours"}));
        return removed.ok() ? "ok" : std::string(code_name(removed.error().code));
      }
    }
    return {};
  }

  FakeAzure azure_;
  std::optional<LyingFront> front_;
  SystemClock clock_;

 private:
  std::string put() {
    PutRequest request;
    request.key = "k";
    request.size = ours_.size();
    request.crc64 = crc64(as_bytes(ours_));
    request.condition.if_absent = true;
    request.headers.content_md5 = std::string(as_text(md5(as_bytes(ours_))));
    request.headers.metadata["tombolo_nonce"] = "0a";
    const auto put = run_to_end(loop_, remote_->put(std::move(request), body_of(Block(to_bytes(ours_)))));
    if (!put.ok()) return std::string(code_name(put.error().code));
    const bool there = azure_.blobs.contains(kPath) && put->etag == stored_etag();
    return there ? "ok" : "ok, another ETag";
  }

  std::string get() {
    store::NativeStretch stretch;
    stretch.place = {.remote = "cold", .key = "k", .etag = "e-ours"};
    for (std::size_t at = 0; at < kSize; at += meta::kGranuleBytes) {
      const std::string_view part = std::string_view(ours_).substr(at, meta::kGranuleBytes);
      stretch.granules.push_back({{}, at, static_cast<std::uint32_t>(part.size()), crc64(as_bytes(part))});
    }
    store::NativeReader reader(remote_, std::move(stretch));
    const auto read = run_to_end(loop_, read_all(reader, kSize));
    if (!read.ok()) return std::string(code_name(read.error().code));
    EXPECT_EQ(as_text(*read), ours_) << "wrong bytes were given to a reader";
    return "ok";
  }

  std::string head() {
    const auto head = run_to_end(loop_, remote_->head("k"));
    if (!head.ok()) return std::string(code_name(head.error().code));
    EXPECT_EQ(head->object.size, azure_.blobs.at(kPath).bytes.size());
    return head->object.etag == stored_etag() ? "ok" : "ok, another ETag";
  }

  std::string list() {
    ListRequest request;
    const auto list = run_to_end(loop_, remote_->list(request));
    if (!list.ok()) return std::string(code_name(list.error().code));
    if (list->objects.empty()) return "ok, without it";
    return list->objects[0].etag == stored_etag() ? "ok" : "ok, another ETag";
  }

  boost::asio::io_context loop_{1};
  SeededRandom random_{7};
  http::Server server_{{.stop_grace = 1ms}, {loop_.get_executor()}, azure_, clock_};
  http::Client client_;
  std::shared_ptr<AzureRemote> remote_;
  std::vector<std::string> calls_;
  std::string ours_ = std::string(kSize, ' '), theirs_ = std::string(kSize, ' ');
};

struct Row {
  std::string_view name;
  /// Makes the trouble: for this operation alone, so many times.
  std::function<void(Rig&, std::string_view op, int times)> trouble;
  Duration patience = 20s;
};

std::function<void(Rig&, std::string_view, int)> fault(Fault what) {
  return [what](Rig& rig, std::string_view op, int times) {
    Fault fault = what;
    fault.method = op;
    fault.times = times;
    if (fault.trouble == Trouble::kStatus && fault.status == 404) {
      fault.code = op == "PUT" || op == "LIST" ? "ContainerNotFound" : "BlobNotFound";
    }
    if (fault.status == 429 && times > 1) fault.retry_after = "60";
    rig.azure_.faults.push_back(fault);
  };
}

// A lie of some operations only; the others are told the truth.
std::function<void(Rig&, std::string_view, int)> only(std::string_view ops, Fault what) {
  return [ops, trouble = fault(std::move(what))](Rig& rig, std::string_view op, int times) {
    if (ops.find(op) != std::string_view::npos) trouble(rig, op, times);
  };
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"down", [](Rig& rig, std::string_view, int times) { rig.front_->lie(LyingFront::Lie::kDrop, times); }},
      {"refused", [](Rig& rig, std::string_view, int) { rig.refuse(); }},
      {"slow", fault({.trouble = Trouble::kSlow})},
      {"stalled", fault({.trouble = Trouble::kStallAfterDoing}), 200ms},
      {"truncating", [](Rig& rig, std::string_view, int times) { rig.front_->lie(LyingFront::Lie::kCut, times); }},
      {"wrong bytes",
       [](Rig& rig, std::string_view op, int times) {
         fault({.trouble = op == "PUT" ? Trouble::kFlipUp : Trouble::kFlipDown})(rig, op, times);
       }},
      {"wrong ETag", fault({.trouble = Trouble::kOtherEtag})},
      {"done, said 500", fault({.trouble = Trouble::kStatusAfterDoing, .status = 500, .code = "InternalError"})},
      {"said done, was not", only("PUT DELETE", {.trouble = Trouble::kClaimOnly})},
      {"stale list", only("LIST", {.trouble = Trouble::kStaleList})},
      {"changed outside", [](Rig& rig, std::string_view, int) { rig.plant(false); }},
      {"403", fault({.status = 403, .code = "AuthorizationFailure"})},
      {"404", fault({.status = 404})},
      {"429 with Retry-After", fault({.status = 429, .code = "TooManyRequests", .retry_after = "1"})},
      {"503", fault({.status = 503, .code = "ServerBusy"})},
  };
  return all;
}

struct Cell {
  std::string calls, answer, stored;
};

Cell try_cell(const Row& row, Op op, std::string_view name, int times) {
  Rig rig(row.patience);
  if (op != Op::kPut) rig.plant(true);
  row.trouble(rig, name, times);
  Cell cell;
  const SteadyTime before = rig.clock_.steady();
  cell.answer = rig.act(op);
  if (row.name.starts_with("429") && times == kOnce) {
    EXPECT_GE(rig.clock_.steady() - before, 900ms);
  }
  cell.calls = rig.calls();
  cell.stored = rig.stored();
  // What holds whatever the table says.
  if (row.name == "403" || row.name == "404") {
    EXPECT_EQ(cell.calls, name) << "tried again";
  }
  if (op == Op::kGet || op == Op::kHead || op == Op::kList) {
    EXPECT_EQ(cell.stored, row.name == "changed outside" ? "theirs" : "ours") << "a question changed something";
  }
  if (row.name == "changed outside") {
    EXPECT_EQ(cell.stored, "theirs") << "somebody else's object was touched";
  }
  return cell;
}

std::string observed() {
  std::string text;
  for (const auto& [op, name] : kOps) {
    text += fmt::format(
        "\n**{}**\n\n| fault | once: sent | answer | lasting: sent | answer | in the store then "
        "|\n|---|---|---|---|---|---|\n",
        name);
    for (const Row& row : rows()) {
      SCOPED_TRACE(fmt::format("{} × {}", row.name, name));
      const Cell once = try_cell(row, op, name, kOnce), lasting = try_cell(row, op, name, kAlways);
      text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", row.name, once.calls, once.answer, lasting.calls,
                          lasting.answer, lasting.stored);
    }
  }
  return text + "\n";
}

TEST(AzureMatrix, EveryFaultOfEveryOperationEndsAsTheTableSays) {
  std::ifstream file("docs/remote-faults.md");
  std::stringstream read;
  read << file.rdbuf();
  const std::string page = read.str();
  const std::string begin = "<!-- azure_matrix_test: begin -->\n", end = "<!-- azure_matrix_test: end -->\n";
  const std::size_t from = page.find(begin), to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << "docs/remote-faults.md has no table";
  const std::string table = observed();
  std::istringstream promised(page.substr(from + begin.size(), to - from - begin.size())), seen(table);
  bool same = true;
  for (std::string a, b; std::getline(promised, a) || !seen.eof();) {
    std::getline(seen, b);
    same = same && a == b;
    EXPECT_EQ(a, b) << "docs/remote-faults.md against what was observed";
    a.clear();
    b.clear();
  }
  EXPECT_TRUE(same) << "observed:\n" << table;
}

}  // namespace
}  // namespace tombolo::remote::azure
