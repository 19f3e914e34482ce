#include "server/tls_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/times.h"
#include "base/units.h"

namespace tombolo::server {
namespace {

constexpr std::size_t kFileMax = kMiB;
constexpr std::int64_t kDayMicros = 86'400ll * 1'000'000;
constexpr std::int64_t kWarnDays = 14;

enum class Privacy { kPublic, kSecret };

// PostgreSQL's rule: mine alone, or root's with a group that is let in on purpose (ssl-cert).
bool too_open(const struct stat& info) {
  const mode_t forbidden = info.st_uid == 0 ? 0037 : 0077;
  return (info.st_mode & forbidden) != 0;
}

Result<std::string> read_file(const std::string& path, Privacy privacy) {
  const auto failed = [&path](const char* what) {
    return Error{errno == EACCES ? Code::kPermissionDenied : Code::kNotFound,
                 fmt::format("{} {}: {}", what, path, std::strerror(errno))};
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("cannot read");
  struct stat info{};
  std::string text(kFileMax + 1, '\0');
  const bool looked = ::fstat(file, &info) == 0;
  const ssize_t n = looked ? ::read(file, text.data(), text.size()) : -1;
  const Error error = failed("cannot read");
  ::close(file);
  if (n < 0) return error;
  if (privacy == Privacy::kSecret && too_open(info)) {
    return Error{Code::kPermissionDenied, fmt::format("{} can be read by others: run chmod 600 {}", path, path)};
  }
  text.resize(static_cast<std::size_t>(n));
  if (text.size() > kFileMax) return Error{Code::kInvalid, fmt::format("{} is larger than 1 MiB", path)};
  return text;
}

Result<http::TlsPair> read_pair(const TlsPaths& paths) {
  http::TlsPair pair;
  TRY_ASSIGN(pair.chain_pem, read_file(paths.certificate, Privacy::kPublic));
  TRY_ASSIGN(pair.key_pem, read_file(paths.key, Privacy::kSecret));
  return pair;
}

Error about(const TlsPaths& paths, Error error) {
  error.message = fmt::format("{} with {}: {}", paths.certificate, paths.key, error.message);
  return error;
}

std::string dates(const http::TlsCertificate& certificate) {
  return fmt::format("valid from {} to {}", iso8601(certificate.not_before), iso8601(certificate.not_after));
}

bool in_date(const http::TlsCertificate& certificate, WallTime now) {
  return certificate.not_before <= now && now < certificate.not_after;
}

void tell(const http::TlsCertificate& certificate, WallTime now) {
  const auto days = (certificate.not_after.micros - now.micros) / kDayMicros;
  const bool good = in_date(certificate, now);
  log(!good ? LogLevel::kError : (days < kWarnDays ? LogLevel::kWarn : LogLevel::kInfo), "tls",
      "serving the certificate {} ({}), {}{}", certificate.subject, certificate.names, dates(certificate),
      good ? "" : ": clients will refuse it");
}

}  // namespace

Result<std::unique_ptr<TlsFiles>> TlsFiles::open(TlsPaths paths, Clock& clock) {
  std::unique_ptr<TlsFiles> files(new TlsFiles(std::move(paths), clock));
  TRY_ASSIGN(const http::TlsPair pair, read_pair(files->paths_));
  auto made = http::TlsServer::make(pair);
  if (!made.ok()) return about(files->paths_, std::move(made).error());
  files->server_ = *std::move(made);
  tell(files->server_->certificate(), clock.wall());
  return files;
}

Result<http::TlsCertificate> TlsFiles::reload() {
  const auto replaced = [this]() -> Result<void> {
    TRY_ASSIGN(const http::TlsPair pair, read_pair(paths_));
    TRY_ASSIGN(const auto candidate, http::TlsServer::make(pair));
    if (const auto certificate = candidate->certificate(); !in_date(certificate, clock_.wall())) {
      return Error{Code::kInvalid, fmt::format("the certificate is out of date: {}", dates(certificate))};
    }
    return server_->replace(pair);
  }();
  if (!replaced.ok()) {
    const Error error = about(paths_, replaced.error());
    log(LogLevel::kError, "tls", "the old certificate stays: {}", error.message);
    return Error{error.code, fmt::format("{} (the old certificate stays in use)", error.message)};
  }
  tell(server_->certificate(), clock_.wall());
  return server_->certificate();
}

Result<std::shared_ptr<http::TlsClient>> trust(const std::string& ca_file) {
  std::string pem;
  if (!ca_file.empty()) {
    TRY_ASSIGN(pem, read_file(ca_file, Privacy::kPublic));
    if (pem.empty()) return Error{Code::kInvalid, fmt::format("{} is empty: it must hold PEM certificates", ca_file)};
  }
  auto made = http::TlsClient::make(pem);
  if (!made.ok()) return Error{made.error().code, fmt::format("{}: {}", ca_file, made.error().message)};
  return made;
}

}  // namespace tombolo::server
