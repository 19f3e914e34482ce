// Heads that must be refused: for the tests of the parser and of the server.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "http/failure.h"
#include "http/head_lines.h"

namespace tombolo::http {

inline void PrintTo(Failure failure, std::ostream* out) {
  *out << info(failure).name;
}

struct BadHead {
  std::string name;
  std::string bytes;
  Failure failure;
  int status;
};
inline void PrintTo(const BadHead& bad, std::ostream* out) {
  *out << bad.name;
}

inline std::string with(std::string_view field) {
  return "PUT /c/b HTTP/1.1\r\nHost: h\r\n" + std::string(field) + "\r\n\r\n";
}
inline std::string line(std::string_view request_line) {
  return std::string(request_line) + "\r\nHost: h\r\n\r\n";
}

/// Request heads that are refused before any handler; "caseN" refers to the framing cases of the threat list.
inline std::vector<BadHead> bad_requests() {
  using F = Failure;
  std::vector<BadHead> all = {
      {"case1_cl_and_te", with("Content-Length: 5\r\nTransfer-Encoding: chunked"), F::kLengthAndChunked, 400},
      {"case1_te_and_cl", with("Transfer-Encoding: chunked\r\nContent-Length: 5"), F::kLengthAndChunked, 400},
      {"case2_differing", with("Content-Length: 5\r\nContent-Length: 6"), F::kBadContentLength, 400},
      {"case2_same_twice", with("Content-Length: 5\r\nContent-Length: 5"), F::kBadContentLength, 400},
      {"case2_list", with("Content-Length: 5, 6"), F::kBadContentLength, 400},
      {"case2_list_same", with("Content-Length: 5, 5"), F::kBadContentLength, 400},
      {"case3_plus", with("Content-Length: +5"), F::kBadContentLength, 400},
      {"case3_minus", with("Content-Length: -1"), F::kBadContentLength, 400},
      {"case3_hex", with("Content-Length: 0x5"), F::kBadContentLength, 400},
      {"case3_2_64", with("Content-Length: 18446744073709551616"), F::kBadContentLength, 400},
      {"case3_empty", with("Content-Length:"), F::kBadContentLength, 400},
      {"case3_inner_blank", with("Content-Length: 5 5"), F::kBadContentLength, 400},
      {"case3_fraction", with("Content-Length: 5.0"), F::kBadContentLength, 400},
      {"case4_chunked_not_last", with("Transfer-Encoding: chunked, gzip"), F::kBadTransferEncoding, 400},
      {"case4_chunked_twice", with("Transfer-Encoding: chunked, chunked"), F::kBadTransferEncoding, 400},
      {"case4_chunked_twice_fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
       F::kBadTransferEncoding, 400},
      {"case4_gzip", with("Transfer-Encoding: gzip"), F::kUnknownTransferCoding, 501},
      {"case4_gzip_chunked", with("Transfer-Encoding: gzip, chunked"), F::kUnknownTransferCoding, 501},
      {"case4_identity", with("Transfer-Encoding: identity"), F::kUnknownTransferCoding, 501},
      {"case4_xchunked", with("Transfer-Encoding: xchunked"), F::kUnknownTransferCoding, 501},
      {"case4_quoted", with("Transfer-Encoding: \"chunked\""), F::kUnknownTransferCoding, 501},
      {"case4_parameter", with("Transfer-Encoding: chunked;a=b"), F::kUnknownTransferCoding, 501},
      {"case4_vertical_tab", with("Transfer-Encoding: \vchunked"), F::kControlByte, 400},
      {"case4_empty", with("Transfer-Encoding:"), F::kBadTransferEncoding, 400},
      {"case5_te_in_10", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", F::kTransferEncodingHttp10, 400},
      {"case7_bare_lf", "GET / HTTP/1.1\nHost: h\n\n", F::kBareLineEnd, 400},
      {"case7_bare_lf_in_field", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", F::kBareLineEnd, 400},
      {"case7_bare_cr", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", F::kBareLineEnd, 400},
      {"case7_bare_cr_first_line", "GET /\rHTTP/1.1\r\nHost: h\r\n\r\n", F::kBareLineEnd, 400},
      {"case7_cr_cr_lf", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", F::kBareLineEnd, 400},
      {"case7_last_lf", "GET / HTTP/1.1\r\nHost: h\r\n\n", F::kBareLineEnd, 400},
      {"case9_space_before_colon", with("Content-Length : 5"), F::kBadHeaderName, 400},
      {"case9_tab_before_colon", with("X\t: 5"), F::kBadHeaderName, 400},
      {"case9_obs_fold", with("X: a\r\n b"), F::kFoldedHeader, 400},
      {"case9_obs_fold_tab", with("X: a\r\n\tb"), F::kFoldedHeader, 400},
      {"case9_first_line_folded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", F::kFoldedHeader, 400},
      {"case9_no_colon", with("X"), F::kBadHeaderName, 400},
      {"case9_empty_name", with(": x"), F::kBadHeaderName, 400},
      {"case9_name_not_token", with("X(y): z"), F::kBadHeaderName, 400},
      {"case9_name_not_ascii", with("X\xC3\xA4: z"), F::kBadHeaderName, 400},
      {"case10_no_host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", F::kBadHost, 400},
      {"case10_two_hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", F::kBadHost, 400},
      {"case10_host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", F::kBadHost, 400},
      {"case10_empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", F::kBadHost, 400},
      {"case10_host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", F::kBadHost, 400},
      {"case10_host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", F::kBadHost, 400},
      {"case10_bad_port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", F::kBadHost, 400},
      {"case10_port_not_number", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", F::kBadHost, 400},
      {"case11_other_host", line("GET http://evil/x HTTP/1.1"), F::kHostMismatch, 400},
      {"case11_other_port", line("GET http://h:81/x HTTP/1.1"), F::kHostMismatch, 400},
      {"case11_user", line("GET http://h@evil/x HTTP/1.1"), F::kBadTarget, 400},
      {"case12_nul", with(std::string("X: a\0b", 6)), F::kControlByte, 400},
      {"case12_nul_in_name", with(std::string("X\0: a", 5)), F::kControlByte, 400},
      {"case12_bell", with("X: a\ab"), F::kControlByte, 400},
      {"case12_delete", with("X: a\x7F"), F::kControlByte, 400},
      {"case12_nul_first", std::string("\0GET / HTTP/1.1\r\n\r\n", 19), F::kControlByte, 400},
      {"case13_huge_field", with("X: " + std::string(kHeadMax, 'a')), F::kHeadTooLarge, 431},
      {"case15_h2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", F::kHttp2Preface, 400},
      {"case18_put_without_length", "PUT / HTTP/1.1\r\nHost: h\r\n\r\n", F::kLengthRequired, 411},
      {"case18_post_without_length", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", F::kLengthRequired, 411},
      {"case19_trace", line("TRACE / HTTP/1.1"), F::kMethodRefused, 405},
      {"case19_connect", line("CONNECT h:443 HTTP/1.1"), F::kMethodRefused, 405},
      {"http09", "GET /\r\n\r\n", F::kBadStartLine, 400},
      {"empty_first_line", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", F::kBadStartLine, 400},
      {"two_blanks", line("GET  / HTTP/1.1"), F::kBadTarget, 400},
      {"blank_at_end", line("GET / HTTP/1.1 "), F::kBadStartLine, 400},
      {"blank_in_target", line("GET /a b HTTP/1.1"), F::kBadTarget, 400},
      {"tab_as_blank", line("GET\t/\tHTTP/1.1"), F::kBadStartLine, 400},
      {"leading_blank", line(" GET / HTTP/1.1"), F::kBadStartLine, 400},
      {"method_not_token", line("G(T / HTTP/1.1"), F::kBadStartLine, 400},
      {"method_too_long", line(std::string(33, 'G') + " / HTTP/1.1"), F::kBadStartLine, 400},
      {"lower_case_version", line("GET / http/1.1"), F::kBadStartLine, 400},
      {"version_11_long", line("GET / HTTP/1.10"), F::kBadStartLine, 400},
      {"version_2", line("GET / HTTP/2.0"), F::kBadVersion, 505},
      {"version_12", line("GET / HTTP/1.2"), F::kBadVersion, 505},
      {"target_fragment", line("GET /a#b HTTP/1.1"), F::kBadTarget, 400},
      {"target_not_ascii", line("GET /\xC3\xA4 HTTP/1.1"), F::kBadTarget, 400},
      {"target_relative", line("GET a HTTP/1.1"), F::kBadTarget, 400},
      {"target_star", line("GET * HTTP/1.1"), F::kBadTarget, 400},
      {"target_scheme", line("GET ftp://h/ HTTP/1.1"), F::kBadTarget, 400},
      {"target_too_long", line("GET /" + std::string(kStartLineMax, 'a') + " HTTP/1.1"), F::kTargetTooLong, 414},
  };
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 0; i < kHeadersMax; ++i) many += "X: y\r\n";
  all.push_back({"case13_many_fields", many + "\r\n", F::kHeadTooLarge, 431});
  return all;
}

}  // namespace tombolo::http
