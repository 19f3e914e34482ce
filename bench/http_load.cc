// http_load: sends prepared HTTP/1.1 requests over a number of connections and checks every answer.
//
//   http_load --port P --requests FILE [--bodies FILE] --connections N (--seconds S | --count N) [--start I]
//   [--compare]
//
// One thread, epoll, no pipelining: each connection sends its next request when its answer is complete. Requests are
// sent in the order of the file, from number I, again from the front when it ends. The first answer that is not exactly
// as the file says (status, length, with --compare the bytes) ends the run with status 1. Prints one line of JSON.
//
// The file is a row of records (RequestRecord), each followed by its head; bodies and expected answers are ranges of
// the file of bodies. bench/requests.py writes it.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t kAnyAnswer = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::size_t kHeadBytesMax = 16 * 1024;
constexpr std::size_t kDiscardFromBytes = 16 * 1024;  // a remainder of a body above this is dropped inside the kernel

/// Little-endian, packed as in the file.
struct RequestRecord {
  std::uint32_t head_bytes;
  std::uint16_t status;  // of the answer
  std::uint16_t alone;   // 1: sent when nothing is under way, and nothing is sent until it is answered
  std::uint64_t body_offset, body_bytes;
  std::uint64_t answer_offset, answer_bytes;  // answer_bytes kAnyAnswer: whatever length
};
static_assert(sizeof(RequestRecord) == 40);

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "http_load: %s\n", why.c_str());
  std::exit(1);
}

std::string_view map_file(const std::string& path) {
  if (path.empty()) return {};
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat found{};
  if (file < 0 || fstat(file, &found) != 0) fail(path + ": " + std::strerror(errno));
  const auto bytes = static_cast<std::size_t>(found.st_size);
  void* at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (at == MAP_FAILED) fail(path + ": " + std::strerror(errno));
  close(file);
  return {static_cast<const char*>(at), bytes};
}

struct Request {
  RequestRecord record{};
  std::string_view head, body, answer;
};

std::vector<Request> read_requests(std::string_view file, std::string_view bodies) {
  std::vector<Request> requests;
  const auto part = [&bodies](std::uint64_t offset, std::uint64_t bytes) {
    if (offset > bodies.size() || bytes > bodies.size() - offset) fail("a range beyond the file of bodies");
    return bodies.substr(offset, bytes);
  };
  while (!file.empty()) {
    Request next;
    if (file.size() < sizeof(RequestRecord)) fail("the file of requests is cut off");
    std::memcpy(&next.record, file.data(), sizeof(RequestRecord));
    file.remove_prefix(sizeof(RequestRecord));
    if (file.size() < next.record.head_bytes) fail("the file of requests is cut off");
    next.head = file.substr(0, next.record.head_bytes);
    file.remove_prefix(next.record.head_bytes);
    next.body = part(next.record.body_offset, next.record.body_bytes);
    if (next.record.answer_bytes != kAnyAnswer && next.record.answer_offset != kAnyAnswer) {
      next.answer = part(next.record.answer_offset, next.record.answer_bytes);
    }
    requests.push_back(next);
  }
  if (requests.empty()) fail("no requests");
  return requests;
}

/// What a connection waits for. The head of an answer is gathered in `head`; bodies are checked as they pass.
struct Connection {
  int socket = -1;
  const Request* request = nullptr;
  std::size_t sent = 0;  // of head and body together
  bool waits_to_send = false;
  std::string head;  // of the answer, while it is not complete
  bool in_body = false;
  std::uint64_t body_bytes = 0, body_seen = 0;
  std::int64_t begun_ns = 0;
};

struct Options {
  std::uint16_t port = 0;
  std::string requests, bodies;
  unsigned connections = 1;
  double seconds = 0;
  std::uint64_t count = 0, start = 0;
  bool compare = false;
};

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

class Load {
 public:
  Load(const Options& options, std::vector<Request> requests)
      : options_(options), requests_(std::move(requests)), next_(options.start % requests_.size()) {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < options.connections; ++i) connect_one(connections_.emplace_back());
  }

  void run() {
    begun_ns_ = now_ns();
    end_ns_ = options_.count != 0 ? std::numeric_limits<std::int64_t>::max()
                                  : begun_ns_ + static_cast<std::int64_t>(options_.seconds * 1e9);
    for (auto& connection : connections_) idle_.push_back(&connection);
    send_more();
    std::vector<epoll_event> events(connections_.size());
    while (under_way_ != 0) {
      const int found = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 60'000);
      if (found == 0) fail("no answer within 60 seconds");
      for (int i = 0; i < found; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        const auto what = events[static_cast<std::size_t>(i)].events;
        if ((what & EPOLLOUT) != 0) send(connection);
        if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(connection);
      }
    }
    finished_ns_ = now_ns();
  }

  void print() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [this](double part) {
      return latencies_.empty()
                 ? 0u
                 : latencies_[static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1))];
    };
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double cpu_s = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    std::printf(
        "{\"ops\": %zu, \"seconds\": %.6f, \"bytes\": %llu, \"p50_us\": %u, \"p99_us\": %u, \"cpu_s\": %.3f, "
        "\"next\": %zu}\n",
        latencies_.size(), static_cast<double>(finished_ns_ - begun_ns_) / 1e9, static_cast<unsigned long long>(bytes_),
        at(0.5), at(0.99), cpu_s, next_);
  }

 private:
  void connect_one(Connection& connection) {
    connection.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to{.sin_family = AF_INET,
                         .sin_port = htons(options_.port),
                         .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                         .sin_zero = {}};
    if (connect(connection.socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      fail(std::string("connect: ") + std::strerror(errno));
    }
    const int on = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection.socket, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event);
  }

  bool is_over() const { return options_.count != 0 ? begun_ >= options_.count : now_ns() >= end_ns_; }

  /// Gives waiting connections their requests, as far as order and end allow.
  void send_more() {
    while (!idle_.empty() && !alone_ && !is_over()) {
      const Request& request = requests_[next_];
      if (request.record.alone != 0) {
        if (under_way_ != 0) return;
        alone_ = true;
      }
      next_ = next_ + 1 == requests_.size() ? 0 : next_ + 1;
      Connection& connection = *idle_.front();
      idle_.pop_front();
      connection.request = &request;
      connection.sent = 0;
      connection.begun_ns = now_ns();
      ++begun_;
      ++under_way_;
      send(connection);
    }
  }

  void send(Connection& connection) {
    const Request& request = *connection.request;
    const std::size_t all = request.head.size() + request.body.size();
    while (connection.sent < all) {
      iovec parts[2];
      int count = 0;
      if (connection.sent < request.head.size()) {
        const auto rest = request.head.substr(connection.sent);
        parts[count++] = {const_cast<char*>(rest.data()), rest.size()};
      }
      const auto body_at = connection.sent - std::min(connection.sent, request.head.size());
      if (const auto rest = request.body.substr(body_at); !rest.empty()) {
        parts[count++] = {const_cast<char*>(rest.data()), rest.size()};
      }
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = static_cast<std::size_t>(count);
      const ssize_t sent = sendmsg(connection.socket, &message, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return wait_to_send(connection, true);
      if (sent < 0) fail(std::string("send: ") + std::strerror(errno));
      connection.sent += static_cast<std::size_t>(sent);
    }
    wait_to_send(connection, false);
  }

  void wait_to_send(Connection& connection, bool wanted) {
    if (connection.waits_to_send == wanted) return;
    connection.waits_to_send = wanted;
    epoll_event event{.events = EPOLLIN | (wanted ? std::uint32_t{EPOLLOUT} : 0u), .data = {.ptr = &connection}};
    epoll_ctl(poll_, EPOLL_CTL_MOD, connection.socket, &event);
  }

  void receive(Connection& connection) {
    const std::uint64_t rest = connection.in_body ? connection.body_bytes - connection.body_seen : 0;
    const bool discard = rest >= kDiscardFromBytes && !options_.compare;
    const ssize_t got = discard ? recv(connection.socket, nullptr, rest, MSG_TRUNC)
                                : recv(connection.socket, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) fail(std::string("receive: ") + std::strerror(errno));
    if (got == 0) fail("the server closed a connection");
    if (connection.request == nullptr) fail("an answer that nobody asked for");
    if (discard) {
      connection.body_seen += static_cast<std::uint64_t>(got);
    } else {
      take({buffer_.data(), static_cast<std::size_t>(got)}, connection);
    }
    if (connection.in_body && connection.body_seen == connection.body_bytes) finish(connection);
  }

  void take(std::string_view bytes, Connection& connection) {
    if (!connection.in_body) {
      connection.head.append(bytes);
      const auto end = connection.head.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (connection.head.size() > kHeadBytesMax) fail("an answer's head without end");
        return;
      }
      bytes.remove_prefix(bytes.size() - (connection.head.size() - (end + 4)));
      judge_head(connection);
    }
    if (connection.body_seen + bytes.size() > connection.body_bytes) fail("an answer longer than it said");
    const auto& answer = connection.request->answer;
    if (options_.compare && !answer.empty() && answer.substr(connection.body_seen, bytes.size()) != bytes) {
      fail("wrong bytes in the answer to\n" + std::string(connection.request->head));
    }
    connection.body_seen += bytes.size();
  }

  void judge_head(Connection& connection) {
    const std::string& head = connection.head;
    const RequestRecord& record = connection.request->record;
    const int status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    const char* length = strcasestr(head.c_str(), "\r\ncontent-length:");
    if (status != record.status || length == nullptr) {
      fail("expected status " + std::to_string(record.status) + " and a length, got\n" + head + "to\n" +
           std::string(connection.request->head));
    }
    connection.body_bytes = std::strtoull(length + 17, nullptr, 10);
    if (record.answer_bytes != kAnyAnswer && connection.body_bytes != record.answer_bytes) {
      fail("expected " + std::to_string(record.answer_bytes) + " bytes, got\n" + head);
    }
    connection.in_body = true;
    connection.body_seen = 0;
  }

  void finish(Connection& connection) {
    const std::size_t all = connection.request->head.size() + connection.request->body.size();
    if (connection.sent != all) fail("an answer before the request was sent");
    latencies_.push_back(static_cast<std::uint32_t>((now_ns() - connection.begun_ns) / 1000));
    bytes_ += connection.body_bytes + connection.request->body.size();
    connection.request = nullptr;
    connection.head.clear();
    connection.in_body = false;
    --under_way_;
    alone_ = false;
    idle_.push_back(&connection);
    send_more();
  }

  const Options& options_;
  const std::vector<Request> requests_;
  std::deque<Connection> connections_;
  std::deque<Connection*> idle_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::vector<std::uint32_t> latencies_;
  int poll_ = -1;
  std::size_t next_;
  std::uint64_t begun_ = 0, under_way_ = 0, bytes_ = 0;
  bool alone_ = false;
  std::int64_t begun_ns_ = 0, end_ns_ = 0, finished_ns_ = 0;
};

}  // namespace

int main(int count, char** words) {
  Options options;
  CLI::App app("sends prepared requests and checks every answer");
  app.add_option("--port", options.port)->required();
  app.add_option("--requests", options.requests)->required();
  app.add_option("--bodies", options.bodies);
  app.add_option("--connections", options.connections);
  auto* seconds = app.add_option("--seconds", options.seconds);
  app.add_option("--count", options.count)->excludes(seconds);
  app.add_option("--start", options.start);
  app.add_flag("--compare", options.compare);
  CLI11_PARSE(app, count, words);
  Load load(options, read_requests(map_file(options.requests), map_file(options.bodies)));
  load.run();
  load.print();
}
