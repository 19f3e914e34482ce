// How a read is judged by its conditions. Writes: conditions.h.
#pragma once

#include "meta/model/conditions.h"

namespace tombolo::meta {

/// `etag` is the stamp of the record that is there. If-Match && If-Unmodified-Since && (If-None-Match ||
/// If-Modified-Since), each where it is given: an If-Match does not make If-Unmodified-Since void (AzCopy sends both
/// when it goes on with a body). Source: Microsoft Learn, "Specifying conditional headers for Blob service operations",
/// read operations since 2013-08-15.
Verdict judge_read(const Conditions& conditions, Stamp etag);

}  // namespace tombolo::meta
