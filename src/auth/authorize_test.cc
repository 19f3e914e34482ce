#include "auth/authorize.h"

#include <gtest/gtest.h>

#include "auth/codes.h"

namespace tombolo::auth {
namespace {

struct NamedOperation {
  const char* name;
  Rights needs;
  const char* types;        // letters of srt that suffice
  const char* account_sas;  // letters of sp that suffice; "*" for any
  const char* service_sas;  // "" for never
};

// The table of "Create an account SAS" and "Create a service SAS" on Microsoft Learn, written once more by hand.
const NamedOperation kOperations[] = {
    {"GetAccountInformation", rights::kGetAccountInformation, "sco", "*", "*"},
    {"ListContainers", rights::kListContainers, "s", "l", ""},
    {"GetServiceProperties", rights::kGetServiceProperties, "s", "r", ""},
    {"SetServiceProperties", rights::kSetServiceProperties, "s", "w", ""},
    {"CreateContainer", rights::kCreateContainer, "c", "cw", ""},
    {"GetContainerProperties", rights::kGetContainerProperties, "c", "r", ""},
    {"SetContainerMetadata", rights::kSetContainerMetadata, "c", "w", ""},
    {"DeleteContainer", rights::kDeleteContainer, "c", "d", ""},
    {"ListBlobs", rights::kListBlobs, "c", "l", "l"},
    {"PutBlob", rights::kPutBlob, "o", "cw", "cw"},
    {"PutBlock", rights::kPutBlock, "o", "w", "w"},
    {"PutBlockList", rights::kPutBlockList, "o", "w", "w"},
    {"GetBlockList", rights::kGetBlockList, "o", "r", "r"},
    {"GetBlob", rights::kGetBlob, "o", "r", "r"},
    {"GetBlobProperties", rights::kGetBlobProperties, "o", "r", "r"},
    {"SetBlobMetadata", rights::kSetBlobMetadata, "o", "w", "w"},
    {"SetBlobProperties", rights::kSetBlobProperties, "o", "w", "w"},
    {"DeleteBlob", rights::kDeleteBlob, "o", "d", "d"},
};

VerifiedRequest account_sas(std::string_view sp, std::string_view srt = "sco", std::string_view ss = "b") {
  VerifiedRequest out;
  out.account = "a";
  out.proof = Proof::kAccountSas;
  out.permissions = parse_permissions(SasKind::kAccount, sp).value();
  out.services = parse_services(ss).value();
  out.types = parse_resource_types(srt).value();
  return out;
}

VerifiedRequest service_sas(std::string_view sp, std::optional<std::string> blob = std::nullopt) {
  VerifiedRequest out;
  out.account = "a";
  out.proof = Proof::kServiceSas;
  out.permissions = parse_permissions(SasKind::kService, sp).value();
  out.container = "c";
  out.blob = std::move(blob);
  return out;
}

std::string_view verdict(const VerifiedRequest& request, const Rights& needs, std::string_view container = "c",
                         std::string_view blob = "b") {
  const auto result = authorize(request, {.needs = needs, .container = container, .blob = blob});
  if (result.ok()) return "ok";
  EXPECT_EQ(result.error().code, Code::kPermissionDenied);
  return result.error().detail;
}

std::string_view expected(std::string_view sufficient, char letter) {
  if (sufficient.empty()) return codes::kAuthorizationFailure;
  const bool granted = sufficient == "*" || sufficient.find(letter) != std::string_view::npos;
  return granted ? std::string_view("ok") : codes::kPermissionMismatch;
}

TEST(Authorize, EveryPermissionAgainstEveryOperation) {
  for (const NamedOperation& operation : kOperations) {
    for (const char letter : to_string(SasKind::kAccount, every_permission(SasKind::kAccount))) {
      EXPECT_EQ(verdict(account_sas({&letter, 1}), operation.needs), expected(operation.account_sas, letter))
          << operation.name << " by account SAS with sp=" << letter;
    }
    for (const char letter : to_string(SasKind::kService, every_permission(SasKind::kService))) {
      EXPECT_EQ(verdict(service_sas({&letter, 1}), operation.needs), expected(operation.service_sas, letter))
          << operation.name << " by service SAS with sp=" << letter;
    }
  }
}

TEST(Authorize, EveryResourceTypeAgainstEveryOperation) {
  for (const NamedOperation& operation : kOperations) {
    for (const char letter : std::string_view("sco")) {
      const bool granted = std::string_view(operation.types).find(letter) != std::string_view::npos;
      EXPECT_EQ(verdict(account_sas("rwdxylacuptfi", {&letter, 1}), operation.needs),
                granted ? std::string_view("ok") : codes::kResourceTypeMismatch)
          << operation.name << " with srt=" << letter;
    }
  }
}

TEST(Authorize, ASharedKeyMayDoEverything) {
  for (const NamedOperation& operation : kOperations) {
    EXPECT_EQ(verdict(VerifiedRequest{}, operation.needs), "ok") << operation.name;
  }
}

TEST(Authorize, ChecksServiceThenTypeThenPermission) {
  EXPECT_EQ(verdict(account_sas("l", "c", "q"), rights::kGetBlob), codes::kServiceMismatch);
  EXPECT_EQ(verdict(account_sas("l", "c", "qb"), rights::kGetBlob), codes::kResourceTypeMismatch);
  EXPECT_EQ(verdict(account_sas("l", "co", "b"), rights::kGetBlob), codes::kPermissionMismatch);
}

TEST(Authorize, AServiceSasIsBoundToItsContainerAndBlob) {
  EXPECT_EQ(verdict(service_sas("r"), rights::kGetBlob, "c", "any"), "ok");
  EXPECT_EQ(verdict(service_sas("r"), rights::kGetBlob, "other", "b"), codes::kAuthorizationFailure);
  EXPECT_EQ(verdict(service_sas("l"), rights::kListContainers, "", ""), codes::kAuthorizationFailure);
  EXPECT_EQ(verdict(service_sas("r", "b"), rights::kGetBlob, "c", "b"), "ok");
  EXPECT_EQ(verdict(service_sas("r", "b"), rights::kGetBlob, "c", "b2"), codes::kAuthorizationFailure);
  EXPECT_EQ(verdict(service_sas("l", "b"), rights::kListBlobs, "c", ""), codes::kAuthorizationFailure);
}

TEST(Authorize, CreateAloneMayNotOverwrite) {
  const VerifiedRequest create = account_sas("c");
  EXPECT_EQ(verdict(create, rights::kPutBlob), "ok");
  EXPECT_FALSE(create.may(Permission::kWrite));
  EXPECT_TRUE(VerifiedRequest{}.may(Permission::kWrite));
}

TEST(Permissions, LettersRoundTripInTheCanonicalOrder) {
  EXPECT_EQ(to_string(SasKind::kAccount, every_permission(SasKind::kAccount)), "rwdxylacuptfi");
  EXPECT_EQ(to_string(SasKind::kService, every_permission(SasKind::kService)), "racwdxyltfmeopi");
  EXPECT_EQ(to_string(SasKind::kService, parse_permissions(SasKind::kService, "lwr").value()), "rwl");
  EXPECT_EQ(to_string(parse_services("fb").value()), "bf");
  EXPECT_EQ(to_string(parse_resource_types("os").value()), "so");
}

TEST(Permissions, TheLetterPMeansDifferentThings) {
  EXPECT_EQ(parse_permissions(SasKind::kAccount, "p"), Permissions{Permission::kProcess});
  EXPECT_EQ(parse_permissions(SasKind::kService, "p"), Permissions{Permission::kChangePermissions});
}

}  // namespace
}  // namespace tombolo::auth
