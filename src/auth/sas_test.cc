#include "auth/sas.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "auth/codes.h"
#include "auth/keys_for_test.h"
#include "auth/sas_make.h"
#include "auth/url_for_test.h"
#include "auth/verifier.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

const WallTime kNow = *parse_iso8601("2026-11-21T05:00:00Z");
const WallTime kExpiry = *parse_iso8601("2026-11-22");

SasTerms terms(Permissions permissions) {
  return {.permissions = permissions, .expiry = kExpiry};
}

Result<VerifiedRequest> use(const std::string& target, bool https = true) {
  MemoryKeyRing ring;
  ring.set(test_keys());
  ManualClock clock(kNow);
  AzureVerifier verifier(ring, clock);
  const UrlForTest url("GET", target);
  SignedRequest request = url.view();
  request.https = https;
  return run_to_end(verifier.verify(request));
}

TEST(SasMake, AccountSasVerifies) {
  AccountSasRequest request{.terms = terms({Permission::kRead, Permission::kList, Permission::kWrite})};
  request.terms.start = kNow;
  request.terms.ip = "127.0.0.0-127.0.0.255";
  request.terms.protocol = SasProtocol::kHttpsOnly;
  const auto sas = make_account_sas(test_keys(), request);
  ASSERT_TRUE(sas.ok()) << sas.error().message;
  EXPECT_EQ(sas->substr(0, sas->find("&sig=")),
            "sv=2025-07-05&st=2026-11-21T05%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=rwl&sip=127.0.0.0-127.0.0.255"
            "&spr=https&ss=b&srt=sco");
  const auto verified = use("/tombolotest/c/b?" + *sas);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->permissions, request.terms.permissions);
  EXPECT_EQ(use("/tombolotest/c/b?" + *sas, /*https=*/false).error().detail, codes::kProtocolMismatch);
}

TEST(SasMake, ContainerSasVerifiesAnywhereInItsContainer) {
  const auto sas = make_service_sas(
      test_keys(), {.terms = terms({Permission::kRead, Permission::kCreate, Permission::kList}), .container = "c1"});
  ASSERT_TRUE(sas.ok());
  EXPECT_EQ(sas->substr(0, sas->find("&sig=")),
            "sv=2025-07-05&se=2026-11-22T00%3A00%3A00Z&sp=rcl&spr=https%2Chttp&sr=c");
  EXPECT_TRUE(use("/tombolotest/c1?restype=container&comp=list&" + *sas, /*https=*/false).ok());
  EXPECT_TRUE(use("/tombolotest/c1/any%0Aname%00?" + *sas).ok());
  EXPECT_FALSE(use("/tombolotest/c2/b?" + *sas).ok());
}

TEST(SasMake, BlobSasVerifiesForAwkwardNames) {
  for (const std::string& name :
       {std::string("a b%/+&=?#"), std::string("\xE6\xBC\xA2/\xF0\x9F\x8C\x8A"), std::string("nul\0inside", 10),
        std::string("..//./"), std::string("back\\slash"), std::string("tab\tcr\r"), std::string(900, 'n')}) {
    const auto sas =
        make_service_sas(test_keys(), {.terms = terms({Permission::kRead}), .container = "c1", .blob = name});
    ASSERT_TRUE(sas.ok());
    EXPECT_TRUE(use("/tombolotest/c1/" + percent_encode(name) + "?" + *sas).ok()) << name;
    EXPECT_TRUE(use("/tombolotest/c1/" + percent_encode(name, "/") + "?" + *sas).ok()) << name;
    EXPECT_FALSE(use("/tombolotest/c1/" + percent_encode(name + "x") + "?" + *sas).ok()) << name;
  }
}

TEST(SasMake, RefusesWhatWouldNotWork) {
  const SasTerms good = terms({Permission::kRead});
  const auto account = [&](auto change) {
    AccountSasRequest request{.terms = good};
    change(request);
    return make_account_sas(test_keys(), request);
  };
  EXPECT_TRUE(account([](auto&) {}).ok());
  EXPECT_FALSE(account([](auto& r) { r.terms.permissions = {}; }).ok());
  EXPECT_FALSE(account([](auto& r) { r.terms.permissions = {Permission::kMove}; }).ok());
  EXPECT_FALSE(account([](auto& r) { r.terms.start = kExpiry; }).ok());
  EXPECT_FALSE(account([](auto& r) {
                 r.terms.start = kExpiry;
                 r.terms.expiry = WallTime{kExpiry.micros + 999'999};  // the same second
               }).ok());
  EXPECT_FALSE(account([](auto& r) { r.terms.ip = "::1"; }).ok());
  EXPECT_FALSE(account([](auto& r) { r.services = {}; }).ok());
  EXPECT_FALSE(account([](auto& r) { r.types = {}; }).ok());
  EXPECT_FALSE(make_account_sas({.account = "keyless"}, {.terms = good}).ok());
  EXPECT_FALSE(make_service_sas(test_keys(), {.terms = good}).ok());
  EXPECT_FALSE(make_service_sas(test_keys(), {.terms = good, .container = "c", .blob = "a\nb"}).ok());
  EXPECT_FALSE(make_service_sas(test_keys(), {.terms = good, .container = "c/b"}).ok());
  EXPECT_FALSE(make_service_sas(test_keys(), {.terms = good, .container = "c\nd"}).ok());
}

TEST(Sas, StringToSignDependsOnTheVersion) {
  const SasFields all{.sv = "2018-11-08",
                      .sp = "SP",
                      .st = "ST",
                      .se = "SE",
                      .sip = "IP",
                      .spr = "PR",
                      .ses = "ES",
                      .sig = "",
                      .ss = "SS",
                      .srt = "SRT",
                      .sr = "bs",
                      .si = "",
                      .rscc = "CC",
                      .rscd = "CD",
                      .rsce = "CE",
                      .rscl = "CL",
                      .rsct = "CT",
                      .snapshot = "SN",
                      .versionid = "VE"};
  const auto text = [&all](SasKind kind, std::string_view version, std::string_view resource) {
    SasFields fields = all;
    fields.sv = version;
    fields.sr = resource;
    return sas_string_to_sign(kind, fields, {.account = "a", .container = "c", .blob = "b"});
  };
  EXPECT_EQ(text(SasKind::kService, "2018-11-08", "b"),
            "SP\nST\nSE\n/blob/a/c/b\n\nIP\nPR\n2018-11-08\nCC\nCD\nCE\nCL\nCT");
  EXPECT_EQ(text(SasKind::kService, "2018-11-09", "bs"),
            "SP\nST\nSE\n/blob/a/c/b\n\nIP\nPR\n2018-11-09\nbs\nSN\nCC\nCD\nCE\nCL\nCT");
  EXPECT_EQ(text(SasKind::kService, "2020-12-05", "bv"),
            "SP\nST\nSE\n/blob/a/c/b\n\nIP\nPR\n2020-12-05\nbv\nVE\nCC\nCD\nCE\nCL\nCT");
  EXPECT_EQ(text(SasKind::kService, "2020-12-06", "c"),
            "SP\nST\nSE\n/blob/a/c\n\nIP\nPR\n2020-12-06\nc\n\nES\nCC\nCD\nCE\nCL\nCT");
  EXPECT_EQ(text(SasKind::kAccount, "2020-12-05", ""), "a\nSP\nSS\nSRT\nST\nSE\nIP\nPR\n2020-12-05\n");
  EXPECT_EQ(text(SasKind::kAccount, "2020-12-06", ""), "a\nSP\nSS\nSRT\nST\nSE\nIP\nPR\n2020-12-06\nES\n");
}

std::string_view detail_of(const std::string& query, const std::string& path = "/tombolotest/c1/b") {
  const UrlForTest url("GET", path + "?" + query);
  const auto sas = parse_sas(url.view());
  return sas.ok() ? "ok" : sas.error().detail;
}

TEST(Sas, ParsesAnyWellFormedVersionFrom20150405On) {
  for (const char* version : {"2015-04-05", "2018-11-09", "2026-06-06", "2026-10-06", "2031-01-01"}) {
    EXPECT_EQ(detail_of("se=2026-11-22&sp=r&sr=c&sig=AAAA&sv=" + std::string(version)), "ok") << version;
  }
  for (const char* version : {"", "2015-04-04", "2014-02-14", "2026-13-01", "2026-6-6", "2026-06-06x", "9999"}) {
    EXPECT_EQ(detail_of("se=2026-11-22&sp=r&sr=c&sig=AAAA&sv=" + std::string(version)), codes::kAuthenticationFailed)
        << version;
  }
}

TEST(Sas, RefusesMalformedFields) {
  const std::string service = "sv=2025-07-05&sr=c&sig=AAAA&sp=r&se=2026-11-22";
  const std::string account = "sv=2025-07-05&ss=b&srt=o&sig=AAAA&sp=r&se=2026-11-22";
  EXPECT_EQ(detail_of(service), "ok");
  EXPECT_EQ(detail_of(account), "ok");
  const auto without = [](std::string query, const std::string& field) {
    const std::size_t at = query.find(field);
    return query.replace(at, query.find_first_of('&', at) - at, "x=1");
  };
  for (const char* field : {"sv=", "sr=", "sp=", "se="}) {
    EXPECT_EQ(detail_of(without(service + "&", field)), codes::kAuthenticationFailed) << field;
  }
  for (const char* field : {"sv=", "ss=", "srt=", "sp=", "se="}) {
    EXPECT_EQ(detail_of(without(account + "&", field)), codes::kAuthenticationFailed) << field;
  }
  const std::string base = "sv=2025-07-05&sig=AAAA&";
  for (const char* bad :
       {"sr=c&sp=r&se=tomorrow", "sr=c&sp=r&se=2026-11-22&st=now", "sr=c&sp=rz&se=2026-11-22",
        "sr=c&sp=rr&se=2026-11-22", "sr=x&sp=r&se=2026-11-22", "sr=d&sp=r&se=2026-11-22",
        "sr=c&sp=r&se=2026-11-22&sip=1.2.3", "sr=c&sp=r&se=2026-11-22&sip=1.2.3.4-1.2.3.3",
        "sr=c&sp=r&se=2026-11-22&sip=1.2.3.256", "sr=c&sp=r&se=2026-11-22&sip=01.2.3.4",
        "sr=c&sp=r&se=2026-11-22&spr=http", "sr=c&sp=r&se=2026-11-22&spr=http,https", "sr=c&sp=u&se=2026-11-22",
        "ss=b&srt=o&sr=c&sp=r&se=2026-11-22", "ss=x&srt=o&sp=r&se=2026-11-22", "ss=b&srt=x&sp=r&se=2026-11-22",
        "ss=b&srt=o&sp=m&se=2026-11-22"}) {
    EXPECT_EQ(detail_of(base + bad), codes::kAuthenticationFailed) << bad;
  }
  for (const char* bad : {"sig=", "sig=A", "sig=AA=A", "sig=AAAA+AA"}) {  // "+" is a space
    EXPECT_EQ(detail_of("sv=2025-07-05&sr=c&sp=r&se=2026-11-22&" + std::string(bad)), codes::kAuthenticationFailed);
  }
}

TEST(Sas, RefusesControlCharactersInResponseHeaders) {
  const std::string base = "sv=2025-07-05&sr=c&sig=AAAA&sp=r&se=2026-11-22&";
  for (const char* bad : {"rsct=a%0D%0AX:y", "rscc=%00", "rscd=a%0A", "rsce=%7F", "rscl=%1F"}) {
    EXPECT_EQ(detail_of(base + bad), codes::kInvalidQueryParameterValue) << bad;
  }
}

// The string to sign separates fields by line feeds and, before 2018-11-09, does not name the kind of resource.
TEST(Sas, NamesCannotPassForOtherFieldsOrKinds) {
  const std::string old_blob = "sv=2017-11-09&sr=b&sig=AAAA&sp=r&se=2026-11-22";
  const std::string old_container = "sv=2017-11-09&sr=c&sig=AAAA&sp=r&se=2026-11-22";
  EXPECT_EQ(detail_of(old_blob), "ok");
  EXPECT_EQ(detail_of(old_blob, "/tombolotest/c1"), codes::kAuthenticationFailed);
  EXPECT_EQ(detail_of(old_blob, "/tombolotest/c1/b%0A%0A"), codes::kAuthenticationFailed);
  EXPECT_EQ(detail_of(old_container, "/tombolotest/c1/b%0A%0A"), "ok");
  EXPECT_EQ(detail_of(old_container, "/tombolotest/c1%2Fb"), codes::kAuthenticationFailed);
  EXPECT_EQ(detail_of(old_container, "/tombolotest/c1%0Ab"), codes::kAuthenticationFailed);
  EXPECT_EQ(detail_of(old_container, "/tombolotest/"), codes::kAuthenticationFailed);
}

}  // namespace
}  // namespace tombolo::auth
