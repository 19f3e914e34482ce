#include "server/version.h"

#include "server/revision.h"

namespace tombolo::server {

const char* const kVersion = TOMBOLO_VERSION;
const char* const kRevision = TOMBOLO_REVISION;

}  // namespace tombolo::server
