// The one table of Azure Blob error codes, and how errors of lower floors become them.
// Source: Microsoft Learn "Common REST API error codes", "Blob service error codes". Codes marked (observed) are in no
// such table; they come from the recordings of Microsoft's SDKs.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/azure_blob/level.h"

namespace tombolo::azure_blob {

// X(code, HTTP status, what the client is told). A new code is one line.
// clang-format off
#define TOMBOLO_AZURE_ERRORS(X)                                                                                        \
  X(AuthenticationFailed, 403, "Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.") \
  X(AuthorizationFailure, 403, "This request is not authorized to perform this operation.")                            \
  X(AuthorizationPermissionMismatch, 403, "This request is not authorized to perform this operation using this permission.") \
  X(AuthorizationProtocolMismatch, 403, "This request is not authorized to perform this operation using this protocol.") \
  X(AuthorizationResourceTypeMismatch, 403, "This request is not authorized to perform this operation using this resource type.") \
  X(AuthorizationServiceMismatch, 403, "This request is not authorized to perform this operation using this service.") \
  X(AuthorizationSourceIPMismatch, 403, "This request is not authorized to perform this operation using this source IP.") \
  X(BlobAlreadyExists, 409, "The specified blob already exists.")                                                      \
  X(BlobModifiedWhileReading, 409, "The blob has been modified while being read.") /* (observed) */                    \
  X(BlobNotFound, 404, "The specified blob does not exist.")                                                           \
  X(BlobTypeNotSupported, 400, "This type of blob is not supported.") /* (observed) */                                 \
  X(BlockCountExceedsLimit, 409, "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.")     \
  X(BlockListTooLong, 400, "The block list may not contain more than 50,000 blocks.")                                  \
  X(BothCrc64AndMd5HeaderPresent, 400, "Both x-ms-content-crc64 header and Content-MD5 header are present.") /* (observed) */ \
  X(BothCrc64AndMd5RangeHeaderPresent, 400, "Both x-ms-range-get-content-crc64 header and x-ms-range-get-content-md5 header are present.") /* (observed) */ \
  X(BothCrc64AndMsMd5HeaderPresent, 400, "Both x-ms-content-crc64 header and x-ms-blob-content-md5 header are present.") /* the storage emulator's */ \
  X(ConditionHeadersNotSupported, 400, "Condition headers are not supported.")                                         \
  X(ConditionNotMet, 412, "The condition specified using HTTP conditional header(s) is not met.")                      \
  X(ContainerAlreadyExists, 409, "The specified container already exists.")                                            \
  X(ContainerNotFound, 404, "The specified container does not exist.")                                                 \
  X(CorsPreflightFailure, 403, "CORS not enabled or no matching rule found for this request.") /* (observed) */        \
  X(Crc64Mismatch, 400, "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.") /* (observed) */ \
  X(EmptyMetadataKey, 400, "The key for one of the metadata key-value pairs is empty.")                                \
  X(EndpointUnsupportedAccountFeatures, 409, "This endpoint does not support the features of this account.") /* (observed) */ \
  X(InternalError, 500, "The server encountered an internal error. Please retry the request.")                         \
  X(InvalidAuthenticationInfo, 401, "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.") \
  X(InvalidBlobOrBlock, 400, "The specified blob or block content is invalid.")                                        \
  X(InvalidBlobType, 409, "The blob type is invalid for this operation.")                                              \
  X(InvalidBlockId, 400, "The specified block ID is invalid. The block ID must be Base64-encoded.")                    \
  X(InvalidBlockList, 400, "The specified block list is invalid.")                                                     \
  X(InvalidHeaderValue, 400, "The value for one of the HTTP headers is not in the correct format.")                    \
  X(InvalidInput, 400, "One of the request inputs is not valid.")                                                      \
  X(InvalidMd5, 400, "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64-encoded.") \
  X(InvalidMetadata, 400, "The metadata specified is invalid. It has characters that are not permitted.")              \
  X(InvalidQueryParameterValue, 400, "Value for one of the query parameters specified in the request URI is invalid.") \
  X(InvalidRange, 416, "The range specified is invalid for the current size of the resource.")                         \
  X(InvalidResourceName, 400, "The specified resource name contains invalid characters.")                              \
  X(InvalidUri, 400, "The requested URI does not represent any resource on the server.")                               \
  X(InvalidXmlDocument, 400, "XML specified is not syntactically valid.")                                              \
  X(InvalidXmlNodeValue, 400, "The value provided for one of the XML nodes in the request body was not in the correct format.") \
  X(LeaseNotPresentWithBlobOperation, 412, "There is currently no lease on the blob.")                                 \
  X(LeaseNotPresentWithContainerOperation, 412, "There is currently no lease on the container.")                       \
  X(Md5Mismatch, 400, "The MD5 value specified in the request did not match with the MD5 value calculated by the server.") \
  X(MetadataTooLarge, 400, "The metadata specified exceeds the maximum allowable limit (8 KiB).")                      \
  X(MissingContentLengthHeader, 411, "Content-Length HTTP header is missing.")                                         \
  X(MissingRequiredHeader, 400, "An HTTP header that's mandatory for this request is not specified.")                  \
  X(MissingRequiredQueryParameter, 400, "A query parameter that's mandatory for this request is not specified.")       \
  X(MissingRequiredXmlNode, 400, "A required XML node was not specified in the request body.")                         \
  X(NoAuthenticationInformation, 401, "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.") \
  X(NotImplemented, 501, "This is not built yet.") /* Azurite's; not retried by Microsoft's SDKs */                    \
  X(OperationTimedOut, 500, "Operation could not be completed within the permitted time.")                             \
  X(OutOfRangeInput, 400, "One of the request inputs is out of range.")                                                \
  X(OutOfRangeQueryParameterValue, 400, "One of the query parameters specified in the request URI is outside the permissible range.") \
  X(PublicAccessNotPermitted, 409, "Public access is not permitted on this storage account.") /* (observed) */         \
  X(RequestBodyTooLarge, 413, "The request body is too large and exceeds the maximum permissible limit.")              \
  X(ResourceNotFound, 404, "The specified resource does not exist.")                                                   \
  X(ServerBusy, 503, "The server is busy.")                                                                            \
  X(UnauthorizedBlobOverwrite, 403, "This request is not authorized to perform blob overwrites.")                      \
  X(UnsatisfiableCondition, 400, "The request includes an unsatisfiable condition for this operation.") /* (observed) */ \
  X(UnsupportedHeader, 400, "One of the HTTP headers specified in the request is not supported.")                      \
  X(UnsupportedHttpVerb, 405, "The resource doesn't support specified HTTP verb.")                                     \
  X(UnsupportedQueryParameter, 400, "One of the query parameters specified in the request URI is not supported.")      \
  X(UnsupportedXmlNode, 400, "One of the XML nodes specified in the request body is not supported.")
// clang-format on

namespace codes {
#define X(code, ...) inline constexpr std::string_view k##code = #code;
TOMBOLO_AZURE_ERRORS(X)
#undef X
}  // namespace codes

/// An error of this dialect: `code` is one of codes::, `why` a sentence for the client that says what exactly is wrong.
Error refuse(std::string_view code, std::string why);

/// What goes on the wire.
struct WireError {
  int status = 500;
  std::string_view code;
  std::string message;   // the table's sentence, then the error's own where it may be told
  bool is_ours = false;  // the server's fault: log it with the request id
};

/// What a request does: a condition that makes a read 304 makes a write 412.
enum class Access { kRead, kWrite };

/// `error.detail` decides where it is a code of the table (or "NotModified"); else `error.code` and the level of what
/// the request named. What the server itself met (5xx) is not told to the client, it may name remotes and paths.
WireError to_wire(const Error& error, Level level, Access access);

struct ErrorBody {
  std::string_view code;
  std::string_view message;
  std::string_view request_id;
  std::string_view time;  // ISO 8601
};
/// The XML document of an error.
std::string error_xml(const ErrorBody& body);

}  // namespace tombolo::azure_blob
