// Get and Set Blob Service Properties over HTTP, and what requests without a version are told.
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

constexpr std::string_view kFresh =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties>"
    "<Logging><Version>1.0</Version><Read>false</Read><Write>false</Write><Delete>false</Delete>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
    "<HourMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>"
    "<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics><Cors />"
    "<DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>"
    "<StaticWebsite><Enabled>false</Enabled></StaticWebsite></StorageServiceProperties>";
constexpr const char* kTarget = "/?restype=service&comp=properties";
const std::string kOff = "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>";

class ServicePropertiesTest : public ::testing::Test, public BlobRig {
 protected:
  Answered get() { return ask({.target = kTarget}); }
  Answered set(std::string sections) {
    return ask({"PUT", kTarget, {}, "<StorageServiceProperties>" + sections + "</StorageServiceProperties>"});
  }
};

TEST_F(ServicePropertiesTest, AFreshAccountHasEverySectionDisabled) {
  const Answered answer = get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/xml");
  EXPECT_EQ(answer.body, kFresh);
}

TEST_F(ServicePropertiesTest, SectionsReplaceAndOthersStay) {
  EXPECT_EQ(set("").status, 202);
  EXPECT_EQ(get().body, kFresh);
  EXPECT_EQ(set("<DefaultServiceVersion>2020-10-02</DefaultServiceVersion>").status, 202);
  EXPECT_EQ(set("<Logging><Version>2.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>"
                "<RetentionPolicy><Enabled>true</Enabled><Days>7</Days></RetentionPolicy></Logging>")
                .status,
            202);
  const Answered answer = get();
  EXPECT_TRUE(answer.holds("<DefaultServiceVersion>2020-10-02</DefaultServiceVersion>")) << answer.body;
  EXPECT_TRUE(answer.holds("<Logging><Version>2.0</Version>")) << answer.body;
  EXPECT_TRUE(answer.holds("<RetentionPolicy><Enabled>true</Enabled><Days>7</Days></RetentionPolicy></Logging>"));
  // What was read can be written back, as tools do that change one thing.
  EXPECT_EQ(ask({"PUT", kTarget, {}, answer.body}).status, 202);
  EXPECT_EQ(get().body, answer.body);
}

TEST_F(ServicePropertiesTest, WhatIsDisabledIsAccepted) {
  for (const std::string& sections : {
           std::string("<Cors/>"),
           std::string("<Cors> <!-- none --> </Cors>"),
           std::string("<DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>"),
           std::string("<DeleteRetentionPolicy><Enabled>false</Enabled><AllowPermanentDelete>false"
                       "</AllowPermanentDelete></DeleteRetentionPolicy>"),
           std::string("<StaticWebsite><Enabled>false</Enabled></StaticWebsite>"),
           "<HourMetrics><Version>1.0</Version><Enabled>false</Enabled>" + kOff + "</HourMetrics>",
           "<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><IncludeAPIs>false</IncludeAPIs>" + kOff +
               "</MinuteMetrics>",
       }) {
    EXPECT_EQ(set(sections).status, 202) << sections;
  }
  EXPECT_EQ(get().body, kFresh);
}

TEST_F(ServicePropertiesTest, WhatCannotBeHonouredIsRefusedAndChangesNothing) {
  const std::string metrics = "<Version>1.0</Version><Enabled>";
  const std::vector<std::pair<std::string, std::string_view>> cases = {
      {"<DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days></DeleteRetentionPolicy>", "UnsupportedXmlNode"},
      {"<DeleteRetentionPolicy><Enabled>false</Enabled><AllowPermanentDelete>true</AllowPermanentDelete>"
       "</DeleteRetentionPolicy>",
       "UnsupportedXmlNode"},
      {"<DeleteRetentionPolicy><Days>7</Days></DeleteRetentionPolicy>", "MissingRequiredXmlNode"},
      {"<StaticWebsite><Enabled>true</Enabled><IndexDocument>i</IndexDocument></StaticWebsite>", "UnsupportedXmlNode"},
      {"<StaticWebsite><Enabled>false</Enabled><IndexDocument>i</IndexDocument></StaticWebsite>",
       "InvalidXmlNodeValue"},
      {"<Cors><CorsRule><AllowedOrigins>*</AllowedOrigins></CorsRule><CorsRule/></Cors>", "UnsupportedXmlNode"},
      {"<Cors><Rule/></Cors>", "UnsupportedXmlNode"},
      {"<HourMetrics>" + metrics + "true</Enabled><IncludeAPIs>true</IncludeAPIs>" + kOff + "</HourMetrics>",
       "UnsupportedXmlNode"},
      {"<MinuteMetrics>" + metrics + "maybe</Enabled>" + kOff + "</MinuteMetrics>", "InvalidXmlNodeValue"},
      {"<MinuteMetrics>" + metrics + "false</Enabled></MinuteMetrics>", "MissingRequiredXmlNode"},
      {"<MinuteMetrics><Version>3</Version><Enabled>false</Enabled>" + kOff + "</MinuteMetrics>",
       "InvalidXmlNodeValue"},
      {"<Logging><Version>1.0</Version><Delete>false</Delete><Read>true</Read><Write>false</Write>" + kOff +
           "</Logging>",
       "UnsupportedXmlNode"},
      {"<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>"
       "<RetentionPolicy><Enabled>true</Enabled></RetentionPolicy></Logging>",
       "MissingRequiredXmlNode"},
      {"<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>"
       "<RetentionPolicy><Enabled>true</Enabled><Days>366</Days></RetentionPolicy></Logging>",
       "InvalidXmlNodeValue"},
      {"<DefaultServiceVersion>latest</DefaultServiceVersion>", "InvalidXmlNodeValue"},
      {"<DefaultServiceVersion>2020-10-02</DefaultServiceVersion><Typo/>", "UnsupportedXmlNode"},
      {"<DefaultServiceVersion>2020-10-02</DefaultServiceVersion><Cors/><Cors/>", "InvalidXmlDocument"},
      {"text", "InvalidXmlDocument"},
  };
  for (const auto& [sections, code] : cases) {
    const Answered answer = set(sections);
    EXPECT_EQ(answer.status, 400) << sections;
    EXPECT_EQ(answer.code(), code) << sections << "\n" << answer.body;
  }
  EXPECT_EQ(ask({"PUT", kTarget, {}, "<Properties/>"}).code(), "InvalidXmlDocument");
  EXPECT_EQ(ask({"PUT", kTarget, {}, std::string(40'000, ' ')}).status, 413);
  EXPECT_EQ(ask({"PUT", kTarget, {{"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="}}, "<StorageServiceProperties/>"}).code(),
            "Md5Mismatch");
  EXPECT_EQ(get().body, kFresh);
}

TEST_F(ServicePropertiesTest, TheDefaultVersionIsToldToRequestsWithoutOne) {
  auth::AccountSasRequest request;
  request.terms.permissions = *auth::parse_permissions(auth::SasKind::kAccount, "rl");
  request.terms.expiry = later(std::chrono::hours(1));
  const auto sas = auth::make_account_sas(keys, request);
  EXPECT_EQ(ask_with_sas({.target = "/?comp=list"}, sas).header("x-ms-version"), "2021-12-02");
  ASSERT_EQ(set("<DefaultServiceVersion>2020-10-02</DefaultServiceVersion>").status, 202);
  EXPECT_EQ(ask_with_sas({.target = "/?comp=list"}, sas).header("x-ms-version"), "2020-10-02");
  EXPECT_EQ(
      ask_with_sas({.target = "/?comp=list", .headers = {{"x-ms-version", "2023-01-03"}}}, sas).header("x-ms-version"),
      "2023-01-03");
}

TEST_F(ServicePropertiesTest, RightsAreReadAndWriteOnTheService) {
  auth::AccountSasRequest request;
  request.terms.permissions = *auth::parse_permissions(auth::SasKind::kAccount, "r");
  request.terms.expiry = later(std::chrono::hours(1));
  const auto reads = auth::make_account_sas(keys, request);
  EXPECT_EQ(ask_with_sas({.target = kTarget}, reads).status, 200);
  EXPECT_EQ(ask_with_sas({"PUT", kTarget, {}, "<StorageServiceProperties/>"}, reads).code(),
            "AuthorizationPermissionMismatch");
  EXPECT_EQ(send({.target = kTarget}).status, 401);
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
