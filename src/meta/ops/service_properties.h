// What an account's owner sets for the whole account.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "meta/cell.h"
#include "meta/model/account.h"

namespace tombolo::meta {

/// nullopt when nothing was ever set. Does not look whether the account exists.
Task<std::optional<ServiceProperties>> get_service_properties(Cell cell, std::string account);

/// The document that follows `before` (empty: nothing was ever set), or why there is none. May be called again when
/// transactions collide.
using ChangeDocument = std::function<Result<std::string>(std::string_view before)>;
inline constexpr std::size_t kServiceDocumentBytesMax = 48 * 1024;

/// Reads, changes and writes in one transaction. kInvalid for a document over kServiceDocumentBytesMax; what `change`
/// fails with.
Task<void> change_service_properties(Cell cell, std::string account, ChangeDocument change);

}  // namespace tombolo::meta
