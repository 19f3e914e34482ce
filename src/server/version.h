// What this build is. The version has one place: project() in the top CMakeLists.txt.
#pragma once

namespace tombolo::server {

extern const char* const kVersion;   // "0.2.0"
extern const char* const kRevision;  // what `git describe` said when it was built; "unknown" without git

}  // namespace tombolo::server
