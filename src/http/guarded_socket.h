// GuardedSocket: a socket whose waits end at a deadline; what streams are made of.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "http/pace.h"
#include "http/stream.h"

namespace tombolo::http {

/// Made by make_shared; used on the loop of the socket's executor. The timer is left running from one wait to the next
/// and looks at the deadline when it fires: setting it for each wait would cost more than most waits.
class GuardedSocket : public std::enable_shared_from_this<GuardedSocket> {
 public:
  explicit GuardedSocket(boost::asio::ip::tcp::socket given);

  /// For calls that must not block; asynchronous waits do not mind. Requires an open socket. With a stall_max in
  /// `writes`, what ends a wait to write is the pace at which the peer acknowledges, not the wait's own deadline: the
  /// kernel buffers megabytes, and says that there is room only when a third of them is free.
  void set_up(PaceOptions writes = {});

  /// Whether to try a read or write before waiting for it, which spares a turn of the event loop. Now and then false,
  /// so that a connection that never has to wait lets others in.
  bool may_try() { return tries_left_-- > 0; }

  /// Around each asynchronous wait on `socket`.
  void begin(Deadline until);
  void end() { waiting_ = false; }
  /// What a wait ended with: kDeadline, kCancelled, kUnavailable.
  Error failure(const boost::system::error_code& error) const;

  Task<void> connect(boost::asio::ip::tcp::endpoint to, Deadline until);
  Task<void> wait(boost::asio::ip::tcp::socket::wait_type what, Deadline until);
  /// As Stream::sleep.
  void sleep(Deadline until, std::shared_ptr<Sleeper> sleeper);

  void shutdown_write();
  /// Closes with a reset.
  void abort();
  void cancel();
  void close();
  /// Nothing has come, the end neither.
  bool quiet();

  boost::asio::ip::tcp::socket socket;

 private:
  static constexpr int kTriesInARow = 16;

  // Tells pace_ what was acknowledged since the last call; whether it was anything.
  bool note_acknowledged();
  void disarm();
  void arm(Deadline at);
  void fired(std::uint64_t generation);

  boost::asio::steady_timer timer_;
  Deadline deadline_;
  std::optional<Pace> pace_;  // of the peer, while it takes what is written
  bool paced_ = false;        // during a wait to write
  Deadline noted_;            // when unacknowledged_ was read
  int unacknowledged_ = 0;    // bytes that the kernel holds
  bool waiting_ = false;
  bool expired_ = false;
  bool armed_ = false;
  int tries_left_ = kTriesInARow;  // until the next wait
  std::uint64_t generation_ = 0;
};

/// To a name or IP literal: the addresses of a name are tried in turn, at most kAddressesMax, each for `each_max`.
/// kUnavailable or kDeadline of the last one. The name look-up cannot be cancelled and has the system's own limits.
Task<std::shared_ptr<GuardedSocket>> connect_socket(std::string host, std::uint16_t port, Duration each_max);
inline constexpr int kAddressesMax = 4;

}  // namespace tombolo::http
