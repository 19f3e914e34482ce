// Egress: the one filter for addresses that tombolo connects to by itself.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"

namespace tombolo::remote {

enum class Reach {
  kPublic,   // only what anybody on the internet may reach
  kPrivate,  // also private networks and this machine: an administrator configured the URL for it
};

/// kPermissionDenied for an address that `reach` does not cover. Refused always: unspecified, "this network",
/// link-local, multicast, broadcast and reserved ones, and where clouds hand out credentials (169.254/16,
/// fd00:ec2::/32, 100.100.100.200, 168.63.129.16, 192.0.0.192). IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4,
/// Teredo) is judged as the IPv4 address that it reaches. Source: IANA special-purpose registries; the providers'
/// metadata pages.
Result<void> vet_address(const boost::asio::ip::address& address, Reach reach);

/// Finds the addresses of a name. Tests put their own in its place.
using Resolve = std::function<Task<std::vector<boost::asio::ip::address>>(std::string host)>;
/// The system's resolver: not cancellable, with the system's own limits.
Resolve system_resolver();

struct EgressConfig {
  std::string host;  // name or IP literal
  Reach reach = Reach::kPublic;
  Duration addresses_age_max = std::chrono::seconds(30);  // then the name is looked up again
};

/// Vetted addresses of one host. Whoever connects uses the literal that it gives, never the name: what was judged is
/// what is connected to, whatever the name says a moment later. Thread-safe.
class Egress {
 public:
  Egress(EgressConfig config, Clock& clock, Resolve resolve = system_resolver());

  /// An IP literal; `turn` (the number of the attempt) walks through the host's addresses. One refused address refuses
  /// the name, whatever else it has: kPermissionDenied. kUnavailable when it has none.
  Task<std::string> address(int turn);

 private:
  const EgressConfig config_;
  Clock& clock_;
  const Resolve resolve_;
  std::mutex mutex_;
  std::vector<std::string> vetted_;  // empty: not looked up yet
  SteadyTime looked_up_;
};

}  // namespace tombolo::remote
